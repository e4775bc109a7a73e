"""Who pays what, as views: the bill, its rows, the dearest of them.

Invariant: money is rounded on the screen alone; JSON has the figures as they were added up, and its rows add
up to its bill. What is missing is told beside every sum.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from maestro_cli.core.money import amount_words, money
from maestro_cli.core.quantities import counted, format_share
from maestro_cli.cost.allocation.model import Allocation, Component, Row, RowKind
from maestro_cli.cost.prices.model import HOURS_OF_A_MONTH, Resource
from maestro_cli.cost.spans.span import LEAST_COMPARED
from maestro_cli.output.money import Amount, amount_cell
from maestro_cli.output.renderers.cost_pictures import BARS, TREEMAP, TREND, pictures_of
from maestro_cli.output.renderers.cost_words import hour_words, key_columns
from maestro_cli.output.strips import bar
from maestro_cli.output.views import Block, Column, Fields, Heading, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.cost.allocation.report import AllocationFound, CostReport, IncidentSpan

_LEAST_SEEN = 0.5
_NOT_COMPARED = {
    True: "not told: less than two hours, and within an hour all is taken to cost alike",
    False: "not metered in all of that time",
}
_BAR = 16


def show_view(found: AllocationFound, picture: str = "") -> Report:
    """What the bill is made of, and its rows by one grouping; a terminal shows the picture that is named."""
    one = found.allocation
    blocks: tuple[Block, ...] = (
        *(
            ()
            if found.span is None
            else (Fields(_span_words(found.span, one.currency)), Heading("its hours"))
        ),
        Fields(_about(found)),
        Heading("bill"),
        _bill(one),
        Heading(f"by {_by(one)}"),
        _rows(one, brief=True),
        *pictures_of(found.hourly, shown=picture),
    )
    return Report("cost/v1", allocation_document(found), blocks, _rows(one, brief=False), "What it costs")


def allocation_view(found: AllocationFound) -> Report:
    """Every cell of every row."""
    rows = _rows(found.allocation, brief=False)
    return Report("cost-allocation/v1", allocation_document(found), (Fields(_about(found)), rows), rows=rows)


def top_view(found: AllocationFound, limit: int) -> Report:
    """The dearest spenders alone, and what share of the bill they are."""
    one = found.allocation
    spenders = [row for row in one.rows if row.kind is RowKind.SPENDER]
    dearest = sorted(spenders, key=lambda row: (-round(row.total, 9), row.keys))[:limit]
    share = sum(row.total for row in dearest) / one.total if one.total else 0.0
    told = f"{len(dearest)} of {counted(len(spenders), 'row')}, {format_share(share)} of the bill"
    about: list[tuple[str, object]] = [*_about(found), ("shown", told)]
    document = {**allocation_document(found), "rows": [_document(row, one) for row in dearest]}
    listing = Listing(
        "cost-top-rows/v1", _columns(one, brief=True), dearest, document=lambda row: _document(row, one)
    )
    rows = replace(listing, columns=_columns(one, brief=False))
    return Report("cost-top/v1", document, (Fields(about), listing), rows=rows)


def report_view(report: CostReport) -> Report:
    """One bill by several groupings; a page has a treemap of each, and bars by the first."""
    first = report.first
    blocks: list[Block] = [
        Fields(_about(first)),
        Heading("bill"),
        _bill(first.allocation),
        *pictures_of(first.hourly, kinds=(BARS, TREND)),
    ]
    for number, found in enumerate(report.found, 1):
        blocks += [
            Heading(f"by {_by(found.allocation)}"),
            *pictures_of(found.hourly, number, kinds=(TREEMAP,)),
            _rows(found.allocation, brief=True),
        ]
    document = {
        **_head(first),
        "groupings": [
            {"grouping": one.allocation.grouping, "rows": _documents(one.allocation)} for one in report.found
        ],
    }
    rows = _rows(first.allocation, brief=False)
    return Report("cost-report/v1", document, blocks, rows, "What it costs")


def allocation_document(found: AllocationFound) -> dict[str, Any]:
    return {**_head(found), "grouping": found.allocation.grouping, "rows": _documents(found.allocation)}


def _head(found: AllocationFound) -> dict[str, Any]:
    one = found.allocation
    return {
        "cluster": one.cluster,
        "window": {"start": one.hours.start, "end": one.hours.end, "hours": one.hours.count},
        "currency": one.currency,
        "prices": found.source,
        "record": found.digest or None,
        "incident": None if found.span is None else _span_document(found.span),
        "where": one.where or None,
        "sharing": one.sharing or None,
        "bill": {component.value: amount for component, amount in one.bill.items()},
        "total": one.total,
        "selected": one.selected,
        "per_month": _monthly(one),
        "coverage": one.coverage,
        "unpriced": one.unpriced,
        "notes": one.notes,
    }


def _about(found: AllocationFound) -> list[tuple[str, object]]:
    one = found.allocation
    monthly = _monthly(one)
    month = "" if monthly is None else f", {amount_words(monthly)} a month of 730 h"
    rows: list[tuple[str, object]] = [
        ("cluster", one.cluster),
        ("from", hour_words(one.hours.start)),
        ("to", hour_words(one.hours.end)),
        ("prices", found.source or None),
        (
            "bill",
            f"{money(one.total, one.currency)} in {one.hours.count} h{month}",
        ),
    ]
    if one.where:
        rows.append(("where", one.where))
        rows.append(("selected", money(one.selected, one.currency)))
    if one.sharing:
        rows.append(("shared", one.sharing))
    rows.append(("coverage", format_share(one.coverage)))
    rows += [("no price", text) for text in one.unpriced]
    rows += [("note", text) for text in one.notes]
    if found.digest:
        rows.append(("record", f"sha256:{found.digest}"))
    return rows


def _span_words(span: IncidentSpan, currency: str) -> list[tuple[str, object]]:
    cost = span.cost

    def words(amount: float | None) -> str | None:
        return None if amount is None else money(amount, currency)

    kind = "drill" if span.is_drill else "incident"
    return [
        (kind, f"#{span.number} {span.title}"),
        ("from", cost.start),
        ("until the last look" if span.lasts else "to", cost.end),
        ("machines", words(cost.cost) or "not metered in all of this time"),
        ("as long before", words(cost.usual) or _NOT_COMPARED[cost.end - cost.start < LEAST_COMPARED]),
        ("more than that", words(cost.more)),
    ]


def _span_document(span: IncidentSpan) -> dict[str, Any]:
    cost = span.cost
    return {
        "number": span.number,
        "title": span.title,
        "drill": span.is_drill,
        "lasts": span.lasts,
        "start": cost.start,
        "end": cost.end,
        "cost": cost.cost,
        "as_long_before": cost.usual,
        "more": cost.more,
    }


def _monthly(one: Allocation) -> float | None:
    """What a month of such hours costs; None where nodes were seen in less than half of them."""
    if one.seen_hours < _LEAST_SEEN * one.hours.count:
        return None
    return one.total / one.seen_hours * HOURS_OF_A_MONTH


def _by(one: Allocation) -> str:
    return ", ".join(one.grouping)


def _bill(one: Allocation) -> Listing[Any]:
    """Of each component what is paid, and how much of that nobody asked for."""
    idle = [row for row in one.rows if row.kind is RowKind.IDLE]
    lines = [
        (component.value, amount, sum(row.costs.get(component, 0.0) for row in idle))
        for component, amount in one.bill.items()
    ]
    columns: tuple[Column[Any], ...] = (
        Column("component", lambda line: line[0]),
        Column(one.currency, lambda line: Amount(line[1]), right=True),
        Column("share", lambda line: _share(line[1], one.total), right=True),
        Column("idle", lambda line: Amount(line[2]) if line[2] else None, right=True),
        Column("", lambda line: bar(line[1] / one.total, _BAR) if one.total > 0 else "", priority=3),
    )
    return Listing("cost-bill/v1", columns, lines, empty="nothing that was measured has a price")


def _rows(one: Allocation, *, brief: bool) -> Listing[Row]:
    return Listing(
        "cost-rows/v1",
        _columns(one, brief=brief),
        one.rows,
        document=lambda row: _document(row, one),
        empty="nothing that was measured has a price",
    )


def _columns(one: Allocation, *, brief: bool) -> list[Column[Row]]:
    """The keys, then figures; the cells of a component stand only where some row has one."""
    present = [part for part in Component if any(part in row.costs for row in one.rows)]
    columns = key_columns(one.grouping)
    columns += [_cell(part) for part in present if not brief]
    columns += [
        Column(one.currency, lambda row: Amount(row.total), right=True, priority=0),
        Column("share", lambda row: _share(row.total, one.total), right=True, priority=1),
    ]
    columns += [
        Column(f"{name} used", _efficiency(resource), right=True, priority=2)
        for name, resource in (("cpu", Resource.CPU), ("memory", Resource.MEMORY), ("gpu", Resource.GPU))
        if any(row.charged.get(resource.value) for row in one.rows)
    ]
    if brief:
        columns.append(
            Column("", lambda row: bar(row.total / one.total, _BAR) if one.total > 0 else "", priority=3)
        )
    return columns


def _cell(component: Component) -> Column[Row]:
    return Column(
        component.value,
        lambda row: amount_cell(row.costs.get(component)),
        right=True,
        priority=2,
    )


def _efficiency(resource: Resource) -> Callable[[Row], str | None]:
    def cell(row: Row) -> str | None:
        share = row.efficiency(resource)
        return None if share is None or resource.value not in row.used else format_share(share)

    return cell


def _share(amount: float, total: float) -> str | None:
    return format_share(amount / total) if total > 0 else None


def _documents(one: Allocation) -> Sequence[Mapping[str, Any]]:
    return [_document(row, one) for row in one.rows]


def _document(row: Row, one: Allocation) -> dict[str, Any]:
    return {
        "kind": row.kind.value,
        "keys": dict(zip(one.grouping, row.keys, strict=True)),
        "costs": {component.value: amount for component, amount in row.costs.items()},
        "direct": row.direct,
        "total": row.total,
        "requested": row.requested,
        "used": row.used,
        "charged": row.charged,
        "efficiency": {resource.value: row.efficiency(resource) for resource in Resource},
    }
