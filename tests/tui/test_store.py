"""The store: one frozen snapshot, and nothing that was known is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from maestro_cli.tui.store.events import (
    CommandLogged,
    ContextArmed,
    FactBegun,
    FactFailed,
    FactRead,
    FactsForgotten,
    Resumed,
    Rewound,
)
from maestro_cli.tui.store.model import Fact, FactKey, Scope, Told
from maestro_cli.tui.store.store import Store

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
KEY = FactKey("pods", "prod")


def test_what_a_watch_told_is_as_old_as_its_connection_and_not_as_its_last_change() -> None:
    store = Store(Scope(("prod",)))
    store.dispatch(FactFailed(KEY, Told("gone"), NOW, heard_at=NOW))
    assert not store.snapshot.fact(KEY).is_known
    store.dispatch(FactRead(KEY, 1, NOW), FactFailed(KEY, Told("gone"), after(9), heard_at=after(7)))
    assert store.snapshot.fact(KEY) == Fact(1, after(7), Told("gone"), after(9))


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_what_cannot_be_read_keeps_its_data_and_says_since_when() -> None:
    store = Store(Scope(("prod",)))
    store.dispatch(FactRead(KEY, ("a",), NOW))
    store.dispatch(FactFailed(KEY, Told("gone"), after(5)), FactFailed(KEY, Told("still gone"), after(9)))
    fact = store.snapshot.fact(KEY)
    assert (fact.data, fact.read_at, fact.error, fact.error_since) == (
        ("a",),
        NOW,
        Told("still gone"),
        after(5),
    )
    store.dispatch(FactRead(KEY, ("b",), after(12)))
    assert store.snapshot.fact(KEY) == Fact(("b",), after(12))


def test_what_was_begun_is_not_known_and_is_gone_with_the_whole_or_a_failure() -> None:
    store = Store(Scope(("prod",)))
    store.dispatch(FactBegun(KEY, ("a",)))
    fact = store.snapshot.fact(KEY)
    assert (fact.begun, fact.data, fact.is_known) == (("a",), None, False)
    store.dispatch(FactFailed(KEY, Told("gone"), NOW))
    assert store.snapshot.fact(KEY).begun is None
    store.dispatch(FactBegun(KEY, ("a",)), FactRead(KEY, ("a", "b"), NOW), FactBegun(KEY, ("a",)))
    assert store.snapshot.fact(KEY) == Fact(("a", "b"), NOW)


def test_many_events_wake_once_until_they_are_taken() -> None:
    woken: list[int] = []
    store = Store(Scope(("prod",)))
    store.listen(lambda: woken.append(1))
    for number in range(5):
        store.dispatch(FactRead(KEY, number, NOW))
    assert len(woken) == 1
    assert store.take().fact(KEY).data == 4
    store.dispatch(FactRead(KEY, 5, NOW))
    assert len(woken) == 2


def test_nothing_that_happened_wakes_nobody() -> None:
    woken: list[int] = []
    store = Store(Scope(("prod",)))
    store.listen(lambda: woken.append(1))
    store.dispatch()
    assert woken == []


def test_while_rewound_what_is_read_is_kept_and_shown_on_return() -> None:
    store = Store(Scope(("prod",)))
    store.dispatch(FactRead(KEY, "now", NOW), Rewound(after(-60), {KEY: Fact("then", after(-60))}))
    store.dispatch(FactRead(KEY, "later", after(1)))
    assert store.snapshot.fact(KEY).data == "then"
    store.dispatch(Resumed())
    assert (store.snapshot.fact(KEY).data, store.snapshot.replay_at) == ("later", None)


def test_nothing_is_armed_in_the_past_nor_after_its_time() -> None:
    store = Store(Scope(("prod",)))
    store.dispatch(ContextArmed("prod", after(60)))
    assert store.snapshot.is_armed("prod", NOW)
    assert not store.snapshot.is_armed("prod", after(60))
    assert not store.snapshot.is_armed("other", NOW)
    store.dispatch(Rewound(after(-60), {}))
    assert not store.snapshot.is_armed("prod", NOW)


def test_the_end_of_a_command_takes_the_place_of_its_beginning() -> None:
    store = Store(Scope(("prod",)))
    store.dispatch(CommandLogged(NOW, "prod", "maestro pod list", "running", 1))
    store.dispatch(CommandLogged(after(1), "prod", "maestro pod list", "done", 1))
    assert [(line.at, line.outcome) for line in store.snapshot.log] == [(NOW, "done")]


def test_forgotten_facts_are_unread_again() -> None:
    store = Store(Scope(("prod",)))
    store.dispatch(FactRead(KEY, 1, NOW), FactsForgotten(frozenset({KEY})))
    assert not store.snapshot.fact(KEY).is_known
