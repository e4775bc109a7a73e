"""`maestro cost spot`: which batch work is cheaper on machines that may be taken away."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_cli.cli.options import AllNamespacesOption, InNamespaceOption, OutputOption, output_options
from maestro_cli.core.errors import ExitCode
from maestro_cli.cost.spot.saving import Answer
from maestro_cli.output.renderers.cost_spot import spot_savings_view
from maestro_cli.output.writer import emit
from maestro_cli.services.costs.spot import SpotWanted


def spot(
    ctx: typer.Context,
    prices: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Prices; by default those of the context.")
    ] = None,
    region: Annotated[str, typer.Option(metavar="NAME", help="Prices of this region.")] = "",
    interruptions: Annotated[
        float | None,
        typer.Option(
            "--interruptions-per-hour",
            metavar="RATE",
            help="Where the prices do not say: 0.05 is one in 20h.",
        ),
    ] = None,
    plan_off: Annotated[
        float,
        typer.Option("--savings-plan", metavar="SHARE", help="What a savings plan takes off on-demand."),
    ] = 0.0,
    namespace: InNamespaceOption = None,
    everywhere: AllNamespacesOption = False,
    output: OutputOption = "table",
) -> None:
    """Weigh spot machines for each Job and CronJob: interruptions, restarts and checkpoints counted.

    A pod says how it keeps its work by annotations maestro.dev/checkpoint-every, checkpoint-takes and
    restart-takes. Exit 15 when of no work an answer is known.

    Example: maestro cost spot -A --prices prices.yaml

    Example: maestro cost spot -n training --interruptions-per-hour 0.05 --savings-plan 0.28 -o json
    """
    options = output_options(ctx, output)
    wanted = SpotWanted(namespace, everywhere, prices, region, interruptions, plan_off)
    found = ctx.obj.spot_savings(wanted)
    emit(spot_savings_view(found), options)
    if all(item.answer is Answer.UNKNOWN for item in found.items):
        raise typer.Exit(ExitCode.NO_DATA)
