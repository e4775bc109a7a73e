"""What the next shift has to know of what is open.

Invariant: read only, from the journal; what is late is said to be, and what waits says how to go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from maestro_cli.changes.history import waiting_changes
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.errors import InvalidFile
from maestro_cli.incidents.model import OPEN_STATES, Incident
from maestro_cli.incidents.people.escalation import running
from maestro_cli.incidents.people.model import Standing, StatusUpdate, Task
from maestro_cli.incidents.people.reading import last_update, list_tasks, standings
from maestro_cli.incidents.people.roster import OnCallNow
from maestro_cli.incidents.register import find_incident, list_incidents
from maestro_cli.incidents.timeline import describe
from maestro_cli.journal.store import Journal
from maestro_cli.runbooks.history import RunHistory
from maestro_cli.runbooks.model import RunRecord, RunStatus

_MITIGATES = ("incident.mitigated", "incident.response_begun", "incident.handed_over")
_MAX_RUNS = 200


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that does not go on by itself, and the command that has it go on."""

    what: str
    fix: str


@dataclass(frozen=True, slots=True)
class HandedIncident:
    """One incident; `mitigation` is what was last done or is under way, in words, and since when."""

    incident: Incident
    people: Standing
    update: StatusUpdate | None
    mitigation: str
    mitigation_at: datetime | None
    waiting: tuple[Waiting, ...]
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Handover:
    """`tasks` are the open ones of incidents that are not in it; `on_call`: none without an on-call file."""

    at: datetime
    incidents: tuple[HandedIncident, ...]
    tasks: tuple[Task, ...]
    on_call: tuple[OnCallNow, ...]


def hand_over(journal: Journal, ref: str, now: datetime, on_call: tuple[OnCallNow, ...] = ()) -> Handover:
    """Of one incident, whatever its state, or of all that are open for `all`. Raises NotFound, UsageError."""
    if ref == "all":
        incidents = list_incidents(journal, states=OPEN_STATES)
    else:
        incidents = (find_incident(journal, ref),)
    people = standings(journal, incidents, now)
    waits = _waiting_changes(journal)
    handed = tuple(
        _handed(journal, one, people[one.id], tuple(waits.get(one.id, ())))
        for one in sorted(incidents, key=lambda one: (one.severity, one.number))
    )
    shown = {one.id for one in incidents}
    others = tuple(task for task in list_tasks(journal) if task.incident not in shown)
    return Handover(now, handed, others, on_call)


def _handed(
    journal: Journal, incident: Incident, people: Standing, changes: tuple[Waiting, ...]
) -> HandedIncident:
    runs = RunHistory(journal).list(incident=incident.id, limit=_MAX_RUNS)
    words, at = _mitigation(journal, incident, runs)
    return HandedIncident(
        incident=incident,
        people=people,
        update=last_update(journal, incident.id),
        mitigation=words,
        mitigation_at=at,
        waiting=(*_unacknowledged(journal, incident), *_waiting_runs(runs), *changes),
        tasks=list_tasks(journal, incident.id),
    )


def _mitigation(journal: Journal, incident: Incident, runs: list[RunRecord]) -> tuple[str, datetime | None]:
    under_way = next((run for run in runs if run.status is RunStatus.RUNNING), None)
    if under_way is not None:
        text = f"run {under_way.id} of {under_way.runbook} is under way"
        return text, from_rfc3339(under_way.started_at)
    events = journal.events(subject=incident.subject, kinds=_MITIGATES)
    if not events:
        return "", None
    return describe(events[-1].kind, events[-1].data), from_rfc3339(events[-1].time)


def _unacknowledged(journal: Journal, incident: Incident) -> Iterator[Waiting]:
    if not incident.state.is_open:
        return
    try:
        escalation = running(journal, incident.id)
    except InvalidFile:  # of another version; the watcher says so
        escalation = None
    following = escalation.next() if escalation is not None else None
    if incident.times.acked_at is None or following is not None:
        whom = ", ".join(map(str, following.step.tell)) if following is not None else ""
        told = f"; {whom} is told at {following.due_at:%H:%M:%SZ}" if following is not None else ""
        yield Waiting(f"nobody has acknowledged it{told}", f"maestro incident ack {incident.number}")


def _waiting_runs(runs: list[RunRecord]) -> Iterator[Waiting]:
    for run in runs:
        if run.status is RunStatus.WAITING:
            steps = ", ".join(run.waiting or (run.waiting_for,))
            text = f"run {run.id} of {run.runbook} waits for an answer at {steps}"
            yield Waiting(f"{text}: {run.reason}" if run.reason else text, f"maestro runbook resume {run.id}")
        elif run.status in (RunStatus.PAUSED, RunStatus.INTERRUPTED, RunStatus.UNKNOWN):
            text = f"run {run.id} of {run.runbook} is {run.status.value}"
            yield Waiting(f"{text}: {run.reason}" if run.reason else text, f"maestro runbook resume {run.id}")


def _waiting_changes(journal: Journal) -> Mapping[str, list[Waiting]]:
    """Changes that wait for a second person, by the incident they belong to."""
    found: dict[str, list[Waiting]] = {}
    for change in waiting_changes(journal):
        rows = journal.query(
            "SELECT incident FROM incident_threads WHERE subject = ?", (f"change/{change.id}",)
        )
        for row in rows:
            text = f"change {change.id} waits for a second person: {change.plan.summary}"
            found.setdefault(row["incident"], []).append(Waiting(text, f"maestro approve {change.id}"))
    return found
