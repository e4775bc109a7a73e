"""`maestro set`: give a workload other images or another environment."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.changing import Parameters, change_command

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def set_() -> None:
    """Set the images or the environment of a workload."""


@app.command()
@change_command("set-image")
def image(
    images: Annotated[
        list[str],
        typer.Argument(metavar="CONTAINER=IMAGE", help="A container needs no name where it is alone."),
    ],
) -> Parameters:
    """Give containers of a workload another image, and wait until every replica runs it.

    Example: maestro set image ml/deploy/fraud server=registry.example/server:2
    """
    return {"images": images}


@app.command()
@change_command("set-env")
def env(
    variables: Annotated[
        list[str],
        typer.Argument(metavar="NAME=VALUE|NAME-", help="Variables to set, and to remove (NAME-)."),
    ],
    container: Annotated[
        str, typer.Option("--container", metavar="NAME", help="Of this container, where there are several.")
    ] = "",
) -> Parameters:
    """Set and remove environment variables of a workload, and wait until every replica has them.

    A value that looks secret, or whose name does, is sent to the cluster and shown and recorded nowhere.

    Example: maestro set env ml/deploy/fraud LOG_LEVEL=debug CACHE-
    """
    return {"env": variables, "container": container}
