"""The prices that hold at an instant, as a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maestro_cli.core.money import price
from maestro_cli.output.views import Column, Fields, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.cost.prices.lines import KindPriced, PriceLine, PriceList

_WORDS = {"line": "its own line", "list": "the list prices", "": "nothing"}


def prices_view(found: PriceList) -> Report:
    """JSON has the source, the version, `prices`, the cluster's `kinds` (null: not asked) and `oddities`."""
    fields = Fields(
        [
            ("source", found.source),
            ("currency", found.currency),
            ("at", found.at),
            ("holds since", "always" if found.since.year <= 1970 else found.since),
            ("versions", found.versions),
            *((("nodes", found.why),) if found.kinds is None else ()),
            *((f"line {one.line}", f"{one.key}: {one.what}") for one in found.oddities),
        ]
    )
    lines, kinds = _lines(found), _kinds(found)
    document = {
        "context": found.context,
        "source": found.source,
        "currency": found.currency,
        "at": found.at,
        "since": found.since,
        "versions": found.versions,
        "prices": found.lines,
        "kinds": None if kinds is None else [_kind(one) for one in kinds.items],
        "oddities": found.oddities,
    }
    return Report(
        "cost-prices/v1", document, (fields, lines, *(() if kinds is None else (kinds,))), rows=lines
    )


def _lines(found: PriceList) -> Listing[PriceLine]:
    columns: tuple[Column[PriceLine], ...] = (
        Column("what", lambda one: one.what),
        Column("name", lambda one: one.name, priority=1),
        Column("price", lambda one: price(one.price, found.currency), right=True, priority=1),
        Column("a", lambda one: one.unit, priority=1),
        Column("", lambda one: one.note, priority=2),
    )
    return Listing("cost-prices-lines/v1", columns, found.lines)


def _kinds(found: PriceList) -> Listing[KindPriced] | None:
    if found.kinds is None:
        return None
    columns: tuple[Column[KindPriced], ...] = (
        Column(
            "nodes of the cluster", lambda one: one.instance_type or "without an instance type", priority=0
        ),
        Column("region", lambda one: one.region),
        Column("capacity", lambda one: one.capacity),
        Column("count", lambda one: one.nodes, right=True),
        Column(
            "priced by",
            lambda one: _WORDS[one.by],
            tone=lambda one: {"line": "good", "list": "warn"}.get(one.by, "bad"),
            priority=1,
        ),
        Column(
            "an hour",
            lambda one: None if one.hourly is None else price(one.hourly, found.currency),
            right=True,
            priority=1,
        ),
    )
    return Listing("cost-prices-kinds/v1", columns, found.kinds, document=_kind)


def _kind(one: KindPriced) -> dict[str, Any]:
    return {
        "instance_type": one.instance_type,
        "region": one.region,
        "capacity": one.capacity,
        "nodes": one.nodes,
        "priced_by": one.by or None,
        "hourly": one.hourly,
    }
