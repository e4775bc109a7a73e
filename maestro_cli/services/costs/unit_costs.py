"""What predictions cost in a context: its Prometheus, its prices or those of a file, a budget."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.core.errors import NoData, UsageError
from maestro_cli.core.promql import promql_label
from maestro_cli.core.quantities import format_duration, parse_duration_seconds
from maestro_cli.cost.unit.figure import Usage, unit_cost
from maestro_cli.cost.unit.report import UnitCosts, VersionCosts
from maestro_cli.cost.unit.usage import REQUESTS, Scope, UsageQueries, measure_usage
from maestro_cli.cost.unit.version_usage import VersionQueries, measure_versions
from maestro_cli.cost.unit.versions import (
    NOTHING_KNOWN,
    Spend,
    arms_per_million,
    extras,
    replica_spend,
    version_costs,
)
from maestro_cli.services.costs.windows import end_of

if TYPE_CHECKING:
    from maestro_cli.services.costs.machine_spends import MachineSpends
    from maestro_cli.services.costs.prices import ContextPrices
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
    probes: tuple[str, ...] = ()
    machines: bool | None = None  # by the prices of machines; None: where there is no price of a replica
    until: str = ""


@dataclass(frozen=True, slots=True)
class _Measured:
    """What was asked for, checked, and what was seen of it."""

    prices: ContextPrices
    scope: Scope
    start: datetime
    end: datetime
    usages: tuple[Usage, ...]

    @property
    def window_seconds(self) -> float:
        return (self.end - self.start).total_seconds()

    def budget(self, wanted: UnitCostWanted) -> float | None:
        """What a million may cost: as was asked, else as the prices or the context say."""
        return self.prices.figures.budget_per_million if wanted.budget is None else wanted.budget


def find_unit_costs(services: CostServices, wanted: UnitCostWanted) -> UnitCosts:
    """Raises UsageError, InvalidFile for the prices, NoData when no service was seen at all."""
    seen = _measure(services, wanted)
    figures, budget = seen.prices.figures, seen.budget(wanted)
    return UnitCosts(
        context=services.context_name,
        start=seen.start,
        end=seen.end,
        replica_hourly_rate=figures.replica_hourly_rate,
        currency=figures.currency,
        budget=budget,
        queries=UsageQueries(seen.scope, seen.window_seconds),
        items=tuple(unit_cost(usage, figures.replica_hourly_rate, budget) for usage in seen.usages),
    )


def find_version_costs(services: CostServices, wanted: UnitCostWanted) -> VersionCosts:
    """The same by version of each model, and what shadows, retries, failures and probes cost.

    A version that nothing was asked of in the window is left out. Raises as `find_unit_costs`.
    """
    prices = services.prices(wanted.prices)
    figures = prices.figures
    machines = None
    if wanted.machines or (wanted.machines is None and not figures.replica_hourly_rate and prices.book):
        from maestro_cli.services.costs.machine_spends import find_machine_spends

        machines = find_machine_spends(services, wanted.window, wanted.until, wanted.prices)
    seen = _measure(services, wanted, machines)
    if machines is not None:
        spends, basis = _both_covered(machines.spends, seen.usages), machines.basis
    else:
        spends = {
            (usage.namespace, usage.service): replica_spend(usage, figures.replica_hourly_rate)
            for usage in seen.usages
        }
        rate = figures.replica_hourly_rate
        basis = f"{figures.currency} {rate:g} a replica and hour" if rate else ""
    budget = seen.budget(wanted)
    found = measure_versions(services.prometheus, seen.scope, seen.end, seen.window_seconds)
    paid = [(one, spends.get((one.namespace, one.service), NOTHING_KNOWN)) for one in found]
    return VersionCosts(
        context=services.context_name,
        start=seen.start,
        end=seen.end,
        basis=basis,
        currency=figures.currency,
        replica_hourly_rate=None if machines is not None else figures.replica_hourly_rate,
        budget=budget,
        value=figures.value_per_request,
        queries=VersionQueries(seen.scope, seen.window_seconds),
        items=tuple(
            item
            for one, spend in paid
            for item in version_costs(one, spend, budget=budget, value=figures.value_per_request)
            if item.usage.requests
        ),
        extras=tuple(extra for one, spend in paid for extra in extras(one, spend)),
    )


def _both_covered(
    spends: Mapping[tuple[str, str], Spend], usages: Iterable[Usage]
) -> dict[tuple[str, str], Spend]:
    """Of what was spent and what was answered, the one that was seen for less."""
    seen = {(one.namespace, one.service): one.coverage for one in usages}
    return {
        key: replace(spend, coverage=min(spend.coverage, seen[key]))
        for key, spend in spends.items()
        if key in seen
    }


def arm_costs(
    services: CostServices, wanted: UnitCostWanted, arms: tuple[str, ...], model: str = ""
) -> tuple[float | None, ...]:
    """What a million predictions of each arm cost: versions of a model, or without one whole services.

    Every service that answered for an arm shares its cost out by the time of all its requests; of arms that
    are services, both share theirs out as one. None where it is not known.
    """
    seen = _measure(services, wanted)
    rate = seen.prices.figures.replica_hourly_rate
    spends = {(one.namespace, one.service): replica_spend(one, rate) for one in seen.usages}
    found = measure_versions(services.prometheus, seen.scope, seen.end, seen.window_seconds)
    return arms_per_million(found, spends, arms, model)


def _measure(services: CostServices, wanted: UnitCostWanted, of: MachineSpends | None = None) -> _Measured:
    """Lately, or in the hours `of` what was spent.

    Raises UsageError, InvalidFile for the prices, NoData when no service was seen at all.
    """
    window_seconds = _window_seconds(wanted.window) if of is None else (of.end - of.start).total_seconds()
    scope = _scope(services, wanted)
    if wanted.budget is not None and not (math.isfinite(wanted.budget) and wanted.budget > 0):
        raise UsageError(f"a budget of {wanted.budget:g} for a million predictions is none", fix="--budget 5")
    prices = services.prices(wanted.prices)
    end = end_of(wanted.until, services.clock.now()) if of is None else of.end
    usages = measure_usage(services.prometheus, scope, end, window_seconds)
    if not usages:
        raise NoData(
            f"no model server was seen in {format_duration(window_seconds)} until {end:%Y-%m-%d %H:%M} UTC",
            why=f"Prometheus has no {REQUESTS} {'in ' + scope.namespace if scope.namespace else 'anywhere'}",
            fix="a longer --window, -n NAMESPACE, or -A for all of them",
        )
    return _Measured(prices, scope, end - timedelta(seconds=window_seconds), end, usages)


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
    probes = tuple(_probe(one) for one in wanted.probes)
    return Scope(namespace, wanted.service, wanted.label, probes, services.cluster_series)


def _probe(text: str) -> tuple[str, str]:
    """`route=canary-probe`."""
    label, equals, value = text.partition("=")
    try:
        promql_label(label)
    except ValueError as error:
        raise UsageError(str(error), fix="--probes route=NAME") from error
    if not equals or not value:
        raise UsageError(f"{text!r} names no probes", fix="--probes route=NAME")
    return label, value
