"""Feeds: exactly what is wanted is read, and a failure is told, tried again, and ends nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Busy, NotFound, Refused, TimedOut, Unreachable
from maestro_cli.core.facts.live import Begun, Changed, Listed, Lost, Restored
from maestro_cli.tui.defects import FILE
from maestro_cli.tui.feeds import runner as runner_module
from maestro_cli.tui.feeds.model import Feed, Hearer
from maestro_cli.tui.feeds.runner import FeedRunner, told
from maestro_cli.tui.feeds.watching import Watching, gather
from maestro_cli.tui.store.model import Scope
from maestro_cli.tui.store.store import Store
from tests.patience import PATIENCE_SECONDS
from tests.tui.cases import StillClock, pod


def wait_for(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    tick = threading.Event()
    while not holds():
        assert time.monotonic() < end, f"never: {what}"
        tick.wait(0.01)


def runner(store: Store, *feeds: Feed[Any]) -> FeedRunner:
    services: Any = lambda context: context  # noqa: E731
    return FeedRunner(store, {feed.id: feed for feed in feeds}, services, StillClock())


def test_a_wanted_fact_is_read_until_nobody_wants_it_and_then_forgotten() -> None:
    store, asked = Store(Scope(("prod",))), list[str]()

    def read(services: Any, argument: str) -> str:
        asked.append(argument)
        return f"{services} {argument}"

    feed: Feed[str] = Feed("f", "x", 0.01, read)
    feeds = runner(store, feed)
    key = feed.of("prod", "a")
    feeds.want(frozenset({key}))
    wait_for(lambda: len(asked) > 2, "three reads")
    assert store.snapshot.fact(key).data == "prod a"
    feeds.want(frozenset())
    assert not store.snapshot.fact(key).is_known
    wait_for(lambda: not any(one.name == "feed f@prod" for one in threading.enumerate()), "no thread")


@pytest.mark.parametrize("error", [Unreachable("no answer"), ZeroDivisionError("x")], ids=["told", "defect"])
def test_a_failure_is_told_and_the_next_read_takes_its_place(error: Exception) -> None:
    store, answers = Store(Scope(("prod",))), [error]

    def read(services: Any, argument: str) -> str:
        if answers:
            raise answers.pop()
        return "well"

    feed: Feed[str] = Feed("f", "x", 0.05, read)
    feeds, seen = runner(store, feed), list[Any]()
    store.listen(lambda: seen.append(store.take().fact(feed.of("prod")).error))
    feeds.want(frozenset({feed.of("prod")}))
    wait_for(lambda: store.snapshot.fact(feed.of("prod")).data == "well", "a good read")
    feeds.close()
    assert any(one is not None for one in seen)
    assert store.snapshot.fact(feed.of("prod")).error is None


def failing() -> Exception:
    try:
        raise ZeroDivisionError("a column that divides")
    except ZeroDivisionError as error:
        return error


def test_a_defect_is_written_down_once_where_that_is_wanted_and_its_fix_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("MAESTRO_DEBUG", raising=False)
    file, error = tmp_path / "maestro" / FILE, failing()
    assert told(error).fix == f"run again with MAESTRO_DEBUG=1, and report what is then in {file}"
    assert not file.exists()
    monkeypatch.setenv("MAESTRO_DEBUG", "1")
    assert [told(error).fix for _ in range(3)] == [f"report it, with what is in {file}"] * 3
    assert file.read_text().count("ZeroDivisionError: a column that divides") == 1
    assert "in failing" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "maestro" / FILE))  # no folder can be made there
    assert told(LookupError("another")).fix == "report it"


class Ear:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []
        self.parts: list[tuple[str, ...]] = []
        self.errors: list[Exception] = []
        self.is_fresh = False
        self.heard_at: datetime | None = None

    def read(self, data: tuple[Any, ...]) -> None:
        self.is_fresh = True
        self.told.append(tuple(one.name for one in data))

    def begun(self, data: tuple[Any, ...]) -> None:
        self.parts.append(tuple(one.name for one in data))

    def failed(self, error: Exception, heard_at: datetime | None = None) -> None:
        self.is_fresh, self.heard_at = False, heard_at
        self.errors.append(error)


NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
PULSE_SECONDS = "maestro_cli.tui.feeds.watching.PULSE_SECONDS"


def follow(ear: Ear, watching: Watching, answers: Callable[[], object] | None = None) -> None:
    """Gather to the end; what a watch waited for in vain was told to the ear, and is raised here."""
    gather(ear, lambda one: one.name, watching, Cancellation(), answers)
    for error in ear.errors:
        if isinstance(error, AssertionError):
            raise error


def test_changes_are_told_in_order_and_the_last_state_always() -> None:
    ear, open_ = Ear(), threading.Event()

    def seen() -> Any:
        yield Listed((pod("b"), pod("a")), NOW)
        wait_for(lambda: ear.told == [("a", "b")], "the first list")
        yield (Changed("uid-c", pod("c")), Changed("uid-a", None))
        yield (Changed("uid-b", pod("b", status="Failed")),)
        wait_for(lambda: bool(ear.told) and ear.told[-1] == ("b", "c"), "what changed last")
        open_.set()

    follow(ear, lambda over: [seen()])
    assert open_.is_set()


def test_parts_of_the_first_list_are_told_as_they_come_and_never_as_the_whole() -> None:
    ear = Ear()

    def seen() -> Any:
        yield Begun((pod("b"), pod("a")), True)
        wait_for(lambda: ear.parts == [("a", "b")], "the first part")
        yield Begun((pod("x"),), False)
        yield Begun((pod("c"),), True)  # its snapshot expired: what came before is void
        wait_for(lambda: ear.parts[-1] == ("c",), "the list that began anew")
        assert not ear.is_fresh
        yield Begun((pod("d"),), False)
        yield Listed((pod("d"), pod("c")), NOW)
        wait_for(lambda: ear.told == [("c", "d")], "the whole")

    follow(ear, lambda over: [seen()])
    assert ear.told == [("c", "d")]


def test_what_was_lost_is_told_and_what_is_restored_is_told_whole() -> None:
    ear = Ear()

    def seen() -> Any:
        yield Listed((pod("a"),), NOW)
        wait_for(lambda: len(ear.told) == 1, "the list")
        yield Lost(Unreachable("gone"), NOW)
        assert [str(error) for error in ear.errors] == [str(Unreachable("gone"))]
        yield Restored(NOW)
        wait_for(lambda: len(ear.told) == 2, "the list again")

    follow(ear, lambda over: [seen()])
    assert ear.told == [("a",), ("a",)]


def test_after_a_silence_nothing_is_fresh_until_all_was_listed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PULSE_SECONDS, 0.01)
    ear, gone, before = Ear(), threading.Event(), list[bool]()

    def answers() -> None:
        if gone.is_set():
            raise Unreachable("silent")

    def dead(over: Cancellation) -> Any:
        yield Listed((pod("a"),), NOW)
        wait_for(lambda: ear.is_fresh, "the list")
        gone.set()
        wait_for(lambda: not ear.is_fresh, "that it is lost")
        assert ear.heard_at is not None
        gone.clear()
        wait_for(lambda: over.is_set, "that it is ended")

    def anew() -> Any:
        before.append(ear.is_fresh)
        yield Lost(Unreachable("not yet"), NOW)
        before.append(ear.heard_at is not None)  # what is known is as old as it was
        yield Restored(NOW)
        before.append(ear.is_fresh)
        yield Listed((pod("b"),), NOW)
        wait_for(lambda: ear.is_fresh, "the new list")

    rounds: Iterator[Callable[[Cancellation], Any]] = iter([dead, lambda over: anew()])
    follow(ear, lambda over: [next(rounds)(over)], answers)
    assert before == [False, False, False]
    assert {type(one) for one in ear.errors} == {Unreachable}
    assert ear.told == [("a",), ("b",)]
    assert ear.is_fresh


@pytest.mark.parametrize(
    "kind", [TimedOut, Unreachable, ZeroDivisionError], ids=lambda kind: str(kind.__name__)
)
def test_what_is_no_answer_is_told_as_a_silence(
    monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    monkeypatch.setattr(PULSE_SECONDS, 0.01)
    ear, is_listed = Ear(), threading.Event()

    def answers() -> None:
        if is_listed.is_set():
            raise kind("silent")

    def seen() -> Any:
        yield Listed((pod("a"),), NOW)
        wait_for(lambda: ear.is_fresh, "the list")
        is_listed.set()
        wait_for(lambda: not ear.is_fresh, "that it is lost")

    follow(ear, lambda over: [seen()], answers)
    assert {type(one) for one in ear.errors} == {kind}


@pytest.mark.parametrize("kind", [Refused, NotFound, Busy], ids=lambda kind: str(kind.__name__))
def test_an_answer_that_denies_is_one_all_the_same(
    monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    monkeypatch.setattr(PULSE_SECONDS, 0.01)
    ear, asked = Ear(), list[int]()

    def answers() -> None:
        asked.append(1)
        raise kind("not for you")

    def seen() -> Any:
        yield Listed((pod("a"),), NOW)
        wait_for(lambda: ear.is_fresh and len(asked) > 2, "the list, and some questions")

    follow(ear, lambda over: [seen()], answers)
    assert ear.errors == []
    assert ear.is_fresh


def test_a_feed_that_is_stopped_begins_no_watch_anew() -> None:
    ear, stopped, rounds = Ear(), Cancellation(), list[Cancellation]()

    def watching(over: Cancellation) -> Any:
        assert not rounds, "it was begun anew"
        rounds.append(over)
        stopped.cancel()
        return [iter(())]

    gather(ear, lambda one: one.name, watching, stopped)
    assert [one.is_set for one in rounds] == [True]


def test_nothing_is_told_before_every_kind_was_listed_and_a_kind_that_is_not_served_is_empty() -> None:
    ear = Ear()

    def first() -> Any:
        yield Listed((pod("a"),), NOW)
        wait_for(lambda: bool(ear.told), "a list")

    def unserved() -> Any:
        raise NotFound("no such kind")
        yield

    follow(ear, lambda over: [first(), unserved()])
    assert ear.told[0] == ("a",)


def test_a_change_right_before_a_watch_was_lost_does_not_make_it_look_fresh() -> None:
    ear = Ear()

    def seen() -> Any:
        yield Listed((pod("a"),), NOW)
        wait_for(lambda: bool(ear.told), "the list")
        yield (Changed("uid-b", pod("b")),)
        yield Lost(Unreachable("gone"), NOW)
        wait_for(lambda: ear.told[-1] == ("a", "b"), "the change")
        wait_for(lambda: not ear.is_fresh, "that it is lost")

    follow(ear, lambda over: [seen()])


def test_news_of_one_watch_hide_no_silence_of_another_until_it_is_heard_again() -> None:
    ear = Ear()

    def lost() -> Any:
        yield Listed((pod("a"),), NOW)
        wait_for(lambda: bool(ear.told), "the lists")
        yield Lost(Unreachable("gone"), NOW)
        wait_for(lambda: ear.told[-1] == ("a", "s", "t"), "news of the other")
        wait_for(lambda: not ear.is_fresh, "that it is lost")
        yield Restored(NOW)
        wait_for(lambda: ear.is_fresh, "that it is heard again")

    def other() -> Any:
        yield Listed((pod("s"),), NOW)
        wait_for(lambda: bool(ear.errors), "the loss")
        yield (Changed("uid-t", pod("t")),)
        wait_for(lambda: ear.told[-1] == ("a", "s", "t"), "what changed")

    follow(ear, lambda over: [lost(), other()])


def test_a_kind_that_turns_out_late_not_to_be_served_holds_up_nothing() -> None:
    ear, listed = Ear(), threading.Event()

    def first() -> Any:
        yield Listed((pod("a"),), NOW)
        listed.set()
        wait_for(lambda: ear.told == [("a",)], "the list")

    def unserved() -> Any:
        assert listed.wait(PATIENCE_SECONDS)
        raise NotFound("no such kind")
        yield

    follow(ear, lambda over: [first(), unserved()])


def test_a_defect_of_a_further_watch_is_told() -> None:
    ear = Ear()

    def broken() -> Any:
        raise ZeroDivisionError("x")
        yield

    follow(ear, lambda over: [iter(()), broken()])
    assert [type(one) for one in ear.errors] == [ZeroDivisionError]


def test_what_a_lost_watch_told_held_until_it_was_heard_last() -> None:
    ear = Ear()
    seen: list[Any] = [Listed((pod("a"),), NOW), Lost(Unreachable("gone"), NOW)]
    follow(ear, lambda over: [seen])
    assert ear.heard_at == NOW


def test_what_comes_late_brings_back_no_fact_that_was_forgotten() -> None:
    store, asked, late = Store(Scope(("prod",))), threading.Event(), list[Hearer[Any]]()

    def follow(services: Any, argument: str, hearer: Hearer[Any], cancellation: Cancellation) -> None:
        late.append(hearer)
        asked.set()
        cancellation.wait(PATIENCE_SECONDS)

    feed: Feed[str] = Feed("h", "x", 60.0, follow=follow)
    feeds, key = runner(store, feed), feed.of("prod")
    feeds.want(frozenset({key}))
    assert asked.wait(PATIENCE_SECONDS)
    feeds.want(frozenset())
    feeds.want(frozenset({key}))
    wait_for(lambda: len(late) == 2, "the second reader")
    late[0].read("of before")
    assert not store.snapshot.fact(key).is_known
    late[0]._stopped._is_set = False  # type: ignore[attr-defined]  # as if it had asked right before
    late[0].read("of before")
    assert not store.snapshot.fact(key).is_known
    late[1].read("of now")
    assert store.snapshot.fact(key).data == "of now"
    feeds.close()


def test_a_feed_is_read_or_follows_and_never_both_or_neither() -> None:
    def follow(services: Any, argument: str, hearer: Hearer[str], cancellation: Cancellation) -> None: ...

    with pytest.raises(ValueError, match="either read or follow"):
        Feed[str]("g", "x", 1.0)
    with pytest.raises(ValueError, match="either read or follow"):
        Feed[str]("g", "x", 1.0, lambda services, argument: "", follow)


def test_a_feed_that_follows_is_stopped_with_its_cancellation() -> None:
    store, begun = Store(Scope(("prod",))), threading.Event()

    def follow(services: Any, argument: str, hearer: Hearer[Any], cancellation: Cancellation) -> None:
        hearer.read("first")
        begun.set()
        cancellation.wait(PATIENCE_SECONDS)

    feed: Feed[str] = Feed("g", "x", 0.01, follow=follow)
    feeds = runner(store, feed)
    feeds.want(frozenset({feed.of("prod")}))
    assert begun.wait(PATIENCE_SECONDS)
    feeds.close()
    wait_for(lambda: not any(one.name == "feed g@prod" for one in threading.enumerate()), "no thread")


def test_a_reader_that_told_something_has_not_failed_many_times_in_a_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else what follows well, and ends now and then, would be tried again ever later."""
    store, told_at, waits = Store(Scope(("prod",))), [0], list[float]()

    def follow(services: Any, argument: str, hearer: Hearer[int], cancellation: Cancellation) -> None:
        hearer.read(told_at[0])
        told_at[0] += 1
        raise Unreachable("it hung up")

    class Hurry(threading.Event):
        """Waits for nothing."""

        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0.0)
            return super().wait(0.001)

    feed: Feed[int] = Feed("f", "x", 0.01, follow=follow)
    own = SimpleNamespace(Thread=threading.Thread, Lock=threading.Lock, Event=Hurry)
    monkeypatch.setattr(runner_module, "threading", own)
    feeds = runner(store, feed)
    feeds.want(frozenset({feed.of("prod")}))
    wait_for(lambda: len(waits) >= 6, "six times")
    feeds.close()
    assert set(waits) == {0.02}
