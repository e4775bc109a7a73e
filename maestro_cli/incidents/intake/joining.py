"""Signals that are of one incident by where they are, among those that look for one and those that have one.

Invariant: used inside one transaction. Incidents that turn out to be one are merged where nobody has touched
them; what somebody works on is left as it is.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maestro_cli.core.clock import from_rfc3339
from maestro_cli.incidents.intake.bindings import Bindings
from maestro_cli.incidents.intake.rules.model import Rule
from maestro_cli.incidents.intake.topology import Place, Placed, Topology, first_of, place_of, together
from maestro_cli.incidents.intake.touched import is_touched
from maestro_cli.incidents.merging import merge_events
from maestro_cli.incidents.model import Incident, State
from maestro_cli.incidents.register import Reads, find_incident
from maestro_cli.journal.store import Transaction

Append = Callable[[str, str, Mapping[str, Any]], None]  # kind, incident, data
_OPEN = "','".join(state.value for state in State if state.is_open)
_ON_OPEN = f"""
SELECT s.labels, s.starts_at, s.incident, p.workload, p.nodes, p.about FROM incident_signals s
JOIN incidents i ON i.id = s.incident LEFT JOIN signal_places p ON p.fingerprint = s.fingerprint
WHERE s.current = 1 AND i.state IN ('{_OPEN}') AND i.drill = ?
    AND i.key <> 'storm' AND i.key NOT GLOB 'storm/*'
"""


@dataclass(frozen=True, slots=True)
class Joint:
    """What a key belongs to: the incident that is open, empty when none is, and the key to open one under."""

    incident: str
    first: str


def join(
    transaction: Transaction,
    append: Append,
    bindings: Bindings,
    topology: Topology,
    new: Mapping[str, Sequence[Placed]],
    *,
    drill: bool,
) -> dict[str, Joint]:
    """By key, for those of `new` signals (by rule) that are together with others."""
    placed: dict[str, list[Placed]] = {name: list(signals) for name, signals in new.items() if signals}
    for one, by in on_open(transaction, bindings, topology, drill=drill):
        if by in placed:
            placed[by].append(one)
    found: dict[str, Joint] = {}
    for name, signals in placed.items():
        rule = bindings.rule_of_id(name)
        if rule is not None:
            found |= _join_one(transaction, append, bindings, rule, signals, {one.key for one in new[name]})
    return found


def _join_one(
    transaction: Transaction,
    append: Append,
    bindings: Bindings,
    rule: Rule,
    signals: Sequence[Placed],
    new: set[str],
) -> dict[str, Joint]:
    incidents: dict[str, dict[str, None]] = defaultdict(dict)
    for one in signals:
        if one.incident:
            incidents[one.key][one.incident] = None
    found: dict[str, Joint] = {}
    for keys in together(signals, rule, bindings.book.needs):
        if not keys & new:
            continue
        held = {incident for key in keys for incident in incidents.get(key, ())}
        if not held and len(keys) == 1:
            continue
        survivor = _merged(transaction, append, rule, [find_incident(transaction, one) for one in held])
        first = first_of(keys, signals, bindings.book.needs)
        for key in keys & new:
            own = next((one for one in incidents.get(key, ()) if one in survivor.apart), "")
            found[key] = Joint(own or survivor.incident, first)
    return found


@dataclass(frozen=True, slots=True)
class _Survivor:
    incident: str
    apart: frozenset[str]  # what somebody works on, and stays an incident of its own


def _merged(transaction: Transaction, append: Append, rule: Rule, held: Sequence[Incident]) -> _Survivor:
    """Merge what nobody touched into one: the first that somebody works on, else the first that opened."""
    if not held:
        return _Survivor("", frozenset())
    touched = sorted((one for one in held if is_touched(transaction, one)), key=lambda one: one.number)
    stays = touched[0] if touched else min(held, key=lambda one: one.number)
    for gone in sorted(held, key=lambda one: one.number):
        if gone.id != stays.id and gone not in touched:
            reason = f"same topology, by rule {rule.id}"
            for kind, incident, data in merge_events(gone, find_incident(transaction, stays.id), reason):
                append(kind, incident, data)
    return _Survivor(stays.id, frozenset(one.id for one in touched))


def on_open(reads: Reads, bindings: Bindings, topology: Topology, *, drill: bool) -> list[tuple[Placed, str]]:
    """The signals of open incidents whose rule groups by topology, each with the rule's id."""
    found = []
    for text, starts_at, incident, workload, nodes, about in reads.query(_ON_OPEN, (drill,)):
        labels = json.loads(text)
        bound = bindings.bound(labels)
        if not bound.rule.is_by_topology:
            continue
        place = place_of(labels, topology)
        if workload is not None:  # as it was when the signal came, and as it is now
            place = Place(
                workload or place.workload, place.nodes | set(json.loads(nodes)), about or place.about
            )
        found.append((Placed(bound.key, place, from_rfc3339(starts_at), incident), bound.rule.id))
    return found
