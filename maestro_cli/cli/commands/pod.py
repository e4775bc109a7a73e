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
from maestro_cli.output.renderers.inventory import pods_view
from maestro_cli.output.writer import emit
from maestro_cli.services.inventory import Wanted

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def pod() -> None:
    """List pods, and have one end."""


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
