"""`maestro node`: the nodes of a cluster."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.options import (
    FieldSelectorOption,
    OutputOption,
    SelectorOption,
    SortOption,
    output_options,
)
from maestro_cli.output.renderers.inventory import nodes_view
from maestro_cli.output.writer import emit
from maestro_cli.services.inventory import Wanted

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def node() -> None:
    """List nodes: status, pressure, zone, version, taints."""


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
