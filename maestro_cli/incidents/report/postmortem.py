"""The post-mortem: what the journal says, and where people have to write.

Invariant: rendered from the journal alone, so the same journal gives the same text but for the time it
was made; a file is replaced whole or not at all, and never one that somebody has edited: the digest of
each text is in the journal before the text is in its file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from maestro_cli.config.settings import Responders
from maestro_cli.core.clock import Clock, seconds_between
from maestro_cli.core.errors import ActionFailed, GateNotMet
from maestro_cli.core.files import unusable, write_atomically
from maestro_cli.cost.incident_cost import IncidentCost, incident_cost
from maestro_cli.incidents.clock import Budgets, read_clock
from maestro_cli.incidents.intake.correlation import capped
from maestro_cli.incidents.model import Incident
from maestro_cli.incidents.register import find_incident, signals_of
from maestro_cli.incidents.report.postmortem_text import document
from maestro_cli.incidents.report.story import Story, latest_impact, sections_to_fill
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
        actor: str,
        *,
        costs: Responders | None = None,
        budgets: Budgets = Budgets(),
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._actor = actor
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
        watchers = {entry.actor for entry in entries if entry.kind == "incident.response_begun"}
        people = {entry.actor for entry in entries if entry.kind in _PEOPLE} - watchers
        return incident_cost(
            self._costs,
            responders=len(people) if people or watchers else None,
            response_seconds=seconds_between(times.acked_at or times.opened_at, end),
            errors_served=impact.get("errors") if impact is not None else None,
            replicas=_replicas(entries),
            incident_seconds=seconds_between(times.started_at, end),
        )

    def render(self, incident_ref: str) -> str:
        """The post-mortem as Markdown; raises NotFound."""
        return document(self.story(incident_ref))

    def place(self, incident_ref: str, path: Path, *, force: bool = False, beside: bool = False) -> Path:
        """Where to write so that nobody's words are lost: `path`, or with `beside` the next free name.

        Raises GateNotMet when the file there is not what maestro wrote, unless `force` says to replace it;
        NotFound, ActionFailed.
        """
        incident = find_incident(self._journal, incident_ref)
        if force or not self._is_foreign(incident, path):
            return path
        if not beside:
            raise GateNotMet(
                f"{path} is not as maestro wrote it; it was left alone",
                why="somebody has edited it, or it is another document",
                fix="--to FILE writes another file, --force replaces this one",
            )
        names = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
        return next(name for name in names if not self._is_foreign(incident, name))

    def _is_foreign(self, incident: Incident, path: Path) -> bool:
        """Whether the file holds another text than maestro ever wrote for this incident."""
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _unwritable(path, error) from error
        events = self._journal.events(subject=incident.subject, kinds=("incident.postmortem_written",))
        return found not in {event.data["sha256"] for event in events}

    def write(self, incident_ref: str, path: Path) -> PostMortemFile:
        """Render to a file, whole or not at all; raises NotFound, ActionFailed."""
        incident = find_incident(self._journal, incident_ref)
        text = self.render(incident.id)
        data = text.encode("utf-8", "replace")
        sha256 = hashlib.sha256(data).hexdigest()
        self._journal.append(
            "incident.postmortem_written",
            incident.subject,
            self._actor,
            {"incident": incident.id, "path": capped(str(path)), "sha256": sha256},
        )
        try:
            write_atomically(path, data, durable=True)
        except OSError as error:
            raise _unwritable(path, error) from error
        return PostMortemFile(path, sha256, sections_to_fill(text))


def _unwritable(path: Path, error: OSError) -> ActionFailed:
    return ActionFailed(
        f"the post-mortem could not be written to {path}",
        why=unusable(path, error),
        fix="choose another place: --to FILE",
    )


def _replicas(entries: Sequence[Entry]) -> int | None:
    for entry in reversed(entries):
        if entry.kind == "incident.evidence" and entry.data["kind"] == "pods" and entry.data["ok"]:
            total = entry.data["facts"].get("total")
            return total if isinstance(total, int) else None
    return None
