"""Feeds: exactly what is wanted is read, and a failure is told, tried again, and ends nothing."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Unreachable
from maestro_cli.tui.defects import FILE
from maestro_cli.tui.feeds import runner as runner_module
from maestro_cli.tui.feeds.model import Feed, Hearer
from maestro_cli.tui.feeds.runner import FeedRunner, told
from maestro_cli.tui.store.model import Scope
from maestro_cli.tui.store.store import Store
from tests.patience import PATIENCE_SECONDS, wait_for
from tests.tui.cases import StillClock


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
