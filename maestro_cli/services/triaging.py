"""What triage and a response ask of a context: what it has; what it lacks is told in words.

Invariant: a source that is not configured, or cannot be made, is a gap in the evidence and never an error.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from maestro_cli.core.errors import MaestroError, UsageError
from maestro_cli.core.facts.metrics import Instant
from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.incidents.triage.investigate import Triage, TriageSettings
from maestro_cli.incidents.triage.model import Lacking

if TYPE_CHECKING:
    from maestro_cli.services.root import Services
    from maestro_cli.sources.prometheus import Prometheus

T = TypeVar("T")


def triage_of(services: Services) -> Triage:
    """Triage over whatever the context has. Raises InvalidFile for objectives that cannot be read."""
    context, lacking = services.context, Lacking()
    cluster, no_cluster = _made(context.cluster, lambda: services.cluster, lacking.cluster)
    metrics, no_metrics = _made(context.prometheus, lambda: services.prometheus, lacking.metrics)
    settings = TriageSettings(
        objectives=tuple(services.objectives.values()), revenue_segments=frozenset(context.revenue_segments)
    )
    return Triage(
        cluster,
        metrics,
        services.clock,
        settings=settings,
        journal=services.journal,
        lacking=Lacking(no_cluster, no_metrics),
    )


def timeout_of(text: str) -> float:
    """How long triage may take, in seconds; raises UsageError."""
    try:
        seconds = parse_duration_seconds(text)
    except ValueError as error:
        raise UsageError(f"--timeout: {error}") from error
    if seconds <= 0:
        raise UsageError("--timeout must be longer than nothing", fix="--timeout 15s")
    return seconds


def _made(endpoint: object | None, make: Callable[[], T], absent: str) -> tuple[T | None, str]:
    """The source, or None and why it is not there."""
    if endpoint is None:
        return None, absent
    try:
        return make(), ""
    except MaestroError as error:
        return None, f"{error.what}: {error.why}" if error.why else error.what


class MetricsWhenAsked:
    """The metrics of a context that may have none: only a step that asks them fails."""

    def __init__(self, make: Callable[[], Prometheus]) -> None:
        self._make = make

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        """An instant query; raises NotFound as well, where the context has no Prometheus."""
        return self._make().query(promql, at=at)
