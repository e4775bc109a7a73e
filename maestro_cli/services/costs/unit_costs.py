"""What predictions cost in a context: its Prometheus, its prices or those of a file, a budget."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.core.errors import NoData, UsageError
from maestro_cli.core.promql import promql_label
from maestro_cli.core.quantities import format_duration, parse_duration_seconds
from maestro_cli.cost.unit_cost import unit_cost
from maestro_cli.cost.unit_cost_report import UnitCosts
from maestro_cli.cost.usage import REQUESTS, Scope, UsageQueries, measure_usage

if TYPE_CHECKING:
    from maestro_cli.services.costs.root import CostServices

_LEAST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class UnitCostWanted:
    """What `maestro cost unit` was asked for, as it was written."""

    service: str = ""
    namespace: str | None = None
    everywhere: bool = False
    window: str = "1h"
    budget: float | None = None
    prices: Path | None = None
    label: str = "deployment"


def find_unit_costs(services: CostServices, wanted: UnitCostWanted) -> UnitCosts:
    """Raises UsageError, InvalidFile for the prices, NoData when no service was seen at all."""
    window_seconds = _window_seconds(wanted.window)
    scope = _scope(services, wanted)
    if wanted.budget is not None and not (math.isfinite(wanted.budget) and wanted.budget > 0):
        raise UsageError(f"a budget of {wanted.budget:g} for a million predictions is none", fix="--budget 5")
    prices = services.prices(wanted.prices).figures
    end = services.clock.now()
    usages = measure_usage(services.prometheus, scope, end, window_seconds)
    if not usages:
        raise NoData(
            f"no model server was seen in the last {format_duration(window_seconds)}",
            why=f"Prometheus has no {REQUESTS} {'in ' + scope.namespace if scope.namespace else 'anywhere'}",
            fix="a longer --window, -n NAMESPACE, or -A for all of them",
        )
    return UnitCosts(
        context=services.context_name,
        start=end - timedelta(seconds=window_seconds),
        end=end,
        replica_hourly_rate=prices.replica_hourly_rate,
        currency=prices.currency,
        budget=wanted.budget,
        queries=UsageQueries(scope, window_seconds),
        items=tuple(unit_cost(usage, prices.replica_hourly_rate, wanted.budget) for usage in usages),
    )


def _window_seconds(text: str) -> float:
    try:
        seconds = parse_duration_seconds(text)
    except ValueError as error:
        raise UsageError(str(error), fix="--window 1h") from error
    if seconds < _LEAST_SECONDS:
        raise UsageError(f"a window of {text} is too short to measure", fix="--window 1h")
    return seconds


def _scope(services: CostServices, wanted: UnitCostWanted) -> Scope:
    if wanted.everywhere and wanted.namespace is not None:
        raise UsageError(
            "one namespace and all of them", why="-n and -A exclude each other", fix="leave one out"
        )
    try:
        promql_label(wanted.label)
    except ValueError as error:
        raise UsageError(str(error), fix="--label deployment") from error
    namespace = "" if wanted.everywhere else wanted.namespace or services.context.namespace or ""
    return Scope(namespace, wanted.service, wanted.label)
