"""`maestro workload`: the deployments, stateful sets and daemon sets of a cluster."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.options import (
    AllNamespacesOption,
    InNamespaceOption,
    OutputOption,
    SelectorOption,
    SortOption,
    output_options,
)
from maestro_cli.output.renderers.inventory import workloads_view
from maestro_cli.output.writer import emit
from maestro_cli.services.inventory import Wanted

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def workload() -> None:
    """List deployments, stateful sets and daemon sets."""


@app.command("list")
def list_workloads(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Only those whose name begins so.")] = "",
    namespace: InNamespaceOption = None,
    everywhere: AllNamespacesOption = False,
    selector: SelectorOption = "",
    sort_by: SortOption = "",
    output: OutputOption = "table",
) -> None:
    """List workloads: replicas ready and wanted, revision, rollout, images, and who manages them.

    Sort by name, namespace, kind, health, status, ready or age.

    Example: maestro workload list -A --sort-by health
    """
    options = output_options(ctx, output)
    found = ctx.obj.list_workloads(Wanted(name, namespace, everywhere, selector, sort_by=sort_by))
    emit(workloads_view(found, ctx.obj.clock.now()), options)
