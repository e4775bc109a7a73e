"""The incident clock: how long each phase took, against its budget.

Invariant: computed from stored instants and the instant it is asked at, so a replay gives the same
answer. T0 is the earliest start of a signal; the budget of an incident counts from T0, not from when
somebody looked. Where nobody told a start that is believed, a phase from T0 is never met: it is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from maestro_cli.core.clock import Clock, seconds_between
from maestro_cli.incidents.model import OPEN_STATES, OVER_STATES, Incident, State, Times
from maestro_cli.incidents.register import list_incidents
from maestro_cli.journal.store import Journal, Transaction


@dataclass(frozen=True, slots=True)
class Budgets:
    """How long each phase may take, in seconds."""

    detect_seconds: float = 300.0
    triage_seconds: float = 600.0
    resolve_seconds: float = 1800.0
    postmortem_seconds: float = 48 * 3600.0


class Phase(StrEnum):
    DETECT = "detect"  # T1 - T0
    ACK = "ack"  # T2 - T1, no budget
    TRIAGE = "triage"  # T3 - T1
    MITIGATE = "mitigate"  # T4 - T0, no budget
    RESOLVE = "resolve"  # T5 - T0
    POSTMORTEM = "postmortem"  # T6 - T5


class Standing(StrEnum):
    MET = "met"
    BREACHED = "breached"
    RUNNING = "running"
    NOT_REACHED = "not reached"
    DONE = "done"  # ended, and it has no budget
    MISSED = "skipped"  # it can no longer happen
    UNKNOWN = "unknown"  # ended, and nobody knows when it began


@dataclass(frozen=True, slots=True)
class PhaseReading:
    """One phase. `seconds` counts so far while it runs, None when it has not begun, was skipped or is
    unknown; of a phase that began at an unknown time and runs or is breached, it is the least;
    `since_open_seconds` is the same end measured from T1."""

    phase: Phase
    standing: Standing
    seconds: float | None
    budget_seconds: float | None
    since_open_seconds: float | None

    @property
    def left_seconds(self) -> float | None:
        """What is left of the budget; negative once breached."""
        if self.budget_seconds is None or self.seconds is None:
            return None
        return self.budget_seconds - self.seconds


def read_clock(incident: Incident, now: datetime, budgets: Budgets = Budgets()) -> tuple[PhaseReading, ...]:
    """Every phase in order."""
    times = incident.times
    over = incident.state in OVER_STATES
    ended = over or times.resolved_at is not None

    def reading(
        phase: Phase, start: datetime | None, end: datetime | None, budget: float | None, dead: bool
    ) -> PhaseReading:
        if start is None:
            return PhaseReading(phase, Standing.NOT_REACHED, None, budget, None)
        if end is None and dead:
            return PhaseReading(phase, Standing.MISSED, None, budget, None)
        until = end if end is not None else max(now, start)
        seconds = max(seconds_between(start, until), 0.0)
        if budget is None:
            standing = Standing.DONE if end is not None else Standing.RUNNING
        elif seconds > budget:
            standing = Standing.BREACHED
        else:
            standing = Standing.MET if end is not None else Standing.RUNNING
        return PhaseReading(phase, standing, seconds, budget, seconds_between(times.opened_at, until))

    readings = (
        reading(Phase.DETECT, times.started_at, times.opened_at, budgets.detect_seconds, False),
        reading(Phase.ACK, times.opened_at, times.acked_at, None, ended),
        reading(Phase.TRIAGE, times.opened_at, times.triaged_at, budgets.triage_seconds, ended),
        reading(Phase.MITIGATE, times.started_at, times.mitigated_at, None, ended),
        reading(Phase.RESOLVE, times.started_at, times.resolved_at, budgets.resolve_seconds, over),
        reading(Phase.POSTMORTEM, times.resolved_at, times.published_at, budgets.postmortem_seconds, over),
    )
    return readings if times.start_known else tuple(map(_without_start, readings))


def _without_start(reading: PhaseReading) -> PhaseReading:
    """A phase of an incident whose T0 is not known: what ran over ran over, the rest is unknown."""
    from_start = reading.phase in (Phase.DETECT, Phase.MITIGATE, Phase.RESOLVE)
    if not from_start or reading.standing not in (Standing.MET, Standing.DONE):
        return reading
    return replace(reading, standing=Standing.UNKNOWN, seconds=None)


def breached(incident: Incident, now: datetime, budgets: Budgets = Budgets()) -> tuple[PhaseReading, ...]:
    """The phases that took, or are taking, longer than their budget."""
    return tuple(item for item in read_clock(incident, now, budgets) if item.standing is Standing.BREACHED)


def breach_instant(reading: PhaseReading, times: Times) -> datetime | None:
    """When the budget of a phase ran out, from stored instants alone."""
    if reading.budget_seconds is None:
        return None
    start = {
        Phase.DETECT: times.started_at,
        Phase.TRIAGE: times.opened_at,
        Phase.RESOLVE: times.started_at,
        Phase.POSTMORTEM: times.resolved_at,
    }.get(reading.phase)
    return None if start is None else start + timedelta(seconds=reading.budget_seconds)


WATCHED_STATES: Sequence[State] = (*OPEN_STATES, State.RESOLVED)


def record_breaches(
    journal: Journal, clock: Clock, actor: str, budgets: Budgets = Budgets()
) -> tuple[tuple[str, Phase], ...]:
    """Append `incident.breached` once for each incident and phase; returns the new ones.

    Writes nothing, and takes no write lock, when there is nothing new.
    """
    now = clock.now()
    due = [
        (incident, item)
        for incident in list_incidents(journal, states=WATCHED_STATES)
        for item in breached(incident, now, budgets)
    ]
    known = {(row[0], row[1]) for row in journal.query("SELECT incident, phase FROM incident_breaches")}
    if all((incident.id, item.phase.value) in known for incident, item in due):
        return ()
    with journal.transaction() as transaction:
        return tuple(
            (incident.id, phase)
            for incident in {incident.id: incident for incident, _ in due}.values()
            for phase in append_breaches(transaction, incident, now, actor, budgets)
        )


def append_breaches(
    transaction: Transaction, incident: Incident, now: datetime, actor: str, budgets: Budgets = Budgets()
) -> tuple[Phase, ...]:
    """The same for one incident, whatever its state; what is recorded is when each budget ran out."""
    rows = transaction.query("SELECT phase FROM incident_breaches WHERE incident = ?", (incident.id,))
    known = {row[0] for row in rows}
    fresh = [item for item in breached(incident, now, budgets) if item.phase.value not in known]
    for item in fresh:
        data = {
            "incident": incident.id,
            "phase": item.phase,
            "budget_seconds": item.budget_seconds,
            "at": breach_instant(item, incident.times),
        }
        transaction.append("incident.breached", incident.subject, actor, data)
    return tuple(item.phase for item in fresh)
