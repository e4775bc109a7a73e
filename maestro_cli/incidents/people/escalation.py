"""Who is told next of an incident that nobody acknowledges.

Invariant: the policy is that of the moment at which the escalation began, whatever becomes of its file. A
step is due by stored instants alone, and is raised in one transaction with its messages: once.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from maestro_cli.core.clock import from_rfc3339, to_rfc3339
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.quantities import format_duration
from maestro_cli.incidents.model import OPEN_STATES, Incident
from maestro_cli.incidents.people.oncall import OnCall, Policy, Step
from maestro_cli.incidents.people.oncall_file import recalled
from maestro_cli.incidents.register import Reads, find_incident
from maestro_cli.incidents.response.occasions import is_quiet
from maestro_cli.journal.messages import Message
from maestro_cli.runbooks.steps.notify import lasting, spelled

# An incident that was left alone for longer begins no escalation: a first on-call file pages nobody for it.
BEGIN_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Running:
    """One escalation of an incident that is open and not acknowledged, and which of its steps were raised."""

    incident: Incident
    since: datetime
    oncall: OnCall
    raised: Mapping[tuple[int, int], int]  # round and step → how many were told

    @property
    def policy(self) -> Policy:
        return self.oncall.policies[0]

    def next(self) -> Raise | None:
        """The next step; one that reached nobody is followed at once by the next of its round.

        None when all were raised.
        """
        at_once = False
        for round_number, number, after, step in self.policy.moments():
            told = self.raised.get((round_number, number))
            if told is None:
                return Raise(round_number, number, step, self.since + after, at_once and number > 1)
            at_once = told == 0
        return None


@dataclass(frozen=True, slots=True)
class Raise:
    """A step of a round, and when it is due."""

    round: int
    number: int
    step: Step
    due_at: datetime
    at_once: bool

    def is_due(self, now: datetime) -> bool:
        return self.at_once or now >= self.due_at


@dataclass(frozen=True, slots=True)
class Told:
    """One channel of a step; `via` is the schedule by which the person was found, if one."""

    who: str
    channel: str
    via: str = ""


def to_begin(reads: Reads, now: datetime) -> tuple[Incident, ...]:
    """Open incidents that nobody acknowledged and that have no escalation; drills and quiet ones excluded."""
    rows = reads.query(
        "SELECT c.incident FROM escalation_clocks c LEFT JOIN escalations e ON e.incident = c.incident"
        " JOIN incidents i ON i.id = c.incident"
        " WHERE e.incident IS NULL AND c.acked_by = '' AND c.since > ? AND i.drill = 0"
        f" AND i.state IN ({_OPEN})",
        (to_rfc3339(now - BEGIN_WITHIN),),
    )
    found = (find_incident(reads, row["incident"]) for row in rows)
    return tuple(one for one in found if not is_quiet(one))


def running(reads: Reads, incident_id: str) -> Running | None:
    """The escalation of an incident while it may still tell somebody, else None."""
    rows = reads.query(f"{_RUNNING} AND e.incident = ?", (incident_id,))
    return _running(reads, rows[0]) if rows else None


def due(reads: Reads, now: datetime) -> tuple[str, ...]:
    """The ids of incidents of which a step is due, or the last one was raised."""
    found = []
    for row in reads.query(_RUNNING):
        try:
            one = _running(reads, row)
        except InvalidFile:  # whoever raises its step says what is wrong, and hides no other
            found.append(str(row["incident"]))
            continue
        following = one.next() if one is not None else None
        if one is not None and (following is None or following.is_due(now)):
            found.append(one.incident.id)
    return tuple(found)


_OPEN = ",".join(f"'{state.value}'" for state in OPEN_STATES)
_RUNNING = (
    "SELECT e.incident, e.data, c.since FROM escalations e"
    " JOIN escalation_clocks c ON c.incident = e.incident JOIN incidents i ON i.id = e.incident"
    f" WHERE c.acked_by = '' AND e.exhausted = 0 AND i.state IN ({_OPEN})"
)


def _running(reads: Reads, row: sqlite3.Row) -> Running | None:
    incident = find_incident(reads, row["incident"])
    if is_quiet(incident):
        return None
    steps = reads.query(
        "SELECT round, step, told FROM escalation_steps WHERE incident = ? AND since = ?",
        (row["incident"], row["since"]),
    )
    raised = {(one["round"], one["step"]): one["told"] for one in steps}
    return Running(incident, from_rfc3339(row["since"]), _recalled(row["data"]), raised)


@lru_cache(maxsize=64)  # the escalations of many incidents began with the same file
def _recalled(text: str) -> OnCall:
    return recalled(json.loads(text), "the policy of an escalation")


def message_of(escalation: Running, step: Raise, told: Told, number: int, now: datetime) -> Message:
    """What one channel is told; its key is the same whoever raises the step."""
    incident = escalation.incident
    waited = format_duration((now - escalation.since).total_seconds())
    words = (
        f"{incident.severity.value} incident #{incident.number} is not acknowledged for {waited}:"
        f" {incident.title}. To acknowledge: maestro incident ack {incident.number}"
    )
    content: dict[str, Any] = {
        "text": spelled("text", words),
        "moment": "escalated",
        "incident": incident.id,
        "severity": incident.severity.value,
        "policy": escalation.policy.name,
        "round": step.round,
        "step": step.number,
        "who": told.who,
    }
    since = to_rfc3339(escalation.since)
    key = f"escalation/{incident.id}/{since}/{step.round}/{step.number}/{number}"
    return Message(key=key, channel=lasting(told.channel), content=content, incident=incident.id)
