"""`maestro cost waste`: what is paid for and used by nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_cli.cli.commands.cost.options import FromOption, PricesOption, UntilOption
from maestro_cli.cli.options import OutputOption, output_options
from maestro_cli.core.errors import ExitCode
from maestro_cli.output.renderers.cost_waste import waste_view
from maestro_cli.output.writer import emit
from maestro_cli.services.costs.wanted import CostWindow
from maestro_cli.services.costs.waste import WasteWanted


def waste(
    ctx: typer.Context,
    window: Annotated[
        str, typer.Option(metavar="DURATION", help="How far back to look: at least 25h; by default 7d.")
    ] = "",
    until: UntilOption = "",
    store: Annotated[
        Path | None,
        typer.Option(metavar="STORE", help="A store of models to look at, as `cost storage` does."),
    ] = None,
    prefix: Annotated[
        str, typer.Option(metavar="TEXT", help="What stands before MODEL/VERSION/ in its keys.")
    ] = "",
    prices: PricesOption = None,
    from_: FromOption = None,
    output: OutputOption = "table",
) -> None:
    """Name what is paid for and used by nobody, with its evidence and the command that would end it.

    Models that nobody asks, workloads that hardly compute, replicas beyond need, volumes that nothing
    mounts, caches that answer nothing, metrics with too many series. Nothing is ended; what was not
    measured for the whole window is not called waste. Of what was, --until or --from, no command is given.
    Exit 15 when nothing was found and no kind could be judged.

    Example: maestro cost waste --window 14d

    Example: maestro cost waste --store /srv/models -o json
    """
    options = output_options(ctx, output)
    wanted = WasteWanted(CostWindow(window, until, prices, from_, "7d"), store, prefix)
    found = ctx.obj.waste(wanted)
    emit(waste_view(found), options)
    if found.is_unknown:
        raise typer.Exit(ExitCode.NO_DATA)
