"""`maestro traffic`: which version of a model answers which share of the requests, and which region all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_cli.cli.changing import (
    ModelOption,
    Parameters,
    ShareOption,
    VersionOption,
    change_command,
    read_share,
)
from maestro_cli.cli.targets import A_ROUTING, AN_ENTRANCE

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def traffic() -> None:
    """Set which version of a model answers which share of the requests, and which region serves."""


@app.command("set")
@change_command("set-traffic", A_ROUTING)
def set_(
    model: ModelOption,
    version: VersionOption,
    share: ShareOption,
    stable: Annotated[
        int | None, typer.Option(metavar="VERSION", help="Who answers the rest, where no route says it.")
    ] = None,
    key: Annotated[
        str,
        typer.Option(metavar="KEY", help="Keep who has the same in one arm: header:NAME, parameter:NAME."),
    ] = "",
) -> Parameters:
    """Give a version of a model a share of the requests, as a canary; a share of 0 ends it.

    TARGET is the ConfigMap with the routing, the deployment that mounts it, or `server`: the context's own
    server, when it is alone. It holds when every replica says that it answers by it.

    Example: maestro traffic set ml/deploy/fraud --model fraud --version 2 --share 10%
    """
    given = {"model": model, "version": version, "share": read_share(share), "stable": stable, "key": key}
    return {name: value for name, value in given.items() if value not in (None, "")}


@app.command()
@change_command("set-weight")
def weigh(
    share: ShareOption,
    beside: Annotated[str, typer.Option(metavar="NAME", help="The other deployment behind the Service.")],
) -> Parameters:
    """Give a deployment a share of the replicas behind a Service that another deployment is behind too.

    Only the named one is scaled, to whole replicas as near to the share as they come. A share of 0 ends it.

    Example: maestro traffic weigh ml/deploy/fraud-canary --beside fraud --share 20%
    """
    return {"share": read_share(share), "beside": beside}


@app.command("region")
@change_command("switch-region", AN_ENTRANCE)
def send(
    to: Annotated[str, typer.Option("--to", metavar="REGION", help="A region, as the entrance names it.")],
) -> Parameters:
    """Send who comes in by an entrance to another region: its EndpointSlice leads there then.

    NAME is a Service without a selector, which names its regions by annotations: region.maestro.io/NAME, with
    the URL that says whether the region is well. To one that is not, nobody is sent (exit 11).

    Example: maestro traffic region ml/service/entrance --to west
    """
    return {"to": to}


@app.command()
@change_command("set-routing", A_ROUTING)
def apply(
    file: Annotated[
        Path, typer.Option(metavar="FILE", help="The routing document.", exists=True, dir_okay=False)
    ],
) -> Parameters:
    """Put a whole routing document in force, as it is written.

    Example: maestro traffic apply ml/configmap/fraud-routing --file routing.yaml --dry-run
    """
    from maestro_cli.config.strict import read_text

    return {"text": read_text(file)}
