"""`maestro set`: what a workload runs and asks for, a key of a config map, bounds of an autoscaler."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.changing import Parameters, change_command
from maestro_cli.cli.targets import A_CONFIG_MAP, AN_AUTOSCALER

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def set_() -> None:
    """Set images, environment or resources of a workload, a key of a config map, bounds of an autoscaler."""


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


@app.command()
@change_command("set-resources", takes_time=True)
def resources(
    amounts: Annotated[
        list[str],
        typer.Argument(
            metavar="[CONTAINER/]requests.cpu=AMOUNT|…-",
            help="requests and limits of cpu and memory to set, and to remove (limits.memory-).",
        ),
    ],
    watch: Annotated[
        float | None,
        typer.Option("--watch-seconds", metavar="N", help="So long it has to go well; by default 60."),
    ] = None,
) -> Parameters:
    """Set what containers of a workload ask for and where they end, and watch whether it goes well.

    It is undone where a replica is killed for its memory, or an objective of the workload burns.

    Example: maestro set resources ml/deploy/fraud server/requests.cpu=250m server/limits.memory=512Mi
    """
    return {"resources": amounts, **({} if watch is None else {"watch_seconds": watch})}


@app.command()
@change_command("set-config", A_CONFIG_MAP)
def config(
    assignment: Annotated[
        str, typer.Argument(metavar="KEY=VALUE|KEY-", help="The key to set, or to remove (KEY-).")
    ],
    rollout: Annotated[
        bool, typer.Option("--rollout", help="Restart the workloads that read it, and wait for them.")
    ] = False,
) -> Parameters:
    """Set or remove one key of a config map.

    Files of a volume follow within a minute or so by themselves; environment variables only with a restart. A
    value of a secret-looking key is shown and recorded nowhere; one that itself looks secret is refused.

    Example: maestro set config fraud-settings LOG_LEVEL=debug --rollout -n ml
    """
    key, equals, value = assignment.partition("=")
    if not equals and key.endswith("-"):
        return {"key": key[:-1], "remove": True, "rollout": rollout}
    return {"key": key, "rollout": rollout, **({"value": value} if equals else {})}


@app.command()
@change_command("scale-hpa", AN_AUTOSCALER)
def hpa(
    least: Annotated[
        int | None, typer.Option("--min", metavar="N", help="At least so many replicas.")
    ] = None,
    most: Annotated[int | None, typer.Option("--max", metavar="N", help="At most so many.")] = None,
    cpu: Annotated[
        int | None,
        typer.Option("--cpu", metavar="PERCENT", help="Share of the CPU request that pods are to use."),
    ] = None,
) -> Parameters:
    """Move the bounds or the target of an autoscaler, and wait until the replicas are within the bounds.

    Example: maestro set hpa fraud --min 4 --max 12 -n ml
    """
    return {"min": least, "max": most, **({} if cpu is None else {"cpu": cpu})}
