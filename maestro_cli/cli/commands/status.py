"""`maestro status`: what is wrong, at a glance."""

from __future__ import annotations

import typer

from maestro_cli.cli.options import OutputOption, output_options
from maestro_cli.core.errors import ExitCode
from maestro_cli.output.renderers.overview import overview_view
from maestro_cli.output.writer import emit

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def status(ctx: typer.Context, output: OutputOption = "table") -> None:
    """Show incidents, workloads, alerts and burn.

    Exit 10 when something is wrong, 4 when a backend is silent and nothing is known to be wrong.

    Example: maestro status -o jsonpath='{.well}'
    """
    overview = ctx.obj.overview()
    emit(overview_view(overview, ctx.obj.clock.now()), output_options(ctx, output))
    if overview.is_well is False:
        raise typer.Exit(ExitCode.CONDITION_NOT_MET)
    if overview.is_well is None:
        raise typer.Exit(ExitCode.UNREACHABLE)
