"""`maestro scale`: set how many replicas a workload wants."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.changing import Parameters, change_command

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
@change_command("scale")
def scale(
    replicas: Annotated[int, typer.Option(metavar="N", help="So many; 0 leaves none.", min=0)],
) -> Parameters:
    """Set how many replicas a workload wants, and wait until they are ready.

    Refused where an autoscaler sets them: it would take the change back.

    Example: maestro scale ml/deploy/fraud --replicas 5
    """
    return {"replicas": replicas}
