"""What a signal would come to by the rules, and why not by the others.

Invariant: it asks what the detector asks and writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from maestro_cli.core.clock import seconds_between
from maestro_cli.core.facts.alerts import Alert, fingerprint_of
from maestro_cli.core.quantities import counted, format_duration
from maestro_cli.incidents.intake.bindings import Bindings
from maestro_cli.incidents.intake.correlation import ignored_because, severity_of
from maestro_cli.incidents.intake.damping import Damping, Flapping
from maestro_cli.incidents.intake.joining import on_open
from maestro_cli.incidents.intake.routing import REOPENABLE
from maestro_cli.incidents.intake.rules.model import Rule
from maestro_cli.incidents.intake.storms import Beginning, begun, in_storms
from maestro_cli.incidents.intake.topology import Placed, Topology, place_of, together
from maestro_cli.incidents.model import Incident, Severity
from maestro_cli.incidents.register import (
    Reads,
    find_incident,
    known_signals,
    latest_incident_of_key,
    open_incident_of_key,
)


@dataclass(frozen=True, slots=True)
class RuleExplanation:
    """The answer for one signal: `would` is what it does now, in words; `incident` the one it concerns.

    `severity` is None for a word that never opens an incident; `is_word_known`: the table has the word.
    `flapping` tells that it flaps on the incident that it is on.
    """

    labels: Mapping[str, str]
    severity: Severity | None
    is_word_known: bool
    rule: Rule
    why: str
    others: tuple[tuple[str, str], ...]
    key: str
    would: str
    incident: Incident | None
    flapping: Flapping | None = None


def explain_signal(
    bindings: Bindings, reads: Reads, labels: Mapping[str, str], now: datetime, fingerprint: str = ""
) -> RuleExplanation:
    """What a signal with these labels would do if it fired now; `fingerprint` is of one that came."""
    bound = bindings.bound(labels)
    rule, policy = bound.rule, bindings.book.policy
    known = known_signals(reads, [fingerprint]).get(fingerprint) if fingerprint else None
    flapping = Damping(reads, bindings, now).of(known.incident, known.fingerprint) if known else None
    incident, would = _would(bindings, reads, labels, now)
    if flapping is not None:
        would = "neither resolves nor reopens: it flaps"
    why = "no matcher: it takes every signal" if not rule.matchers else ", ".join(map(str, rule.matchers))
    others = [(one.id, why_not) for one, why_not in bindings.book.why_not(labels) if one is not rule]
    if rule not in bindings.book.rules and bound.playbook is not None:
        why = "the correlation of a playbook comes before every rule"
        first = bindings.book.match(labels)
        others.insert(0, (first.id, f"it matches too; {rule.id} comes first"))
    word = labels.get("severity", "").strip().lower()
    return RuleExplanation(
        labels, severity_of(labels, policy), word in policy.severities, rule, why, tuple(others), bound.key,
        would, incident, flapping,
    )  # fmt: skip


def _joined(bindings: Bindings, reads: Reads, labels: Mapping[str, str], now: datetime) -> Incident | None:
    """The open incident that it is of by where it is; what runs where is what labels and the journal say."""
    rule, key = bindings.bound(labels).rule, bindings.key(labels)
    if not rule.is_by_topology:
        return None
    own = Placed(key, place_of(labels, Topology()), now)
    known = [one for one, by in on_open(reads, bindings, Topology(), drill=False) if by == rule.id]
    groups = together([*known, own], rule, bindings.book.needs)
    group = next(keys for keys in groups if key in keys)
    held = [one.incident for one in known if one.key in group]
    return min((find_incident(reads, one) for one in held), key=lambda one: one.number, default=None)


def _storm(
    bindings: Bindings, reads: Reads, labels: Mapping[str, str], now: datetime
) -> tuple[Incident | None, str] | None:
    """What it would do in a storm, None where there is none."""
    rule = bindings.book.storm
    if rule is None:
        return None
    one = Beginning("", bindings.key(labels), rule.key(labels), now)
    earlier = begun(reads, bindings, rule, now, now, drill=False)
    if one.fingerprint not in in_storms([*earlier, one], rule):
        return None
    found = open_incident_of_key(reads, one.storm)
    if found is None:
        return None, f"opens a storm: over {rule.threshold} incidents began at once"
    return found, f"joins incident #{found.number}, a storm"


def _would(
    bindings: Bindings, reads: Reads, labels: Mapping[str, str], now: datetime
) -> tuple[Incident | None, str]:
    rule, key = bindings.bound(labels).rule, bindings.key(labels)
    alert = Alert(fingerprint_of(labels), True, labels, {}, now)
    reason = ignored_because(alert, bindings.book.policy)
    if reason is not None:
        return None, f"opens nothing: {reason}"
    found = open_incident_of_key(reads, key)
    if found is not None:
        return found, f"joins incident #{found.number}, which is open"
    joined = _joined(bindings, reads, labels, now)
    if joined is not None:
        return joined, f"joins incident #{joined.number} by where it is"
    storm = _storm(bindings, reads, labels, now)
    if storm is not None:
        return storm
    last = latest_incident_of_key(reads, key)
    if last is not None and last.state in REOPENABLE and last.times.resolved_at is not None:
        ago = seconds_between(last.times.resolved_at, now)
        if ago <= rule.reopen_window_seconds:
            return last, f"reopens incident #{last.number}, resolved {format_duration(ago)} ago"
    window = format_duration(rule.window_seconds)
    would = "opens an incident" if rule.threshold == 1 else (
        f"opens an incident once {counted(rule.threshold, 'signal')} fire that began within {window}"
    )  # fmt: skip
    return last, f"{would}, linked to incident #{last.number}" if last is not None else would
