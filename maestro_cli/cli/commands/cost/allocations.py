"""`maestro cost show|top|allocate|report|diff`: what the bill is made of, who pays what, and what changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_cli.cli import offers
from maestro_cli.cli.commands.cost.offers import pictures
from maestro_cli.cli.commands.cost.options import (
    ByOption,
    FromOption,
    PricesOption,
    RecordOption,
    ShareIdleOption,
    ShareOption,
    ShareOrderOption,
    ShareOverheadOption,
    UntilOption,
    WeightOption,
    WhereOption,
    WindowOption,
)
from maestro_cli.cli.options import OutputOption, output_options
from maestro_cli.core.errors import UsageError
from maestro_cli.output.writer import emit
from maestro_cli.services.costs.wanted import AllocationWanted, CostWindow


def show(
    ctx: typer.Context,
    window: WindowOption = "",
    until: UntilOption = "",
    by: ByOption = "namespace",
    where: WhereOption = "",
    share_idle: ShareIdleOption = "row",
    share: ShareOption = None,
    share_overhead: ShareOverheadOption = "",
    share_weight: WeightOption = None,
    share_order: ShareOrderOption = "",
    prices: PricesOption = None,
    from_: FromOption = None,
    record: RecordOption = None,
    incident: Annotated[
        str,
        typer.Option(
            metavar="INCIDENT",
            help="The hours of an incident or a drill, and its part of them.",
            autocompletion=offers.incidents,
        ),
    ] = "",
    drill: Annotated[
        str, typer.Option(metavar="DRILL", help="The same of the newest drill of a name, or one by its id.")
    ] = "",
    picture: Annotated[
        str,
        typer.Option(
            metavar="KIND",
            help="Also drawn: treemap, bars by hour or day, or trend.",
            autocompletion=pictures,
        ),
    ] = "",
    output: OutputOption = "table",
) -> None:
    """Show what the cluster costs and who causes it.

    Of the last 24h where no window is named. All rows add up to the bill: what nobody asked for, what belongs
    to nobody and what is left out are rows.
    Exit 15 when nothing was measured or nothing has a price.

    Example: maestro cost show --window 7d --by team

    Example: maestro cost show --incident latest --by workload

    Example: maestro cost show --drill bad-release

    Example: maestro cost show --window 24h --record day.tar.gz && maestro cost show --from day.tar.gz

    Example: maestro cost show --window 7d --by team --picture bars

    Example: maestro cost show --window 7d -o html > week.html
    """
    from maestro_cli.output.renderers.cost_allocation import show_view
    from maestro_cli.output.renderers.cost_pictures import check_picture

    check_picture(picture)
    options = output_options(ctx, output)
    wanted = AllocationWanted(
        CostWindow(window, until, prices, from_), by, where, share_idle, tuple(share or ()), share_overhead,
        tuple(share_weight or ()), record, share_order,
    )  # fmt: skip
    if incident and drill:
        raise UsageError("an incident and a drill", why="a drill has its incident", fix="leave one out")
    if drill:
        found = ctx.obj.drill_allocation(wanted, drill)
    else:
        found = ctx.obj.incident_allocation(wanted, incident) if incident else ctx.obj.allocation(wanted)
    emit(show_view(found, picture), options)


def top(
    ctx: typer.Context,
    window: WindowOption = "",
    until: UntilOption = "",
    by: ByOption = "workload",
    where: WhereOption = "",
    share_idle: ShareIdleOption = "row",
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="How many rows.")] = 10,
    prices: PricesOption = None,
    from_: FromOption = None,
    output: OutputOption = "table",
) -> None:
    """Show what costs most, and how much of it is used.

    Example: maestro cost top --window 7d --where namespace=ml

    Example: maestro cost top --by model,version --limit 5 -o json
    """
    from maestro_cli.output.renderers.cost_allocation import top_view

    options = output_options(ctx, output)
    wanted = AllocationWanted(CostWindow(window, until, prices, from_), by, where, share_idle)
    emit(top_view(ctx.obj.allocation(wanted), limit), options)


def allocate(
    ctx: typer.Context,
    window: WindowOption = "",
    until: UntilOption = "",
    by: ByOption = "namespace",
    where: WhereOption = "",
    share_idle: ShareIdleOption = "row",
    share: ShareOption = None,
    share_overhead: ShareOverheadOption = "",
    share_weight: WeightOption = None,
    share_order: ShareOrderOption = "",
    prices: PricesOption = None,
    from_: FromOption = None,
    record: RecordOption = None,
    output: OutputOption = "table",
) -> None:
    """Share the bill out: all cells of all rows.

    A filter takes rows out of the whole and changes none of them. More asked for than a node has is a row
    below zero.

    Example: maestro cost allocate --by team --share-idle node --share kube-system=cost -o csv

    Example: maestro cost allocate --by label:app.kubernetes.io/name --where namespace=ml
    """
    from maestro_cli.output.renderers.cost_allocation import allocation_view

    options = output_options(ctx, output)
    wanted = AllocationWanted(
        CostWindow(window, until, prices, from_), by, where, share_idle, tuple(share or ()), share_overhead,
        tuple(share_weight or ()), record, share_order,
    )  # fmt: skip
    emit(allocation_view(ctx.obj.allocation(wanted)), options)


def report(
    ctx: typer.Context,
    window: WindowOption = "",
    until: UntilOption = "",
    where: WhereOption = "",
    share_idle: ShareIdleOption = "row",
    share: ShareOption = None,
    share_overhead: ShareOverheadOption = "",
    share_weight: WeightOption = None,
    share_order: ShareOrderOption = "",
    prices: PricesOption = None,
    from_: FromOption = None,
    record: RecordOption = None,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it there, .md or .html, instead of to stdout.")
    ] = None,
    output: OutputOption = "md",
) -> None:
    """Tell one bill by several groupings, as a document.

    By namespace, team, workload, model and version, and node; of the last 7d where no window is named.

    Made of a record, it has the same bytes wherever it is made.

    Example: maestro cost report --window 30d --share-idle cluster --record november.tar.gz > november.md

    Example: maestro cost report --from november.tar.gz --to november.html
    """
    from maestro_cli.output.renderers.cost_allocation import report_view
    from maestro_cli.services.costs.documents import check_document, write_document

    if to is not None:
        check_document(to)
    options = output_options(ctx, output)
    wanted = AllocationWanted(
        CostWindow(window, until, prices, from_, "7d"), "namespace", where, share_idle, tuple(share or ()),
        share_overhead, tuple(share_weight or ()), record, share_order,
    )  # fmt: skip
    view = report_view(ctx.obj.cost_report(wanted))
    if to is None:
        emit(view, options)
    else:
        write_document(view, to, "What it costs")


def diff(
    ctx: typer.Context,
    before: Annotated[Path | None, typer.Argument(metavar="[BEFORE", help="A record.")] = None,
    after: Annotated[Path | None, typer.Argument(metavar="AFTER]", help="A later one.")] = None,
    window: WindowOption = "",
    until: UntilOption = "",
    by: ByOption = "workload",
    where: WhereOption = "",
    share_idle: ShareIdleOption = "row",
    prices: PricesOption = None,
    output: OutputOption = "table",
) -> None:
    """Tell what costs more or less than before, and why.

    By prices, by amounts, what is new and what is gone. Two records, or the last whole hours and as many
    before them.

    Example: maestro cost diff --window 7d --by team

    Example: maestro cost diff october.tar.gz november.tar.gz -o json
    """
    from maestro_cli.output.renderers.cost_diff import difference_view

    options = output_options(ctx, output)
    wanted = AllocationWanted(CostWindow(window, until, prices), by, where, share_idle)
    emit(difference_view(ctx.obj.cost_difference(wanted, before, after)), options)
