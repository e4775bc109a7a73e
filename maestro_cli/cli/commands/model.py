"""`maestro model`: versions of models on the replicas that serve them."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.changing import ModelOption, Parameters, VersionOption, change_command
from maestro_cli.cli.targets import A_ROUTING, A_SERVER

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def model() -> None:
    """Promote, load and unload versions of models, and have kept answers forgotten."""


@app.command()
@change_command("promote", A_ROUTING)
def promote(model: ModelOption, version: VersionOption) -> Parameters:
    """Have one version of a model answer all requests for it. Refused while frozen.

    TARGET as in `maestro traffic set`.

    Example: maestro model promote ml/deploy/fraud --model fraud --version 2
    """
    return {"model": model, "version": version}


@app.command()
@change_command("load-model", A_SERVER)
def load(model: ModelOption, version: VersionOption) -> Parameters:
    """Have every replica load a version, and prove it on its golden rows. It gets no traffic by that.

    TARGET is the deployment behind the context's serving address, or `server`, when one is alone. A replica
    that starts later loads what its command line says.

    Example: maestro model load ml/deploy/fraud --model fraud --version 2
    """
    return {"model": model, "version": version}


@app.command()
@change_command("unload-model", A_SERVER)
def unload(model: ModelOption, version: VersionOption) -> Parameters:
    """Have every replica let go of a version. Refused while the routing names it, or none is left to answer.

    Example: maestro model unload ml/deploy/fraud --model fraud --version 2
    """
    return {"model": model, "version": version}


@app.command("clear-cache")
@change_command("clear-cache", A_SERVER)
def clear_cache(
    model: Annotated[str, typer.Option(metavar="NAME", help="Of this model; by default of all.")] = "",
) -> Parameters:
    """Have every replica forget the answers that it kept. Cannot be undone.

    Example: maestro model clear-cache ml/deploy/fraud --model fraud
    """
    return {"model": model} if model else {}
