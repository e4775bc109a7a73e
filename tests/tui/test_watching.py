"""Lists that are watched: told in order and whole, and never fresher than what was heard."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Busy, NotFound, Refused, TimedOut, Unreachable
from maestro_cli.core.facts.live import Begun, Changed, Listed, Lost, Restored
from maestro_cli.tui.feeds.watching import Watching, gather
from tests.patience import PATIENCE_SECONDS, wait_for
from tests.tui.cases import pod


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
