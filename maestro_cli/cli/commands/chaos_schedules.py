"""`maestro chaos schedule`: experiments that recur."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_cli.cli.options import ConfirmContextOption, OutputOption, YesOption, output_options
from maestro_cli.output.diagnostics import note
from maestro_cli.output.writer import emit


def schedule(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file of schedules.")],
    due: Annotated[bool, typer.Option("--due", help="Run what is due now, each time once.")] = False,
    yes: YesOption = False,
    confirm_context: ConfirmContextOption = "",
    output: OutputOption = "table",
) -> None:
    """Show when experiments recur: what is due, what comes next, which times were missed.

    With --due it runs what is due, as `chaos gate` does, and is meant for whatever calls it each minute. What
    was missed is told and never made up for; a blackout refuses (20) as any run, and uses the time up.

    Example: maestro chaos schedule weekly.yaml --due --yes
    """
    from maestro_cli.output.renderers.chaos_gate import gate_view
    from maestro_cli.output.renderers.chaos_schedules import schedules_view
    from maestro_cli.services.chaos_schedules import run_due, standings

    options = output_options(ctx, output)
    if not due:
        emit(schedules_view(standings(ctx.obj, file)), options)
        return
    with ctx.obj.progress() as progress:
        outcomes, decision = run_due(ctx.obj, file, yes=yes, typed_context=confirm_context, progress=progress)
    if decision is None:
        note("nothing is due")
        return
    emit(gate_view(outcomes, decision, {}), options)
    if decision.ends_with:
        raise typer.Exit(decision.ends_with)
