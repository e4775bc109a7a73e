"""What predictions cost as a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maestro_cli.core.quantities import format_duration
from maestro_cli.cost.unit.figure import break_even_rate
from maestro_cli.output.money import amount_beside
from maestro_cli.output.renderers.cost_words import hour_words
from maestro_cli.output.tones import verdict_tone
from maestro_cli.output.views import Column, Fields, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.cost.unit.figure import UnitCost
    from maestro_cli.cost.unit.report import UnitCosts


def unit_costs_view(found: UnitCosts) -> Report:
    """JSON has the window, the price, the budget, the queries, and `items` with a verdict or null each."""
    rate, budget = found.replica_hourly_rate, found.budget
    needed = rate_needed(rate, budget)
    seconds = (found.end - found.start).total_seconds()
    rows: list[tuple[str, object]] = [
        ("from", hour_words(found.start)),
        ("to", hour_words(found.end)),
        ("window", format_duration(seconds)),
        ("price", None if rate is None else f"{found.currency} {rate:g} a replica and hour"),
        ("formula", "replica_hourly_rate × replica_hours / predictions × 1,000,000"),
    ]
    rows += budget_rows(rate, budget, found.currency)
    document = {
        "context": found.context,
        "window": {"start": found.start, "end": found.end, "seconds": seconds},
        "price": {"replica_hourly_rate": rate, "currency": found.currency},
        "budget": budget,
        "rate_needed_per_replica": needed,
        "queries": {
            "predictions": found.queries.predictions,
            "replicas": found.queries.replicas,
            "answering": found.queries.answering,
        },
        "items": [_item(item) for item in found.items],
    }
    return Report("unit-cost/v1", document, (Fields(rows), _services(found)))


def rate_needed(rate: float | None, budget: float | None) -> float | None:
    """Predictions a second and replica from which a million are within the budget; None is not known."""
    return None if not rate or budget is None else break_even_rate(rate, budget)


def budget_rows(rate: float | None, budget: float | None, currency: str) -> list[tuple[str, object]]:
    """What a million may cost, and from which load on it does not cost more."""
    needed = rate_needed(rate, budget)
    told: list[tuple[str, object]] = []
    if budget is not None:
        told.append(("budget", f"{currency} {budget:g} a million"))
    if needed is not None:
        told.append(("met from", f"{needed:.3g} predictions a second and replica"))
    return told


def _services(found: UnitCosts) -> Listing[UnitCost]:
    columns: tuple[Column[UnitCost], ...] = (
        Column("namespace", lambda item: item.usage.namespace, wide=True),
        Column("service", lambda item: item.usage.service),
        Column("predictions", lambda item: _rounded(item.usage.predictions), right=True, priority=3),
        Column("replica hours", lambda item: _digits(item.usage.replica_hours), right=True, priority=3),
        Column("per replica/s", lambda item: _digits(item.usage.rate_per_replica), right=True, priority=3),
        Column(
            f"{found.currency} a million",
            lambda item: amount_beside(item.per_million, found.budget),
            right=True,
            priority=1,
        ),
        Column("verdict", _verdict, tone=lambda item: verdict_tone(_verdict(item)), priority=1),
        Column("coverage", lambda item: f"{item.usage.coverage:.0%}", right=True),
        Column(
            "why",
            lambda item: "" if item.judgement is None else item.judgement.reason,
            priority=1,
            folds=True,
        ),
    )
    return Listing("unit-cost-services/v1", columns, found.items, document=_item)


def _item(item: UnitCost) -> dict[str, Any]:
    usage = item.usage
    return {
        "namespace": usage.namespace,
        "service": usage.service,
        "predictions": usage.predictions,
        "replica_hours": usage.replica_hours,
        "rate_per_replica": usage.rate_per_replica,
        "per_million": item.per_million,
        "verdict": _verdict(item),
        "coverage": usage.coverage,
        "reason": "" if item.judgement is None else item.judgement.reason,
    }


def _verdict(item: UnitCost) -> str | None:
    return None if item.verdict is None else item.verdict.value


def _rounded(value: float | None) -> str | None:
    return None if value is None else f"{value:.0f}"


def _digits(value: float | None) -> str | None:
    return None if value is None else f"{value:.3g}"
