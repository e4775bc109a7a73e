"""`maestro doctor`: every path, version and endpoint, and what works."""

from __future__ import annotations

import typer

from maestro_cli.cli.options import OutputOption, output_options
from maestro_cli.core.errors import ExitCode
from maestro_cli.output.renderers.contexts import doctor_view
from maestro_cli.output.writer import emit

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def doctor(ctx: typer.Context, output: OutputOption = "table") -> None:
    """Check paths, versions, endpoints, and what works. Exit 10 when something needed does not.

    Example: maestro doctor -o json
    """
    findings, checks = ctx.obj.examine()
    view = doctor_view(findings, checks)
    emit(view, output_options(ctx, output))
    if not view.document["ok"]:
        raise typer.Exit(ExitCode.CONDITION_NOT_MET)
