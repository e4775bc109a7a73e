"""Logs in the console: nothing is shown twice, and what was left out is said."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from maestro_cli.core.errors import UsageError
from maestro_cli.core.facts.logs import Dropped, Left, LogLine
from maestro_cli.services import inspecting
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.feeds.tail import Tail, TailKeeper
from maestro_cli.tui.screens.logs import LOGS, SCREEN, LogsAsked, follow_logs
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.store.events import FactRead
from maestro_cli.tui.views.logs_view import LogsView
from tests.patience import PATIENCE_SECONDS
from tests.tui.cases import NOW, StillConsole, run_app, screen_text, tell, until

AT = datetime(2026, 11, 26, 2, 59, tzinfo=UTC)
SERVICES = SimpleNamespace(policy=SimpleNamespace(protected=False, read_only=False))
PLACE = Place("logs", "ml/pod/fraud-1", "prod")


def line(text: str) -> LogLine:
    return LogLine("fraud-1", "server", AT, text)


def test_a_tail_knows_what_is_new_and_what_is_gone() -> None:
    tail = Tail(3, ("d", "e", "f"))
    assert tail.total == 6
    assert tail.since(5) == (0, ("f",))
    assert tail.since(1) == (2, ("d", "e", "f"))
    assert tail.since(6) == (0, ())


def test_a_keeper_keeps_so_many_and_tells_the_last() -> None:
    told, heard = list[Tail](), threading.Event()

    class Ear:
        def read(self, data: Tail) -> None:
            told.append(data)
            heard.set()

        def begun(self, data: object) -> None: ...

        def failed(self, error: Exception, heard_at: datetime | None = None) -> None: ...

    keeper = TailKeeper(Ear(), limit=2)
    keeper.add(["a", "b", "c"])
    assert heard.wait(PATIENCE_SECONDS)
    keeper.add(["d"])
    keeper.close()
    assert told[0] == Tail(1, ("b", "c"))
    assert told[-1] == Tail(2, ("c", "d"))


def test_an_older_tail_is_never_told_after_a_newer_one() -> None:
    told, is_held, let_go = list[Tail](), threading.Event(), threading.Event()

    class SlowEar:
        def read(self, data: Tail) -> None:
            if not is_held.is_set():
                is_held.set()
                assert let_go.wait(PATIENCE_SECONDS)
            told.append(data)

        def begun(self, data: Tail) -> None: ...

        def failed(self, error: Exception, heard_at: datetime | None = None) -> None: ...

    keeper = TailKeeper(SlowEar())
    keeper.add(["a"])
    assert is_held.wait(PATIENCE_SECONDS)
    keeper.add(["b"])
    second = threading.Thread(target=keeper.tell)
    second.start()
    second.join(0.05)  # it would have told by now, were it not its turn
    let_go.set()
    second.join(PATIENCE_SECONDS)
    assert [tail.total for tail in told[:2]] == [1, 2]
    keeper.close()


def test_a_filter_of_the_source_picks_or_leaves_out() -> None:
    picks, leaves = LogsAsked("ml/pod/a", "error").wanted, LogsAsked("ml/pod/a", "!debug").wanted
    assert (picks.grep, picks.exclude) == ("(?i)error", "")
    assert (leaves.grep, leaves.exclude) == ("", "(?i)debug")
    assert LogsAsked.read(str(LogsAsked("a", "x", True))) == LogsAsked("a", "x", True)


@pytest.mark.parametrize(
    "typed", ["-l app=fraud", "-f fr", "@prod", "error @prod"], ids=["labels", "letters", "context", "both"]
)
def test_a_filter_of_rows_is_refused_with_words(typed: str) -> None:
    with pytest.raises(UsageError, match="is one of rows"):
        LogsView(SCREEN, PLACE).set_filter(typed)
    with pytest.raises(UsageError, match="is one of rows"):
        _ = LogsAsked("ml/pod/a", typed).wanted


class Ear:
    def __init__(self) -> None:
        self.told: list[Tail] = []

    def read(self, data: Tail) -> None:
        self.told.append(data)

    def begun(self, data: object) -> None: ...

    def failed(self, error: Exception, heard_at: datetime | None = None) -> None: ...


class Waited:
    """A cancellation that is set as soon as somebody waits for it."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return True


@pytest.mark.parametrize(
    ("batches", "told"),
    [
        ([["last words"]], [Tail(0, ("last words",), is_over=True)]),
        ([], [Tail(0, (), is_over=True)]),
    ],
    ids=["printed", "silent"],
)
def test_the_log_of_what_has_ended_stays_and_is_not_read_again(
    monkeypatch: pytest.MonkeyPatch, batches: list[list[str]], told: list[Tail]
) -> None:
    monkeypatch.setattr(inspecting, "read_logs", lambda services, wanted, stopped: iter(batches))
    ear, stopped = Ear(), Waited()
    follow_logs(SERVICES, str(LogsAsked("ml/pod/a")), ear, stopped)  # type: ignore[arg-type]
    assert ear.told == told
    assert stopped.seconds == [3600.0]


def test_a_log_that_is_read_anew_takes_the_place_of_what_was_shown() -> None:
    console = StillConsole(SERVICES)
    key = LOGS.of("prod", str(LogsAsked("ml/pod/fraud-1")))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(key, Tail(0, (line("one"),), "first"), NOW))
        await until(pilot, lambda: "one" in screen_text(app), "the first lines")
        tell(console, FactRead(key, Tail(0, (line("two"), line("three")), "second"), NOW))
        await until(pilot, lambda: "three" in screen_text(app), "the lines of now")
        assert "two" in screen_text(app)
        assert "one" not in screen_text(app)

    run_app(console, script, place=PLACE)


def test_lines_are_added_once_and_gaps_are_said() -> None:
    console = StillConsole(SERVICES)
    key = LOGS.of("prod", str(LogsAsked("ml/pod/fraud-1")))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(key, Tail(0, (line("one"), line("two"))), NOW))
        await until(pilot, lambda: "two" in screen_text(app), "the first lines")
        left = Left("fraud-1", "server", "it ended")
        tell(console, FactRead(key, Tail(4, (Dropped(300, AT), line("five"), left)), NOW))
        await until(pilot, lambda: "it ended" in screen_text(app), "the next lines")
        text = screen_text(app)
        assert text.count("one") == 1
        assert "2 lines not kept" in text
        assert "300 lines dropped" in text

    run_app(console, script, place=PLACE)


def test_a_new_filter_reads_anew_and_what_was_shown_goes() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(
            console,
            FactRead(LOGS.of("prod", str(LogsAsked(PLACE.argument))), Tail(0, (line("debug x"),)), NOW),
        )
        await until(pilot, lambda: "debug x" in screen_text(app), "the lines")
        view: Any = app.view
        assert isinstance(view, LogsView)
        view.set_filter("!debug")
        wanted = LOGS.of("prod", str(LogsAsked(PLACE.argument, "!debug")))
        await until(pilot, lambda: wanted in console.feeds.wanted, "the new question")
        await until(pilot, lambda: "debug x" not in screen_text(app), "nothing of before")

    run_app(console, script, place=PLACE)


def test_at_80_columns_the_message_of_a_record_is_seen_and_the_whole_line_once_it_is_wrapped() -> None:
    console = StillConsole(SERVICES)
    level, rest = '"level": "error", "message": "inference failed"', '"status": 500'
    written = f'{{"time": "2026-11-26T02:59:00.123456Z", {level}, {rest}}}'
    place = Place("logs", "ml/deploy/fraud", "prod")
    pod = "fraud-547bgn6cmg-q4twv"

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        key = LOGS.of("prod", str(LogsAsked(place.argument)))
        tell(console, FactRead(key, Tail(0, (LogLine(pod, "server", AT, written),)), NOW))
        at = f"{AT.astimezone():%H:%M:%S}"
        wanted = f"{at} q4twv │ error inference failed {{{rest}}}"
        await until(pilot, lambda: wanted in screen_text(app), "the message")
        await pilot.press("w")
        await until(pilot, lambda: "wrapped, as written" in screen_text(app), "the line as it was written")
        shown = "".join(one.rstrip("▁█ ") for one in screen_text(app).splitlines())
        assert f"{pod}/server │{written}".replace(" ", "") in shown.replace(" ", "")
        await pilot.press("w")
        await until(pilot, lambda: wanted in screen_text(app), "the message again")

    run_app(console, script, place=place, size=(80, 24))


def test_lines_of_several_containers_say_which_one_wrote_them() -> None:
    console = StillConsole(SERVICES)
    place = Place("logs", "ml/deploy/fraud", "prod")
    lines = [LogLine("fraud-547bgn6cmg-q4twv", one, AT, f"by {one}") for one in ("server", "proxy")]

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(LOGS.of("prod", str(LogsAsked(place.argument))), Tail(0, tuple(lines)), NOW))
        await until(pilot, lambda: "q4twv/proxy │ by proxy" in screen_text(app), "both names")

    run_app(console, script, place=place)
