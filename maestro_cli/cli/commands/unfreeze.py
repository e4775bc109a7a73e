"""`maestro unfreeze`: allow promotions again."""

from __future__ import annotations

import typer

from maestro_cli.cli.changing import Parameters, change_command
from maestro_cli.cli.targets import A_ROUTING

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
@change_command("unfreeze", A_ROUTING)
def unfreeze() -> Parameters:
    """Allow promotions and growing canaries again.

    TARGET as in `maestro traffic set`.

    Example: maestro unfreeze ml/deploy/fraud
    """
    return {}
