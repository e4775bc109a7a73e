"""`maestro rollback`: return a workload to an earlier revision."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.changing import Parameters, change_command

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
@change_command("rollback")
def rollback(
    to_revision: Annotated[
        int | None,
        typer.Option(metavar="N", help="This revision; by default the last known good one.", min=1),
    ] = None,
) -> Parameters:
    """Return a workload to an earlier revision, as a planned, gated and verified change.

    Example: maestro rollback ml/deploy/fraud --dry-run
    """
    return {"to_revision": to_revision} if to_revision else {}
