"""`maestro freeze`: have nothing promoted while an incident is looked into."""

from __future__ import annotations

import typer

from maestro_cli.cli.changing import Parameters, change_command
from maestro_cli.cli.targets import A_ROUTING

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
@change_command("freeze", A_ROUTING)
def freeze() -> Parameters:
    """Have no version promoted and no canary grow, until `maestro unfreeze`. Who answers now stays.

    TARGET as in `maestro traffic set`. The model server has no learners and no bandits that could be stopped.

    Example: maestro freeze ml/deploy/fraud
    """
    return {}
