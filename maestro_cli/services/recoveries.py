"""What incidents and drills measured of recovering: from the start of a defect until it was mended.

Invariant: what is not over yet has the time so far, and is never a recovery in time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from maestro_cli.chaos.drills.model import Scorecard
from maestro_cli.core.clock import seconds_between
from maestro_cli.core.decoding import ready
from maestro_cli.core.verdict import Verdict
from maestro_cli.incidents.model import Incident, State
from maestro_cli.services.incident_stats import MAX_INCIDENTS
from maestro_cli.slo.measuring.recoveries import RECOVERY_MEASURED, Recovered, RecoveryMeasured
from maestro_cli.slo.measuring.window import Span
from maestro_cli.slo.report.model import DrillLine, IncidentLine

if TYPE_CHECKING:
    from maestro_cli.journal.model import Event
    from maestro_cli.services.root import Services

_NO_INCIDENT = {State.DISMISSED, State.MERGED}


def recovered(services: Services, now: datetime) -> tuple[Recovered, ...]:
    """One for each incident that was one, each drill that was scored, and what a restore measured."""
    found = [*_by_incidents(services, now), *_by_drills(services), *_by_restores(services)]
    return tuple(sorted(found, key=lambda one: (one.at, one.of)))


def incident_name(incident: Incident) -> str:
    """How its recovery is named among what was measured."""
    return f"incident {incident.number}"


def incident_lines(services: Services, span: Span, now: datetime) -> tuple[IncidentLine, ...]:
    """The incidents that hurt in the span, in the order of their beginning; drills are not among them."""
    return tuple(
        IncidentLine(
            f"{one.number}",
            one.title,
            one.severity.value,
            one.times.started_at,
            _restored(one),
            None if _restored(one) is None else _seconds(one, now),
        )
        for one in sorted(_incidents(services), key=lambda one: (one.times.started_at, one.number))
        if one.times.started_at < span.end and (_restored(one) or now) >= span.start
    )


def drill_lines(services: Services, span: Span) -> tuple[DrillLine, ...]:
    """The drills of the span, with what each measured: those that were scored, and restores."""
    scored = [
        DrillLine(
            card.injected_at,
            _name(event, card),
            Verdict.PASS if card.passed else Verdict.FAIL,
            _recovery_seconds(card),
            None,
        )
        for event, card in _cards(services)
        if span.start <= card.injected_at < span.end
    ]
    restored = [
        DrillLine(
            one.at, one.of, Verdict.PASS if one.passed else Verdict.FAIL, one.rto_seconds, one.rpo_seconds
        )
        for one in _restores(services)
        if span.start <= one.at < span.end
    ]
    return tuple(sorted((*scored, *restored), key=lambda line: (line.at, line.name)))


def _incidents(services: Services) -> Iterator[Incident]:
    for one in services.desk.list(limit=MAX_INCIDENTS):
        if not one.drill and one.state not in _NO_INCIDENT:
            yield one


def _restored(incident: Incident) -> datetime | None:
    return incident.times.mitigated_at or incident.times.resolved_at


def _seconds(incident: Incident, now: datetime) -> float:
    return max(seconds_between(incident.times.started_at, _restored(incident) or now), 0.0)


def _by_incidents(services: Services, now: datetime) -> Iterator[Recovered]:
    for one in _incidents(services):
        service = one.workload.name if one.workload is not None else ""
        yield Recovered(
            one.times.started_at, "rto", _seconds(one, now), incident_name(one), service,
            is_over=_restored(one) is not None,
        )  # fmt: skip


def _by_drills(services: Services) -> Iterator[Recovered]:
    for event, card in _cards(services):
        seconds = _recovery_seconds(card)
        if seconds is not None:
            yield Recovered(card.injected_at, "rto", seconds, _name(event, card))


def _by_restores(services: Services) -> Iterator[Recovered]:
    for one in _restores(services):
        if one.rto_seconds is not None:
            yield Recovered(one.at, "rto", one.rto_seconds, one.of, one.service)
        if one.rpo_seconds is not None:
            yield Recovered(one.at, "rpo", one.rpo_seconds, one.of, one.service)
        for kind in one.unknown:
            yield Recovered(one.at, kind, 0.0, one.of, one.service, is_known=False)


def _restores(services: Services) -> Iterator[RecoveryMeasured]:
    """What restores measured; an event of another shape measured nothing."""
    for event in services.journal.events(subject="recovery/", kinds=(RECOVERY_MEASURED,)):
        try:
            yield msgspec.convert(event.data, ready(RecoveryMeasured))
        except msgspec.ValidationError:
            continue


def _cards(services: Services) -> Iterator[tuple[Event, Scorecard]]:
    """Every drill that was scored; a card of another maestro that cannot be read is left out."""
    for event in services.journal.events(subject="drill/", kinds=("drill.scored",)):
        try:
            yield event, msgspec.convert(event.data.get("scorecard"), ready(Scorecard))
        except msgspec.ValidationError:
            continue


def _name(event: Event, card: Scorecard) -> str:
    return f"drill {card.scenario} ({event.seq})"


def _recovery_seconds(card: Scorecard) -> float | None:
    return next((phase.seconds for phase in card.phases if phase.name == "mitigated"), None)
