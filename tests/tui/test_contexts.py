"""Contexts that were left: nothing stays open to them, and nothing of what is looked at is closed."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from maestro_cli.services.backends import GlobalOptions
from maestro_cli.tui.console import Console
from maestro_cli.tui.contexts import LEFT_SECONDS, Contexts
from maestro_cli.tui.feeds.model import Feed
from maestro_cli.tui.feeds.runner import FeedRunner
from maestro_cli.tui.store.events import ContextArmed, ContextDisarmed, ScopeChanged
from maestro_cli.tui.store.model import Scope
from maestro_cli.tui.store.store import Store
from tests.patience import PATIENCE_SECONDS, wait_for
from tests.tui.cases import NOW, StillClock


class Hands(StillClock):
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


class Opened:
    """Services that tell when they are closed."""

    def __init__(self, context: str, closed: list[str]) -> None:
        self._context, self._closed = context, closed

    def close(self) -> None:
        self._closed.append(self._context)


class Left(Console):
    """A console whose services are Opened, and whose feeds are one."""

    def __init__(self, clock: Hands, *contexts: str) -> None:
        super().__init__(GlobalOptions(), clock, contexts, "")
        self.closed: list[str] = []
        build: Any = lambda context, is_reading: Opened(context, self.closed)  # noqa: E731
        self._contexts = Contexts(build, clock)
        self.feed: Feed[str] = Feed("f", "x", 5.0, lambda services, argument: argument)
        self.feeds = FeedRunner(self.store, {"f": self.feed}, self.reading, clock)

    def look_at(self, *contexts: str) -> None:
        """What the frame does when the scope is another one."""
        self.store.dispatch(ScopeChanged(Scope(contexts)))
        self.feeds.want(frozenset(self.feed.of(name) for name in contexts))
        for name in contexts:
            wait_for(lambda name=name: self.store.snapshot.fact(self.feed.of(name)).is_known, name)  # type: ignore[misc]


@pytest.fixture
def clock() -> Hands:
    return Hands()


def test_what_is_open_to_a_context_is_closed_a_while_after_it_was_left(clock: Hands) -> None:
    console = Left(clock, "a")
    console.look_at("a")
    console.look_at("b")
    clock.seconds += LEFT_SECONDS - 1
    console.leave_unused()
    console.look_at("a", "b")
    console.look_at("b")
    assert console.closed == []
    clock.seconds += LEFT_SECONDS
    console.leave_unused()
    wait_for(lambda: console.closed == ["a"], "a is closed, and b is not")
    console.look_at("a", "b")
    console.close()
    assert sorted(console.closed) == ["a", "a", "b"]
    feeds = [one.name for one in threading.enumerate() if one.name.startswith("feed f@")]
    assert feeds == [], "no thread is left"


def test_an_armed_context_is_not_left_and_its_acting_services_go_with_it(clock: Hands) -> None:
    console = Left(clock, "a")
    console.store.dispatch(ContextArmed("b", NOW + timedelta(minutes=5)))
    reading, acting = console.reading("b"), console.acting("b")
    assert reading is not acting
    clock.seconds += 2 * LEFT_SECONDS
    console.leave_unused()
    assert console.closed == []
    console.store.dispatch(ContextDisarmed("b"))
    clock.seconds += LEFT_SECONDS
    console.leave_unused()
    wait_for(lambda: console.closed == ["b", "b"], "both are closed")


def test_nothing_is_closed_while_something_is_done(clock: Hands) -> None:
    console, over = Left(clock, "a"), threading.Event()
    console.reading("b")
    work = threading.Thread(target=over.wait, args=(PATIENCE_SECONDS,), name="drain")
    console.begin(work)
    clock.seconds += 2 * LEFT_SECONDS
    console.leave_unused()
    assert console._contexts._known.keys() == {("b", True)}
    over.set()
    work.join(PATIENCE_SECONDS)
    console.leave_unused()
    wait_for(lambda: console.closed == ["b"], "b is closed")


def test_the_end_waits_for_what_is_being_read() -> None:
    entered, leave, ends = threading.Event(), threading.Event(), list[str]()

    def read(services: Any, argument: str) -> str:
        entered.set()
        leave.wait(PATIENCE_SECONDS)
        ends.append("read")
        return "read"

    feed: Feed[str] = Feed("slow", "x", 5.0, read)
    services: Any = lambda context: context  # noqa: E731
    feeds = FeedRunner(Store(Scope(("a",))), {"slow": feed}, services, StillClock())
    feeds.want(frozenset({feed.of("a")}))
    assert entered.wait(PATIENCE_SECONDS)
    feeds.close()
    joining = threading.Event()

    def end() -> None:
        joining.set()
        feeds.join(PATIENCE_SECONDS)
        ends.append("end")

    ending = threading.Thread(target=end)
    ending.start()
    assert joining.wait(PATIENCE_SECONDS)
    leave.set()
    ending.join(PATIENCE_SECONDS)
    assert ends == ["read", "end"]
    assert not any(one.name == "feed slow@a" for one in threading.enumerate())
