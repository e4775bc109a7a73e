"""`maestro rollout`: hold a rollout, and let it go on."""

from __future__ import annotations

import typer

from maestro_cli.cli.changing import Parameters, change_command

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def rollout() -> None:
    """Hold the rollout of a workload, and let it go on."""


@app.command()
@change_command("pause")
def pause() -> Parameters:
    """Hold a rollout where it is, and every template change to come. Ends no replica.

    Example: maestro rollout pause ml/deploy/fraud
    """
    return {}


@app.command()
@change_command("resume")
def resume() -> Parameters:
    """Let a paused rollout go on, with every template change that was held back.

    Example: maestro rollout resume ml/deploy/fraud
    """
    return {}
