"""Snapshot and event to the next snapshot.

Invariant: pure. While rewound, what is read live is kept aside and not shown, unless the past is compared
with it; resuming shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from maestro_cli.tui.store import events
from maestro_cli.tui.store.model import UNREAD, Fact, FactKey, Logged, Snapshot

LONGEST_LOG = 500


@dataclass(frozen=True, slots=True)
class State:
    """What is shown, and what is known live; both have the same facts unless rewound."""

    shown: Snapshot
    live: Mapping[FactKey, Fact]


def reduce(state: State, event: events.Event) -> State:
    """The next state; the same one where the event tells nothing new."""
    match event:
        case events.FactBegun(key, data):
            before = state.live.get(key, UNREAD)
            return state if before.is_known else _with_facts(state, {**state.live, key: Fact(begun=data)})
        case events.FactRead(key, data, at):
            return _with_facts(state, {**state.live, key: Fact(data, at)})
        case events.FactFailed(key):
            return _with_facts(state, {**state.live, key: _failed(state.live.get(key, UNREAD), event)})
        case events.FactsForgotten(keys):
            return _with_facts(state, {one: fact for one, fact in state.live.items() if one not in keys})
        case events.Rewound(at, facts, is_compared):
            was = state.shown.against is not None
            against = state.live if (was if is_compared is None else is_compared) else None
            past = replace(state.shown, facts=MappingProxyType({**facts}), replay_at=at, against=against)
            return replace(state, shown=past)
        case events.Compared(is_compared):
            is_past = state.shown.replay_at is not None
            against = state.live if is_compared and is_past else None
            return replace(state, shown=replace(state.shown, against=against))
        case events.Resumed():
            now = replace(state.shown, facts=state.live, replay_at=None, against=None)
            return replace(state, shown=now)
        case _:
            return replace(state, shown=_around(state.shown, event))


def _with_facts(state: State, facts: dict[FactKey, Fact]) -> State:
    live = MappingProxyType(facts)
    if state.shown.replay_at is None:
        return State(replace(state.shown, facts=live), live)
    if state.shown.against is not None:
        return State(replace(state.shown, against=live), live)
    return State(state.shown, live)


def _failed(before: Fact, failure: events.FactFailed) -> Fact:
    """The data stays as it was, and so does since when it cannot be read."""
    since = before.error_since if before.error is not None else failure.at
    read_at = failure.heard_at or before.read_at if before.is_known else None
    return replace(before, read_at=read_at, error=failure.error, error_since=since, begun=None)


def _around(shown: Snapshot, event: events.Event) -> Snapshot:
    """Everything that is no fact."""
    match event:
        case events.ScopeChanged(scope):
            return replace(shown, scope=scope)
        case events.ContextArmed(context, until):
            return replace(shown, armed=MappingProxyType({**shown.armed, context: until}))
        case events.ContextDisarmed(context):
            left = {name: until for name, until in shown.armed.items() if name != context}
            return replace(shown, armed=MappingProxyType(left))
        case events.CommandLogged(at, context, line, outcome, number):
            return replace(shown, log=_logged(shown.log, Logged(at, context, line, outcome, number)))
        case _:
            return shown


def _logged(log: tuple[Logged, ...], line: Logged) -> tuple[Logged, ...]:
    """The line takes the place of the one with its id; the oldest go when there are too many."""
    if any(one.id == line.id for one in log):
        return tuple(replace(line, at=one.at) if one.id == line.id else one for one in log)
    return (*log, line)[-LONGEST_LOG:]
