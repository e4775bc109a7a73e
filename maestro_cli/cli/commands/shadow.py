"""`maestro shadow`: ask another version what users ask, and give nobody its answers."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.changing import ModelOption, Parameters, VersionOption, change_command, read_share
from maestro_cli.cli.targets import A_ROUTING

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def shadow() -> None:
    """Ask another version of a model what users ask, and compare; nobody gets its answers."""


@app.command()
@change_command("shadow-start", A_ROUTING)
def start(
    model: ModelOption,
    version: VersionOption,
    share: Annotated[str, typer.Option(metavar="SHARE", help="Of the requests: 0.1 or 10%.")] = "100%",
    stable: Annotated[
        int | None, typer.Option(metavar="VERSION", help="Who answers, where no route says it.")
    ] = None,
) -> Parameters:
    """Ask a version of a model what users ask of it, after each was answered; replicas count how it differs.

    TARGET as in `maestro traffic set`.

    Example: maestro shadow start ml/deploy/fraud --model fraud --version 2
    """
    given = {"model": model, "version": version, "share": read_share(share), "stable": stable}
    return {name: value for name, value in given.items() if value is not None}


@app.command()
@change_command("shadow-stop", A_ROUTING)
def stop(model: ModelOption) -> Parameters:
    """Ask no other version any more. What replicas counted of it is gone then.

    Example: maestro shadow stop ml/deploy/fraud --model fraud
    """
    return {"model": model}
