"""What costs more or less than before, and why, as a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maestro_cli.core.money import money, money_change
from maestro_cli.core.quantities import format_share
from maestro_cli.output.money import Amount, Change
from maestro_cli.output.renderers.cost_words import hour_words, key_columns
from maestro_cli.output.views import Column, Fields, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.cost.allocation.comparing import Comparison, Difference
    from maestro_cli.cost.allocation.model import Allocation


def difference_view(found: Comparison) -> Report:
    """JSON has both bills and every row that either has."""
    before, after = found.before, found.after
    rows: list[tuple[str, object]] = [
        ("before", _bill(before)),
        ("after", _bill(after)),
        ("change", f"{money_change(found.change, after.currency)}, {_percent(found)}"),
        ("by prices", money_change(found.by_price, after.currency)),
    ]
    if found.scale != 1:
        rows.append(
            ("note", f"the earlier figures are times {found.scale:.4g}: its window has another length")
        )
    if found.is_unlike:
        shares = " and ".join((
            f"{format_share(before.coverage)} of the earlier window",
            f"{format_share(after.coverage)} of the later",
        ))  # fmt: skip
        rows.append(("note", f"{shares} were measured: a part of the change is of that alone"))
    for name, one in (("before", before), ("after", after)):
        rows.append((f"coverage {name}", format_share(one.coverage)))
        rows += [(f"no price {name}", text) for text in one.unpriced]
        rows += [(f"note {name}", text) for text in one.notes]
    listing = _listing(found)
    return Report("cost-diff/v1", _document(found), (Fields(rows), listing), rows=listing)


def _bill(one: Allocation) -> str:
    window = f"{hour_words(one.hours.start).removesuffix(' UTC')} to {hour_words(one.hours.end)}"
    return f"{money(one.total, one.currency)}, {window}"


def _percent(found: Comparison) -> str:
    before = found.before.total * found.scale
    return f"{found.change / before:+.1%}" if before > 0 else "from nothing"


def _listing(found: Comparison) -> Listing[Difference]:
    columns: list[Column[Difference]] = key_columns(found.after.grouping)
    columns += [
        Column("kind", lambda row: row.kind.value, wide=True),
        Column("before", lambda row: Amount(row.before), right=True, priority=2),
        Column("after", lambda row: Amount(row.after), right=True, priority=2),
        Column("change", lambda row: Change(row.change), right=True, priority=0, tone=_tone),
        Column("by price", lambda row: Change(row.by_price), right=True, priority=3),
        Column("by amount", lambda row: Change(row.by_amount), right=True, priority=3),
        Column("why", lambda row: row.why, priority=1, folds=True),
    ]
    return Listing("cost-changes/v1", columns, found.rows, document=lambda row: _row(row, found))


def _tone(row: Difference) -> str:
    return "warn" if row.change > 0 else ""


def _document(found: Comparison) -> dict[str, Any]:
    return {
        "currency": found.after.currency,
        "grouping": found.after.grouping,
        "scale": found.scale,
        "before": _side(found.before),
        "after": _side(found.after),
        "change": found.change,
        "by_price": found.by_price,
        "rows": [_row(row, found) for row in found.rows],
    }


def _side(one: Allocation) -> dict[str, Any]:
    return {
        "cluster": one.cluster,
        "window": {"start": one.hours.start, "end": one.hours.end, "hours": one.hours.count},
        "total": one.total,
        "coverage": one.coverage,
        "unpriced": one.unpriced,
        "notes": one.notes,
    }


def _row(row: Difference, found: Comparison) -> dict[str, Any]:
    return {
        "kind": row.kind.value,
        "keys": dict(zip(found.after.grouping, row.keys, strict=True)),
        "before": row.before,
        "after": row.after,
        "change": row.change,
        "by_price": row.by_price,
        "by_amount": row.by_amount,
        "is_new": row.is_new,
        "is_gone": row.is_gone,
        "why": row.why,
    }
