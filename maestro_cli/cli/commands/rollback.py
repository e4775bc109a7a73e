"""`maestro rollback`: return a workload to an earlier revision."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.options import (
    ConfirmContextOption,
    DryRunOption,
    NamespaceOption,
    OutputOption,
    YesOption,
    output_options,
)
from maestro_cli.output.renderers.changes import change_view, plan_view
from maestro_cli.output.writer import emit

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def rollback(
    ctx: typer.Context,
    workload: Annotated[str, typer.Argument(help="deploy/NAME, or namespace/deploy/NAME.")],
    namespace: NamespaceOption = None,
    to_revision: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="This revision; by default the newest earlier one that no rollback left.", min=1
        ),
    ] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    typed_context: ConfirmContextOption = "",
    accept: Annotated[
        list[str] | None, typer.Option(metavar="RISK", help="Accept one named risk: disruption-budget.")
    ] = None,
    output: OutputOption = "table",
) -> None:
    """Return a workload to an earlier revision, as a planned, gated and verified change.

    Example: maestro rollback ml/deploy/fraud --dry-run
    """
    options = output_options(ctx, output)
    ref = ctx.obj.workload_ref(workload, namespace)
    plan = ctx.obj.changes.plan("rollback", ref, {"to_revision": to_revision} if to_revision else {})
    accepts = frozenset(accept or ())
    if dry_run:
        change = ctx.obj.rehearse_change(plan, accepts)
        emit(plan_view(plan, change.decision), options)
        return
    consent = ctx.obj.ask_consent(plan, yes=yes, typed_context=typed_context, accepts=accepts)
    with ctx.obj.progress() as progress:
        progress.phase("rollback", plan.summary)
        change = ctx.obj.changes.execute(plan, consent, progress=progress, cancellation=ctx.obj.cancellation)
    emit(change_view(change), options)
