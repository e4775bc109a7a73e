"""One incident whole, as its screen shows it.

Invariant: read from the journal and from files alone, so that it is whole while no backend answers; what of
it could not be read says why, and takes nothing else with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from maestro_cli.core.errors import MaestroError
from maestro_cli.tui.feeds.journal import journal_feed

if TYPE_CHECKING:
    from maestro_cli.changes.model import Change
    from maestro_cli.incidents.details import Details
    from maestro_cli.incidents.model import Incident
    from maestro_cli.incidents.people.model import StatusUpdate, Task
    from maestro_cli.incidents.timeline import Entry
    from maestro_cli.runbooks.model import Runbook, RunRecord
    from maestro_cli.runbooks.playbooks.explanation import Explanation, PlannedRun
    from maestro_cli.services.root import Services

T = TypeVar("T")
OLDEST_SECONDS = 15.0  # a run whose process died is told within it
MOST_CHANGES = 20
OPEN_RUNS = ("running", "waiting", "interrupted", "paused", "cancelled", "unknown")


@dataclass(frozen=True, slots=True)
class IncidentStory:
    """`bound` is what its playbook would run, with values, also once its signals have cleared; `book` the
    runbook of that; `hold` says why it cannot be resolved yet, and is empty when it can; `missing` says what
    could not be read."""

    details: Details
    timeline: tuple[Entry, ...]
    runs: tuple[RunRecord, ...]
    explanation: Explanation | None
    book: Runbook | None
    tasks: tuple[Task, ...]
    updates: tuple[StatusUpdate, ...]
    changes: tuple[Change, ...]
    hold: str
    missing: tuple[str, ...]

    @property
    def incident(self) -> Incident:
        return self.details.incident

    @property
    def seq(self) -> int:
        return self.incident.seq

    @property
    def severity(self) -> str:
        return self.incident.severity.value

    @property
    def bound(self) -> PlannedRun | None:
        runs = self.explanation.runs if self.explanation is not None else ()
        return runs[0] if runs else None

    @property
    def open_run(self) -> RunRecord | None:
        """The newest run for it that has not ended."""
        return next((run for run in self.runs if run.status.value in OPEN_RUNS), None)

    @property
    def top_suspect(self) -> dict[str, Any] | None:
        suspects = (self.details.triage or {}).get("suspects", ())
        return dict(suspects[0]) if suspects else None


def read_story(services: Services, ref: str) -> IncidentStory:
    """Raises NotFound where there is no such incident."""
    details = services.incident_details(ref.removeprefix("#"))
    incident, missing = details.incident, []

    def tried(what: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except MaestroError as error:
            missing.append(f"{what}: {error.what}")
            return None

    number, timeline = str(incident.number), services.desk.timeline(incident.id)
    explanation = None
    if details.signals:
        recorded = _recorded_playbook(timeline)
        explanation = tried("playbook", lambda: services.explain_bound(number, recorded))
    bound = explanation.runs[0].runbook if explanation is not None and explanation.runs else ""
    history = services.run_history
    return IncidentStory(
        details=details,
        timeline=timeline,
        runs=tuple(history.get(run.id) for run in history.list(incident=incident.id)),
        explanation=explanation,
        book=tried("runbook", lambda: services.runbooks.get(bound)) if bound else None,
        tasks=services.tasks(number, ended=True),
        updates=services.updates(number),
        changes=_changes_of(services, incident),
        hold=hold_of(services, incident),
        missing=tuple(missing),
    )


def _recorded_playbook(timeline: tuple[Entry, ...]) -> str:
    """The playbook that the record of the incident names last; "" where it names none."""
    named = (str(entry.data.get("playbook", "")) for entry in reversed(timeline))
    return next(filter(None, named), "")


def _changes_of(services: Services, incident: Incident) -> tuple[Change, ...]:
    """What was changed of its workload, or in its namespace, the newest first."""
    place = incident.workload or incident.namespace
    if place is None:
        return ()
    found = services.list_changes(500)
    if incident.workload is not None:
        return tuple(one for one in found if str(one.ref) == str(incident.workload))[:MOST_CHANGES]
    return tuple(one for one in found if one.ref.namespace == incident.namespace)[:MOST_CHANGES]


def hold_of(services: Services, incident: Incident) -> str:
    """Why the rules of the desk would not let it be resolved now."""
    if not incident.state.is_open:
        return f"it is {incident.state.value}"
    if incident.firing:
        return f"{incident.firing} of {incident.signals} signals still fire"
    if not services.desk.has_settled(incident):
        return f"its signals must be clear for {services.settle_seconds:g} s"
    return ""


STORY = journal_feed("incident", read_story, oldest_seconds=OLDEST_SECONDS)
