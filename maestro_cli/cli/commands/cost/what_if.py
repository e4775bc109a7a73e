"""`maestro cost what-if`: the bill if something were otherwise."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.commands.cost.offers import workloads_and
from maestro_cli.cli.commands.cost.options import FromOption, PricesOption, UntilOption, WindowOption
from maestro_cli.cli.options import InNamespaceOption, OutputOption, output_options
from maestro_cli.output.writer import emit


def what_if(
    ctx: typer.Context,
    replicas: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORKLOAD=N", help="It would have so many replicas.", autocompletion=workloads_and("=")
        ),
    ] = None,
    cache_hits: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORKLOAD=SHARE",
            help="Its cache would answer so much; NOW:THEN where it is not metered.",
            autocompletion=workloads_and("="),
        ),
    ] = None,
    spot: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORKLOAD=SHARE",
            help="That share of it, or of all, would run on spot.",
            autocompletion=workloads_and("="),
        ),
    ] = None,
    node_type: Annotated[
        list[str] | None, typer.Option(metavar="OLD=NEW", help="As many nodes of the other type.")
    ] = None,
    window: WindowOption = "",
    until: UntilOption = "",
    prices: PricesOption = None,
    record: FromOption = None,
    namespace: InNamespaceOption = None,
    output: OutputOption = "table",
) -> None:
    """Tell what the bill of a month would be, with bounds and every assumption; nothing is changed.

    Several at once are told one after the other: replicas, caches, spot, node types. Exit 15 for what was not
    metered or has no price.

    Example: maestro cost what-if --replicas ml/deploy/fraud=2 --spot ml/deploy/batch=80%

    Example: maestro cost what-if --cache-hits ml/deploy/fraud=20%:60% --node-type m5.xlarge=m6g.xlarge
    """
    from maestro_cli.output.renderers.cost_what_if import what_if_view
    from maestro_cli.services.costs.wanted import CostWindow
    from maestro_cli.services.costs.what_if import WhatIfWanted

    options = output_options(ctx, output)
    wanted = WhatIfWanted(
        CostWindow(window, until, prices, record), replicas or (), cache_hits or (), spot or (),
        node_type or (), namespace,
    )  # fmt: skip
    emit(what_if_view(ctx.obj.what_if(wanted)), options)
