"""One incident whole, as it is shown: its clock, signals, findings, links and silences.

Invariant: read from the journal alone, so it can be shown while nothing else answers; what was recorded
says when, so that its age can be told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maestro_cli.incidents.clock import PhaseReading, read_clock
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.intake.blindness import Sight
from maestro_cli.incidents.model import Incident, IncidentSilence, Link, Signal
from maestro_cli.incidents.people.model import Standing
from maestro_cli.incidents.report.stats import Sample, sample_of

People = Callable[[Sequence[Incident]], Mapping[str, Standing]]  # of each incident, by its id


@dataclass(frozen=True, slots=True)
class Details:
    """`triage` is the latest `incident.suspects`, `triaged_at` when it was recorded; `numbers` are those of
    the incidents that are named by id; `sight` says whether anybody watches the signals."""

    incident: Incident
    clock: tuple[PhaseReading, ...]
    signals: tuple[Signal, ...]
    triage: Mapping[str, Any] | None
    triage_at: str
    evidence: tuple[Mapping[str, Any], ...]
    links: tuple[Link, ...]
    silences: tuple[IncidentSilence, ...]
    numbers: Mapping[str, int]
    sight: Sight
    now: datetime
    detection: Sample
    people: Standing | None = None


def read_details(
    desk: IncidentDesk, ref: str, sight: Sight, now: datetime, people: People | None = None
) -> Details:
    """Everything that the journal holds of an incident; raises NotFound."""
    incident = desk.get(ref)
    suspects = desk.suspects(incident.id)
    links = desk.links(incident.id)
    named = [link.target for link in links if "://" not in link.target]
    named += [one for one in (incident.merged_into, incident.same_as) if one]
    return Details(
        incident=incident,
        clock=read_clock(incident, now),
        signals=desk.signals(incident.id),
        triage=suspects.data if suspects is not None else None,
        triage_at=suspects.time if suspects is not None else "",
        evidence=tuple(event.data for event in desk.evidence(incident.id)),
        links=links,
        silences=desk.silences(incident.id),
        numbers={one: desk.get(one).number for one in named},
        sight=sight,
        now=now,
        detection=sample_of(incident, suspects.data if suspects is not None else None),
        people=None if people is None else people((incident,))[incident.id],
    )
