"""What a million predictions of each version cost, as a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maestro_cli.core.money import money
from maestro_cli.core.quantities import format_duration
from maestro_cli.output.money import amount_beside, amount_cell
from maestro_cli.output.renderers.cost_words import hour_words
from maestro_cli.output.renderers.costs import budget_rows, rate_needed
from maestro_cli.output.tones import verdict_tone
from maestro_cli.output.views import Column, Fields, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.cost.unit.report import VersionCosts
    from maestro_cli.cost.unit.versions import Extra, VersionCost


def version_costs_view(found: VersionCosts) -> Report:
    """JSON has the window, what priced it, the budget, `items` with a verdict or null each, and `extras`."""
    seconds = (found.end - found.start).total_seconds()
    rows: list[tuple[str, object]] = [
        ("from", hour_words(found.start)),
        ("to", hour_words(found.end)),
        ("window", format_duration(seconds)),
        ("price", found.basis or None),
        ("formula", "cost of the service × share of its time / predictions × 1,000,000"),
    ]
    rows += budget_rows(found.replica_hourly_rate, found.budget, found.currency)
    if found.value is not None:
        rows.append(("a million earns", money(found.value * 1e6, found.currency)))
    queries = found.queries
    document = {
        "context": found.context,
        "window": {"start": found.start, "end": found.end, "seconds": seconds},
        "basis": found.basis or None,
        "currency": found.currency,
        "budget": found.budget,
        "rate_needed_per_replica": rate_needed(found.replica_hourly_rate, found.budget),
        "value_per_request": found.value,
        "queries": {
            "requests": queries.requests,
            "seconds": queries.seconds,
            "p95": queries.p95,
            "judged": queries.judged,
            "retries": queries.retries,
            "rows": queries.rows,
            "shadow_rows": queries.shadow_rows,
        },
        "items": [_item(item) for item in found.items],
        "extras": [_extra(extra) for extra in found.extras],
    }
    versions = _versions(found)
    blocks = (Fields(rows), versions, *((_extras(found),) if found.extras else ()))
    return Report("version-cost/v1", document, blocks, rows=versions)


def _versions(found: VersionCosts) -> Listing[VersionCost]:
    columns: tuple[Column[VersionCost], ...] = (
        Column("namespace", lambda item: item.usage.namespace, wide=True),
        Column("service", lambda item: item.usage.service, wide=True),
        Column("version", lambda item: f"{item.usage.model}@{item.usage.version}", priority=0),
        Column("predictions", lambda item: _rounded(item.usage.predictions), right=True, priority=3),
        Column("share", lambda item: _percent(item.share), right=True, priority=3),
        Column("p95", lambda item: _seconds(item.usage.p95_seconds), right=True, priority=2),
        Column("right", lambda item: _percent(item.usage.accuracy, 1), right=True, priority=2),
        Column("direct", lambda item: amount_cell(item.direct_per_million), right=True, priority=4),
        Column(
            f"{found.currency} a million",
            lambda item: amount_beside(item.per_million, found.budget),
            right=True,
            priority=1,
        ),
        Column("earns", lambda item: amount_cell(item.earned_per_million), right=True, priority=4),
        Column("verdict", _verdict, tone=lambda item: verdict_tone(_verdict(item)), priority=1),
        Column(
            "why",
            lambda item: "" if item.judgement is None else item.judgement.reason,
            priority=1,
            folds=True,
        ),
    )
    return Listing(
        "version-cost-items/v1", columns, found.items, document=_item, empty="no version was asked"
    )


def _extras(found: VersionCosts) -> Listing[Extra]:
    """What is in the cost and not in the divisor."""
    columns: tuple[Column[Extra], ...] = (
        Column("service", lambda one: f"{one.namespace}/{one.service}", priority=0),
        Column("no predictions", lambda one: one.what, priority=1),
        Column("count", lambda one: _rounded(one.count), right=True),
        Column("share", lambda one: _percent(one.share, 1), right=True),
        Column(f"{found.currency}, estimated", lambda one: amount_cell(one.cost), right=True, priority=1),
    )
    return Listing("version-cost-extras/v1", columns, found.extras, document=_extra)


def _item(item: VersionCost) -> dict[str, Any]:
    usage = item.usage
    return {
        "namespace": usage.namespace,
        "service": usage.service,
        "model": usage.model,
        "version": usage.version,
        "predictions": usage.predictions,
        "share": item.share,
        "p95_seconds": usage.p95_seconds,
        "accuracy": usage.accuracy,
        "judged": usage.judged,
        "direct_per_million": item.direct_per_million,
        "per_million": item.per_million,
        "earned_per_million": item.earned_per_million,
        "verdict": _verdict(item),
        "reason": "" if item.judgement is None else item.judgement.reason,
    }


def _extra(one: Extra) -> dict[str, Any]:
    return {
        "namespace": one.namespace,
        "service": one.service,
        "what": one.what,
        "count": one.count,
        "share": one.share,
        "cost": one.cost,
    }


def _verdict(item: VersionCost) -> str | None:
    return None if item.verdict is None else item.verdict.value


def _rounded(value: float | None) -> str | None:
    return None if value is None else f"{value:.0f}"


def _percent(value: float | None, digits: int = 0) -> str | None:
    return None if value is None else f"{value:.{digits}%}"


def _seconds(value: float | None) -> str | None:
    return None if value is None else f"{value * 1000:.0f}ms" if value < 1 else f"{value:.2g}s"
