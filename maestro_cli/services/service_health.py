"""How each service does: rate, errors, latency over the last half hour, and the burn of its objectives.

Invariant: one service that cannot be measured hides no other; what has no number is None, never zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from maestro_cli.core.errors import InvalidQuery
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.core.workload_labels import workload_of
from maestro_cli.incidents.triage.queries import INFERENCE, Queries
from maestro_cli.slo.burning import Burning

if TYPE_CHECKING:
    from maestro_cli.services.root import Services

LOOK_BACK = timedelta(minutes=30)
STEP_SECONDS = 30.0
WINDOW_SECONDS = 60.0

Points = tuple[tuple[datetime, float | None], ...]


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """`rate` in requests a second, `errors` a share of 1, `p95` in seconds; each over the last half hour.

    `workload` is None where no label of its objectives names one; then nothing but burn is known.
    """

    name: str
    workload: WorkloadRef | None
    rate: Points
    errors: Points
    p95: Points
    burning: tuple[Burning, ...]


def read_services(services: Services) -> tuple[ServiceHealth, ...]:
    """Every service that an objective names, by name; raises Unreachable and Refused of its Prometheus."""
    by_name: dict[str, list[Burning]] = {}
    for burning in services.burns.read():
        by_name.setdefault(burning.objective.service, []).append(burning)
    return tuple(_health(services, name, found) for name, found in sorted(by_name.items()))


def _health(services: Services, name: str, burning: Sequence[Burning]) -> ServiceHealth:
    named = (workload_of(one.objective.labels) for one in burning)
    workload = next((ref for ref in named if ref is not None), None)
    if workload is None:
        return ServiceHealth(name, None, (), (), (), tuple(burning))
    queries = Queries(INFERENCE, workload)
    rate, errors, p95 = (
        _points(services, promql)
        for promql in (
            queries.request_rate(WINDOW_SECONDS),
            queries.error_ratio(WINDOW_SECONDS),
            queries.p95(WINDOW_SECONDS),
        )
    )
    return ServiceHealth(name, workload, rate, errors, p95, tuple(burning))


def _points(services: Services, promql: str) -> Points:
    """Every step of the half hour; None at those that have no number."""
    end = services.clock.now()
    end = end.replace(microsecond=0, second=end.second - end.second % int(STEP_SECONDS))
    start = end - LOOK_BACK
    try:
        series = services.prometheus.query_range(promql, start, end, STEP_SECONDS)
    except InvalidQuery:  # of this service, which Prometheus cannot evaluate; the others are measured
        return ()
    found = {round(at.timestamp()): value for at, value in (series[0].points if series else ())}
    steps = round(LOOK_BACK.total_seconds() / STEP_SECONDS)
    instants = [start + timedelta(seconds=STEP_SECONDS * number) for number in range(steps + 1)]
    values = [found.get(round(at.timestamp())) for at in instants]
    return tuple(
        (at, value if value is not None and math.isfinite(value) else None)
        for at, value in zip(instants, values, strict=True)
    )
