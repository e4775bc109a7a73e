"""`maestro chaos gameday`: several experiments in a row."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_cli.cli.options import ConfirmContextOption, OutputOption, YesOption, output_options
from maestro_cli.output.writer import emit


def gameday(
    ctx: typer.Context,
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="The plan: title, roles, steps.")],
    yes: YesOption = False,
    confirm_context: ConfirmContextOption = "",
    path: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Also write a report: FILE.html or FILE.md.")
    ] = None,
    output: OutputOption = "table",
) -> None:
    """Hold a game day: experiments, drills and breaks in the order of a plan, and a report of it.

    A person at the terminal is asked before each of them, unless --yes is given. It ends with 0 when all
    came out as expected. After 13, 14 and an interruption nothing more is begun.

    Example: maestro chaos gameday friday.yaml --to friday.html
    """
    from maestro_cli.output.evidence import require_writable
    from maestro_cli.output.pages import check_form
    from maestro_cli.output.renderers.chaos_gameday import gameday_view
    from maestro_cli.services.gameday import run_gameday, write_report

    options = output_options(ctx, output)
    if path is not None:  # before anything is broken
        check_form(path)
        require_writable(path)
    with ctx.obj.progress() as progress:
        day, result = run_gameday(ctx.obj, plan, yes=yes, typed_context=confirm_context, progress=progress)
    emit(gameday_view(day, result), options)
    if path is not None:
        write_report(day, result, path)
    if result.exit_code:
        raise typer.Exit(result.exit_code)
