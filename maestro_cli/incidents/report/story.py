"""What a post-mortem is written from, and how much of one still waits for people.

Invariant: frozen; read from the journal once, so every section speaks of the same moment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maestro_cli.cost.incident_cost import IncidentCost
from maestro_cli.incidents.clock import PhaseReading
from maestro_cli.incidents.model import Incident, Signal
from maestro_cli.incidents.timeline import Entry
from maestro_cli.journal.model import Head

PLACEHOLDER = "TODO(owner)"
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


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

    def of_kind(self, *kinds: str) -> tuple[Entry, ...]:
        """Entries of these kinds; one that ends in `.` is a prefix."""
        return tuple(
            entry
            for entry in self.entries
            if any(
                entry.kind == kind or (kind.endswith(".") and entry.kind.startswith(kind)) for kind in kinds
            )
        )


def latest_impact(entries: Sequence[Entry]) -> Mapping[str, Any] | None:
    """The newest measured figures: the impact at the end, else what triage counted so far."""
    for kind in ("impact", "budget"):
        for entry in reversed(entries):
            if entry.kind == "incident.evidence" and entry.data["kind"] == kind and entry.data["ok"]:
                facts: Mapping[str, Any] = {**entry.data["facts"], "measured": kind}
                return facts
    return None


def sections_to_fill(markdown: str) -> int:
    """How many lines outside code blocks still hold the placeholder."""
    count, fence = 0, ""
    for line in markdown.splitlines():
        match = _FENCE.match(line)
        if fence:
            if match and match[1][0] == fence[0] and len(match[1]) >= len(fence):
                fence = ""
            continue
        if match:
            fence = match[1]
        elif PLACEHOLDER in line:
            count += 1
    return count
