"""Waste as a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maestro_cli.core.money import money
from maestro_cli.output.money import amount_cell
from maestro_cli.output.renderers.cost_words import hour_words
from maestro_cli.output.views import Column, Fields, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.cost.waste.model import Waste
    from maestro_cli.cost.waste.report import WasteReport


def waste_view(found: WasteReport) -> Report:
    """JSON has `items`, the dearest first, and `not_judged`: what could not be looked for, with why."""
    total = found.monthly
    rows: list[tuple[str, object]] = [
        ("cluster", found.cluster),
        ("from", hour_words(found.hours.start)),
        ("to", hour_words(found.hours.end)),
        ("a month", None if total is None else f"{money(total, found.currency)}, of what has a price"),
        *(("not judged", f"{one.kind.value}: {one.why}") for one in found.not_judged),
    ]
    document = {
        "cluster": found.cluster,
        "window": {"start": found.hours.start, "end": found.hours.end, "hours": found.hours.count},
        "currency": found.currency,
        "monthly": total,
        "not_judged": [{"kind": one.kind.value, "why": one.why} for one in found.not_judged],
        "items": [_item(item) for item in found.items],
    }
    columns: tuple[Column[Waste], ...] = (
        Column("kind", lambda item: item.kind.value),
        Column("namespace", lambda item: item.namespace, wide=True),
        Column("name", lambda item: item.name, priority=1),
        Column("a month", lambda item: amount_cell(item.monthly), right=True, priority=1),
        Column("evidence", lambda item: item.evidence, priority=1, folds=True),
        Column("what ends it", lambda item: item.remedy, priority=3, folds=True),
    )
    empty = "nothing could be judged" if found.is_unknown else "nothing found"
    listing = Listing("waste-items/v1", columns, found.items, document=_item, empty=empty)
    return Report("waste/v1", document, (Fields(rows), listing))


def _item(item: Waste) -> dict[str, Any]:
    return {
        "kind": item.kind.value,
        "namespace": item.namespace,
        "name": item.name,
        "evidence": item.evidence,
        "query": item.query or None,
        "monthly": item.monthly,
        "remedy": item.remedy or None,
    }
