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
from maestro_cli.output.renderers.descriptions import description_view
from maestro_cli.output.renderers.inventory import workloads_view
from maestro_cli.output.writer import emit, emit_text
from maestro_cli.services.inventory import Wanted

WorkloadArgument = Annotated[
    str,
    typer.Argument(metavar="NAME", help="deploy/NAME, sts/NAME or ds/NAME, with namespace/ before it or -n."),
]

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def workload() -> None:
    """List deployments, stateful sets and daemon sets, and look into one."""


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


@app.command()
def describe(
    ctx: typer.Context,
    name: WorkloadArgument,
    namespace: InNamespaceOption = None,
    output: OutputOption = "table",
) -> None:
    """Show a workload closely: conditions, revisions with their pods, and the events of all of them.

    What the caller may not read is said. Values that sound like secrets are hidden.

    Example: maestro workload describe ml/deploy/fraud
    """
    found = ctx.obj.describe(ctx.obj.object_named("Workload", name, namespace))
    emit(description_view(found, ctx.obj.clock.now()), output_options(ctx, output))


@app.command("yaml")
def as_yaml(ctx: typer.Context, name: WorkloadArgument, namespace: InNamespaceOption = None) -> None:
    """Print a workload as YAML, without managedFields, and with secrets hidden.

    Example: maestro workload yaml ml/deploy/fraud
    """
    emit_text(ctx.obj.object_text(ctx.obj.object_named("Workload", name, namespace)).text)
