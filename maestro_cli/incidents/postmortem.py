"""The post-mortem: what the journal says, and where people have to write.

Invariant: rendered from the journal alone, so the same journal gives the same text but for the time it
was made; a file is replaced whole or not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from maestro_cli.config.settings import Responders
from maestro_cli.core.clock import Clock, seconds_between
from maestro_cli.core.errors import ActionFailed
from maestro_cli.core.files import write_atomically
from maestro_cli.cost.incident_cost import IncidentCost, incident_cost
from maestro_cli.incidents.clock import Budgets, read_clock
from maestro_cli.incidents.model import Incident
from maestro_cli.incidents.postmortem_text import document
from maestro_cli.incidents.register import find_incident, signals_of
from maestro_cli.incidents.story import Story, latest_impact, sections_to_fill
from maestro_cli.incidents.timeline import Entry, timeline
from maestro_cli.journal.store import Journal

_PEOPLE = frozenset(
    f"incident.{verb}"
    for verb in ("acked", "note", "triaged", "mitigated", "resolved", "severity_set", "dismissed", "closed")
)


@dataclass(frozen=True, slots=True)
class PostMortemFile:
    """What was written; `to_fill` counts the places that wait for a person."""

    path: Path
    sha256: str
    to_fill: int


class PostMortem:
    """Renders and writes post-mortems from one journal."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        *,
        costs: Responders | None = None,
        budgets: Budgets = Budgets(),
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._costs = costs or Responders()
        self._budgets = budgets

    def story(self, incident_ref: str) -> Story:
        """Read the incident's story; raises NotFound."""
        incident = find_incident(self._journal, incident_ref)
        now = self._clock.now()
        entries = timeline(self._journal, incident.id)
        impact = latest_impact(entries)
        return Story(
            incident=incident,
            signals=signals_of(self._journal, incident.id),
            entries=entries,
            clock=read_clock(incident, now, self._budgets),
            cost=self._cost(incident, entries, impact, now),
            impact=impact,
            head=self._journal.head(),
            made_at=now,
        )

    def _cost(
        self, incident: Incident, entries: Sequence[Entry], impact: Mapping[str, Any] | None, now: datetime
    ) -> IncidentCost:
        times = incident.times
        end = times.resolved_at or now
        people = {entry.actor for entry in entries if entry.kind in _PEOPLE}
        return incident_cost(
            self._costs,
            responders=len(people) or None,
            response_seconds=seconds_between(times.acked_at or times.opened_at, end),
            errors_served=impact.get("errors") if impact is not None else None,
            replicas=_replicas(entries),
            incident_seconds=seconds_between(times.started_at, end),
        )

    def render(self, incident_ref: str) -> str:
        """The post-mortem as Markdown; raises NotFound."""
        return document(self.story(incident_ref))

    def write(self, incident_ref: str, path: Path) -> PostMortemFile:
        """Render to a file, whole or not at all; raises NotFound, ActionFailed."""
        text = self.render(incident_ref)
        data = text.encode("utf-8", "replace")
        try:
            write_atomically(path, data, durable=True)
        except OSError as error:
            raise ActionFailed(
                f"the post-mortem could not be written to {path}",
                why=error.strerror or type(error).__name__,
                fix="choose another place",
            ) from error
        return PostMortemFile(path, hashlib.sha256(data).hexdigest(), sections_to_fill(text))


def _replicas(entries: Sequence[Entry]) -> int | None:
    for entry in reversed(entries):
        if entry.kind == "incident.evidence" and entry.data["kind"] == "pods" and entry.data["ok"]:
            total = entry.data["facts"].get("total")
            return total if isinstance(total, int) else None
    return None
