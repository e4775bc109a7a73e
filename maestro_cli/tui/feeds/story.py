"""One incident whole, as its screen shows it and as the recorder keeps it.

Invariant: data, of types that can be made again of what was kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from maestro_cli.changes.model import Change
from maestro_cli.core.errors import UsageError
from maestro_cli.core.refs import WorkloadRef, parse_object_ref
from maestro_cli.incidents.details import Details
from maestro_cli.incidents.model import Incident
from maestro_cli.incidents.people.model import StatusUpdate, Task
from maestro_cli.incidents.timeline import Entry
from maestro_cli.output.tones import OPEN_RUNS
from maestro_cli.runbooks.model import RunRecord
from maestro_cli.runbooks.playbooks.explanation import PlannedRun


@dataclass(frozen=True, slots=True)
class BookStep:
    """A step of a runbook, as a list shows it."""

    path: str
    kind: str
    mutates: bool
    title: str


@dataclass(frozen=True, slots=True)
class IncidentStory:
    """`bound` is what its `playbook` (an id) would run, with values, also once its signals have cleared;
    `steps` are those of that runbook; `hold` says why it cannot be resolved yet, and is empty when it can;
    `missing` says what could not be read. All of it can be kept by the recorder."""

    details: Details
    timeline: tuple[Entry, ...]
    runs: tuple[RunRecord, ...]
    playbook: str
    bound: PlannedRun | None
    steps: tuple[BookStep, ...]
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
    def open_run(self) -> RunRecord | None:
        """The newest run for it that has not ended."""
        return next((run for run in self.runs if run.status.value in OPEN_RUNS), None)

    @property
    def printing(self) -> str:
        """Whose logs are the evidence: the first suspect's, else those of what it is about; "" for none."""
        suspect = self.top_suspect
        named = str(suspect["subject"]).partition(" revision ")[0] if suspect is not None else ""
        return named if _prints(named) else str(self.incident.workload or "")

    @property
    def top_suspect(self) -> dict[str, Any] | None:
        suspects = (self.details.triage or {}).get("suspects", ())
        return dict(suspects[0]) if suspects else None


def _prints(text: str) -> bool:
    """Whether that names a pod or a workload, with its namespace."""
    if text.count("/") != 2:
        return False
    try:
        ref = parse_object_ref(text)
    except UsageError:
        return False
    return ref.kind == "Pod" or isinstance(ref, WorkloadRef)
