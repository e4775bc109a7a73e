"""Figures over the incidents of a context's journal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from maestro_cli.core.errors import UsageError
from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.incidents.model import Incident
from maestro_cli.incidents.report.stats import Stats, sample_of, stats_of

if TYPE_CHECKING:
    from maestro_cli.services.root import Services

MAX_INCIDENTS = 100_000


def incident_stats(services: Services, since: str, namespace: str | None, *, drills: bool) -> Stats:
    """The last `since`, such as 90d, against as long a time before. Raises UsageError."""
    try:
        seconds = parse_duration_seconds(since)
        span = timedelta(seconds=seconds)
        now = services.clock.now()
        oldest = now - 2 * span
    except (ValueError, OverflowError) as error:
        raise UsageError(f"--since: {error}", fix="--since 90d") from error
    if seconds <= 0:
        raise UsageError("--since must be longer than nothing", fix="--since 90d")
    found = [
        one
        for one in services.desk.list(limit=MAX_INCIDENTS)
        if one.times.opened_at >= oldest and namespace in (None, _namespace(one))
    ]
    samples = [sample_of(one, _triage(services, one)) for one in found]
    return stats_of(samples, now - span, now, drills=drills)


def _namespace(incident: Incident) -> str | None:
    return incident.workload.namespace if incident.workload is not None else incident.namespace


def _triage(services: Services, incident: Incident) -> Mapping[str, Any] | None:
    suspects = services.desk.suspects(incident.id)
    return suspects.data if suspects is not None else None
