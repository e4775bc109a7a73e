"""What a post-mortem is written from.

Invariant: frozen; read from the journal once, so every section speaks of the same moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maestro_cli.core.clock import from_rfc3339
from maestro_cli.cost.spans.incident import IncidentCost
from maestro_cli.incidents.clock import PhaseReading
from maestro_cli.incidents.model import Incident, Signal
from maestro_cli.incidents.people.model import Task, Turn
from maestro_cli.incidents.report.surroundings import Surroundings, last_failure, latest_surroundings
from maestro_cli.incidents.timeline import Entry
from maestro_cli.journal.model import Head


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant that a plot is marked with."""

    at: datetime
    label: str


@dataclass(frozen=True, slots=True)
class Story:
    """Everything a post-mortem is written from."""

    incident: Incident
    signals: tuple[Signal, ...]
    entries: tuple[Entry, ...]
    clock: tuple[PhaseReading, ...]
    cost: IncidentCost
    impact: Mapping[str, Any] | None
    head: Head
    made_at: datetime
    tasks: tuple[Task, ...] = ()
    turns: tuple[Turn, ...] = ()

    def of_kind(self, *kinds: str) -> tuple[Entry, ...]:
        """Entries of these kinds; one that ends in `.` is a prefix."""
        return tuple(
            entry
            for entry in self.entries
            if any(
                entry.kind == kind or (kind.endswith(".") and entry.kind.startswith(kind)) for kind in kinds
            )
        )

    @property
    def surroundings(self) -> Surroundings | None:
        """The metrics around it, None when none were read."""
        return latest_surroundings(self.entries)

    @property
    def why_no_surroundings(self) -> str:
        return last_failure(self.entries) or "nobody asked for them"

    @property
    def moments(self) -> tuple[Moment, ...]:
        """Releases, changes and the turns of the incident, in order; the text is untrusted."""
        times = self.incident.times
        named = (
            (times.started_at, "first signal"),
            (times.opened_at, "opened"),
            (times.mitigated_at, "mitigated"),
            (times.resolved_at, "resolved"),
        )
        found = [Moment(at, label) for at, label in named if at is not None]
        found += [Moment(entry.at, "change applied") for entry in self.of_kind("change.applied")]
        found += self._releases()
        return tuple(sorted(set(found), key=lambda moment: (moment.at, moment.label)))

    def _releases(self) -> list[Moment]:
        """Releases of the workload, as the newest evidence of them says."""
        for entry in reversed(self.of_kind("incident.evidence")):
            if entry.data["kind"] == "rollouts" and entry.data["ok"]:
                recent = entry.data["facts"].get("recent") or ()
                return [
                    Moment(from_rfc3339(one["active_at"]), f"release {one['subject']}")
                    for one in recent
                    if one.get("own")
                ]
        return []


def latest_impact(entries: Sequence[Entry]) -> Mapping[str, Any] | None:
    """The newest measured figures: the impact at the end, else what triage counted so far."""
    for kind in ("impact", "budget"):
        for entry in reversed(entries):
            if entry.kind == "incident.evidence" and entry.data["kind"] == kind and entry.data["ok"]:
                facts: Mapping[str, Any] = {**entry.data["facts"], "measured": kind}
                return facts
    return None
