"""`maestro pod`: the pods of a cluster."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.changing import Parameters, change_command
from maestro_cli.cli.options import (
    AllNamespacesOption,
    FieldSelectorOption,
    InNamespaceOption,
    OutputOption,
    SelectorOption,
    SortOption,
    output_options,
)
from maestro_cli.cli.targets import A_POD
from maestro_cli.output.renderers.descriptions import description_view
from maestro_cli.output.renderers.inventory import pods_view
from maestro_cli.output.renderers.logs import print_logs
from maestro_cli.output.writer import emit, emit_text
from maestro_cli.services.inspecting import WantedLogs, several
from maestro_cli.services.inventory import Wanted

PodArgument = Annotated[str, typer.Argument(metavar="NAME", help="NAME, or namespace/pod/NAME.")]

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def pod() -> None:
    """List pods, look into one, read their logs, and have one end."""


@app.command("list")
def list_pods(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Only those whose name begins so.")] = "",
    namespace: InNamespaceOption = None,
    everywhere: AllNamespacesOption = False,
    selector: SelectorOption = "",
    fields: FieldSelectorOption = "",
    sort_by: SortOption = "",
    output: OutputOption = "table",
) -> None:
    """List pods as kubectl does, with restarts, zone and, in wide, images, models and what went wrong.

    Sort by name, namespace, health, status, restarts, age, node or zone.

    Example: maestro pod list -A --sort-by health
    """
    options = output_options(ctx, output)
    found = ctx.obj.list_pods(Wanted(name, namespace, everywhere, selector, fields, sort_by))
    emit(pods_view(found, ctx.obj.clock.now(), everywhere=everywhere), options)


@app.command()
def describe(
    ctx: typer.Context, name: PodArgument, namespace: InNamespaceOption = None, output: OutputOption = "table"
) -> None:
    """Show a pod closely: conditions, containers, events and owners.

    What the caller may not read is said. Values that sound like secrets are hidden.

    Example: maestro pod describe fraud-5c9f-x2x -n ml
    """
    found = ctx.obj.describe(ctx.obj.object_named("Pod", name, namespace))
    emit(description_view(found, ctx.obj.clock.now()), output_options(ctx, output))


@app.command("yaml")
def as_yaml(ctx: typer.Context, name: PodArgument, namespace: InNamespaceOption = None) -> None:
    """Print a pod as YAML, without managedFields, and with secrets hidden.

    Example: maestro pod yaml fraud-5c9f-x2x -n ml
    """
    emit_text(ctx.obj.object_text(ctx.obj.object_named("Pod", name, namespace)).text)


@app.command()
def logs(
    ctx: typer.Context,
    targets: Annotated[
        list[str], typer.Argument(metavar="TARGET", help="A pod, or deploy/NAME, sts/NAME, ds/NAME.")
    ],
    namespace: InNamespaceOption = None,
    container: Annotated[
        list[str] | None, typer.Option("--container", "-c", metavar="NAME", help="Only this one; repeatable.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on, with pods that come.")] = False,
    previous: Annotated[bool, typer.Option("--previous", help="Of the run before the last restart.")] = False,
    since: Annotated[str, typer.Option(metavar="DURATION", help="Only lines of the last 5m, 1h …")] = "",
    tail: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="The last N lines of each container.")
    ] = None,
    grep: Annotated[str, typer.Option(metavar="REGEX", help="Only lines that have this (RE2).")] = "",
    exclude: Annotated[str, typer.Option(metavar="REGEX", help="No lines that have this (RE2).")] = "",
    timestamps: Annotated[bool, typer.Option("--timestamps", help="The instant before each line.")] = False,
    output: OutputOption = "table",
) -> None:
    """Show what containers print, several pods as one log by the instants of their lines.

    Lines are filtered where they are read; one longer than 16 KiB is cut and ends in `…`. What is missing is
    said on stderr. With -o json one document a line. Exit 15 when there is no log to read.

    Example: maestro pod logs deploy/fraud -f --since 5m --exclude healthz
    """
    options = output_options(ctx, output)
    wanted = WantedLogs(
        tuple(targets), namespace, tuple(container or ()), follow, previous, since, tail, grep, exclude
    )
    named = several(targets)
    print_logs(ctx.obj.read_logs(wanted), options, named=named, stamped=timestamps)


@app.command()
@change_command("delete-pod", A_POD)
def delete(
    outright: Annotated[
        bool, typer.Option("--without-eviction", help="Delete it outright, past disruption budgets.")
    ] = False,
) -> Parameters:
    """Evict a pod, and wait until it is gone and another is ready in its place.

    The cluster refuses where a disruption budget has no headroom. Deleting it outright then also needs
    --accept disruption-budget. It cannot be undone.

    Example: maestro pod delete fraud-5c9f-x2x -n ml
    """
    return {"without_eviction": outright}
