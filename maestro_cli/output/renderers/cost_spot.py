"""Spot machines for batch work as a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maestro_cli.core.money import money
from maestro_cli.cost.spot.saving import WINDOW, Answer
from maestro_cli.output.money import amount_cell
from maestro_cli.output.views import Column, Fields, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.cost.spot.saving import SpotSaving, SpotSavings

TONES = {Answer.SPOT: "good", Answer.UNKNOWN: "warn", Answer.CANNOT: "dim", Answer.ON_DEMAND: ""}
_FORMULA = "on-demand price × (spot ÷ on-demand) × (1/λ + R)(e^(λ(τ + c)) − 1)/τ"


def spot_savings_view(found: SpotSavings) -> Report:
    """JSON has `items`; amounts are for one hour of work, `monthly_saving` for 30 days of the schedule."""
    known = [item.monthly for item in found.items if item.monthly is not None and item.answer is Answer.SPOT]
    rows: list[tuple[str, object]] = [
        ("at", found.at),
        ("spot, an hour of work", _FORMULA),
        (
            "saving of schedules",
            f"{money(sum(known), found.currency)} in {WINDOW.days} days" if known else None,
        ),
        *(("not looked at", remark) for remark in found.remarks),
    ]
    document = {
        "at": found.at,
        "currency": found.currency,
        "monthly_saving": sum(known) if known else None,
        "remarks": found.remarks,
        "items": [_item(item) for item in found.items],
    }
    columns: tuple[Column[SpotSaving], ...] = (
        Column("namespace", lambda item: item.batch.namespace, wide=True),
        Column("work", lambda item: f"{item.batch.kind.lower()}/{item.batch.name}"),
        Column("answer", lambda item: item.answer.value, tone=lambda item: TONES[item.answer], priority=1),
        Column(
            "saves", lambda item: None if item.share is None else f"{item.share:.0%}", right=True, priority=1
        ),
        Column("on-demand/h", lambda item: amount_cell(item.on_demand), right=True, priority=3),
        Column("spot/h", lambda item: amount_cell(item.spot), right=True, priority=3),
        Column(
            "overhead", lambda item: None if item.overhead is None else f"{item.overhead:.1%}", right=True
        ),
        Column("machine", lambda item: item.offer.instance_type if item.offer else None, priority=3),
        Column("in 30 days", lambda item: amount_cell(item.monthly), right=True),
        Column("why", lambda item: "; ".join(item.why), priority=1, folds=True),
    )
    listing = Listing("spot-items/v1", columns, found.items, document=_item)
    return Report("spot/v1", document, (Fields(rows), listing))


def _item(item: SpotSaving) -> dict[str, Any]:
    batch, offer = item.batch, item.offer
    return {
        "namespace": batch.namespace,
        "kind": batch.kind,
        "name": batch.name,
        "answer": item.answer.value,
        "why": item.why,
        "on_demand_per_hour": item.on_demand,
        "spot_per_hour": item.spot,
        "saving_share": item.share,
        "monthly_saving": item.monthly,
        "overhead": item.overhead,
        "instance_type": None if offer is None else offer.instance_type,
        "interruptions_per_hour": None if offer is None else offer.interruptions_per_hour,
        "price_assumed": None if offer is None else offer.assumed,
        "run_hours": batch.run_hours,
        "runs": batch.runs,
        "checkpoint_every_hours": batch.checkpoint_every_hours,
        "best_checkpoint_every_hours": item.best_checkpoint_hours,
        "pods": batch.pods,
    }
