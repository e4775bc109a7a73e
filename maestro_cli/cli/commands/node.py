"""`maestro node`: the nodes of a cluster, and whether they take pods."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.changing import Parameters, change_command
from maestro_cli.cli.options import (
    FieldSelectorOption,
    OutputOption,
    SelectorOption,
    SortOption,
    output_options,
)
from maestro_cli.cli.targets import A_NODE
from maestro_cli.output.renderers.descriptions import description_view
from maestro_cli.output.renderers.inventory import nodes_view
from maestro_cli.output.writer import emit, emit_text
from maestro_cli.services.inventory import Wanted

NodeArgument = Annotated[str, typer.Argument(metavar="NAME", help="NAME, or node/NAME.")]

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def node() -> None:
    """List nodes, look into one, close or open them to new pods, and drain them."""


@app.command("list")
def list_nodes(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Only those whose name begins so.")] = "",
    selector: SelectorOption = "",
    fields: FieldSelectorOption = "",
    sort_by: SortOption = "",
    output: OutputOption = "table",
) -> None:
    """List nodes with their zone, how long they have been ready or not, and what presses them.

    Sort by name, health, status, age, zone or version.

    Example: maestro node list --sort-by health -o wide
    """
    options = output_options(ctx, output)
    found = ctx.obj.list_nodes(Wanted(name, selector=selector, fields=fields, sort_by=sort_by))
    emit(nodes_view(found, ctx.obj.clock.now()), options)


@app.command()
def describe(ctx: typer.Context, name: NodeArgument, output: OutputOption = "table") -> None:
    """Show a node closely: conditions, taints, the pods that run there, and events.

    What the caller may not read is said. Values that sound like secrets are hidden.

    Example: maestro node describe node-a
    """
    found = ctx.obj.describe(ctx.obj.object_named("Node", name, None))
    emit(description_view(found, ctx.obj.clock.now()), output_options(ctx, output))


@app.command("yaml")
def as_yaml(ctx: typer.Context, name: NodeArgument) -> None:
    """Print a node as YAML, without managedFields, and with secrets hidden.

    Example: maestro node yaml node-a
    """
    emit_text(ctx.obj.object_text(ctx.obj.object_named("Node", name, None)).text)


@app.command()
@change_command("cordon", A_NODE)
def cordon() -> Parameters:
    """Have a node take no new pods. Those that run there stay.

    Example: maestro node cordon node-a
    """
    return {}


@app.command()
@change_command("uncordon", A_NODE)
def uncordon() -> Parameters:
    """Have a node take new pods again. None is moved to it.

    Example: maestro node uncordon node-a
    """
    return {}


@app.command()
@change_command("drain", A_NODE, takes_time=True)
def drain(
    bare_pods: Annotated[
        bool, typer.Option("--delete-bare-pods", help="Also end pods that no controller makes again.")
    ] = False,
    empty_dir: Annotated[
        bool, typer.Option("--delete-empty-dir-data", help="Also end pods whose emptyDir is then lost.")
    ] = False,
) -> Parameters:
    """Close a node to new pods, evict those that run there, and wait until they are gone.

    Disruption budgets are waited for. Pods of daemon sets and static pods stay. Its undo opens the node;
    when its time is over, it is undone as the policy says.

    Example: maestro node drain node-a
    """
    return {"bare_pods": bare_pods, "empty_dir": empty_dir}
