"""`maestro restart`: replace every replica of a workload."""

from __future__ import annotations

import typer

from maestro_cli.cli.changing import Parameters, change_command

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
@change_command("restart")
def restart() -> Parameters:
    """Replace every replica of a workload by a new one of the same release, a few at a time.

    It cannot be undone: in a protected context it takes a second person.

    Example: maestro restart ml/deploy/fraud --dry-run
    """
    return {}
