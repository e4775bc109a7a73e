"""What ends a session in lines, and what ends in it: Ctrl-C, being told to end, a reader that has gone."""

from __future__ import annotations

import io
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from maestro_cli.cli.signals import Signals
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Interrupted
from maestro_cli.output.diagnostics import warn
from maestro_cli.tui.acting.progress import SpokenProgress
from maestro_cli.tui.plain import session
from maestro_cli.tui.plain.launch import open_lines
from maestro_cli.tui.plain.session import Session
from maestro_cli.tui.plain.talk import Talk
from tests.patience import PATIENCE_SECONDS
from tests.tui.plain.room import Room


class Typed(io.StringIO):
    """Lines of a person; at a line that names a signal that is sent, as by a key of the terminal."""

    def readline(self, size: int | None = -1) -> str:  # type: ignore[override]
        line = super().readline(-1 if size is None else size)
        if line.startswith("SIG"):
            signal.raise_signal(signal.Signals[line.strip()])
        return line


@pytest.fixture(autouse=True)
def handlers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Those of the command line, for a session that took no cancellation."""
    monkeypatch.setattr(session, "WAIT_SECONDS", 0.0)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    Signals()
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def said(room: Room, *lines: str) -> str:
    out = io.StringIO()
    Session(room.console, Talk(Typed("".join(f"{line}\n" for line in lines)), out), room.place).run()
    return out.getvalue()


def test_ctrl_c_at_the_prompt_leaves_nothing() -> None:
    text = said(Room(), "SIGINT", "2")
    assert "quit leaves the console" in text
    assert "chosen: ml/pod/fraud-1" in text


def test_who_is_told_to_end_at_the_prompt_ends() -> None:
    with pytest.raises(Interrupted) as told:
        said(Room(), "SIGTERM", "2")
    assert told.value.is_to_end


def test_who_is_told_to_end_while_an_action_asks_ends_and_it_is_not_done() -> None:
    room = Room()
    room.arm()
    with pytest.raises(Interrupted) as told:
        said(room, "do delete 1", "SIGTERM", "2")
    assert told.value.is_to_end
    assert room.services.executed == []


def served(work: Callable[[Talk, Cancellation], None], *lines: str) -> tuple[Talk, Cancellation, str]:
    out, cancellation = io.StringIO(), Cancellation()
    talk = Talk(Typed("".join(f"{line}\n" for line in lines)), out)
    talk.serve("work", lambda: work(talk, cancellation), cancellation)
    return talk, cancellation, out.getvalue()


def test_ctrl_c_cancels_what_is_being_done_and_the_session_goes_on() -> None:
    seen: list[bool] = []

    def work(talk: Talk, cancellation: Cancellation) -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        seen.append(cancellation.wait(PATIENCE_SECONDS))

    talk, _, text = served(work)
    assert seen == [True]
    assert "cancelling" in text
    assert not talk.is_over


def test_ctrl_c_at_a_question_of_an_action_is_no_answer_and_cancels_it() -> None:
    answers: list[str | None] = []
    _, cancellation, _ = served(lambda talk, _: answers.append(talk.ask("which, empty for all:")), "SIGINT")
    assert answers == [None]
    assert cancellation.is_set


@pytest.mark.parametrize("asks", [True, False], ids=["while it asks", "while it works"])
def test_who_is_told_to_end_leaves_no_work_that_was_not_told_to_stop(asks: bool) -> None:
    over = threading.Event()

    def work(talk: Talk, cancellation: Cancellation) -> None:
        if asks:
            assert talk.ask("go on?") is None
            assert talk.ask("and now?") is None  # nobody is there any more
        else:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        assert cancellation.wait(PATIENCE_SECONDS)
        over.set()

    with pytest.raises(Interrupted):
        served(work, "SIGTERM")
    assert over.wait(PATIENCE_SECONDS)


def test_an_action_that_is_told_to_end_ends_with_the_console() -> None:
    """The console waits for it, as for one of the full screen."""
    room = Room()
    room.arm()
    seen: list[bool] = []

    def execute(plan: Any, consent: Any, **how: Any) -> Any:
        room.console.ending.cancel()
        seen.append(how["cancellation"].is_set)
        raise Interrupted

    room.services.execute = execute  # type: ignore[method-assign]
    said(room, "do delete 1", "ml/pod/fraud-0")
    assert [work.name for work in room.console._works] == ["End the pod"]
    assert seen == [True]


def test_what_work_raises_is_raised_where_it_is_waited_for() -> None:
    def work(talk: Talk, cancellation: Cancellation) -> None:
        raise ZeroDivisionError("a plan that divides")

    with pytest.raises(ZeroDivisionError):
        served(work)


def test_what_nobody_hears_any_more_ends_no_work() -> None:
    def gone(text: str) -> None:
        raise BrokenPipeError

    progress = SpokenProgress(gone)
    progress.phase("verify", "all replicas")
    progress.update("1 of 3")
    progress.note("done")


def test_a_warning_that_nobody_hears_any_more_ends_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(talk: Talk, text: str) -> None:
        if "a lease was lost" in text:
            raise BrokenPipeError

    def run(opened: Session) -> None:
        warn("a lease was lost")
        warned.append("and it goes on")

    room, warned = Room(), list[str]()
    monkeypatch.setattr(Talk, "say", gone)
    monkeypatch.setattr(room.console.recorder, "start", lambda: None)
    monkeypatch.setattr(Session, "run", run)
    open_lines(room.console, room.place)
    assert warned == ["and it goes on"]
