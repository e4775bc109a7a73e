"""`maestro rollback`: return a workload to an earlier revision."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.changes.kinds.kind import seconds_of
from maestro_cli.cli.changing import Parameters, change_command
from maestro_cli.cli.default_command import DefaultGroup
from maestro_cli.cli.options import NamespaceOption, OutputOption, output_options
from maestro_cli.cli.targets import A_WORKLOAD_OR_RELEASE
from maestro_cli.core.errors import UsageError
from maestro_cli.core.refs import ObjectRef
from maestro_cli.output.renderers.candidates import candidates_view
from maestro_cli.output.writer import emit


class _RollbackOrPlan(DefaultGroup):
    default = "to"


app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, cls=_RollbackOrPlan)


@app.callback()
def rollback() -> None:
    """Return a workload to an earlier revision, by default to the last known good one.

    `maestro rollback WORKLOAD` is short for `maestro rollback to WORKLOAD`, with the same options.

    Example: maestro rollback ml/deploy/fraud --dry-run
    """


def _kind(ref: ObjectRef) -> str:
    return "helm-rollback" if ref.kind == "HelmRelease" else "rollback"


@app.command()
@change_command(_kind, A_WORKLOAD_OR_RELEASE, takes_time=True)
def to(
    to_revision: Annotated[
        int | None,
        typer.Option(metavar="N", help="This revision; by default the last known good one.", min=1),
    ] = None,
    only_if_released_within: Annotated[
        str,
        typer.Option(
            metavar="DURATION", help="Refuse unless what runs was released within it; not with --to-revision."
        ),
    ] = "",
) -> Parameters:
    """Return a workload to an earlier revision, as a planned, gated and verified change.

    Of a Helm release the default is the last revision that succeeded, and Helm itself carries it out.

    Example: maestro rollback ml/deploy/fraud --dry-run
    """
    named = {"to_revision": to_revision} if to_revision else {}
    return {**named, **_within(only_if_released_within)}


def _within(text: str) -> Parameters:
    if not text:
        return {}
    try:
        return {"only_if_released_within": seconds_of(text)}
    except ValueError as error:
        raise UsageError(f"--only-if-released-within {text!r} {error}", fix="1h") from error


@app.command()
def plan(
    ctx: typer.Context,
    workload: Annotated[str, typer.Argument(help="deploy/NAME, or namespace/deploy/NAME.")],
    namespace: NamespaceOption = None,
    output: OutputOption = "table",
) -> None:
    """Show the revisions with their record, and which one a rollback would go to.

    When each was live, requests, share of errors, 95th percentile and burn come from Prometheus; `-o wide`
    adds accuracy, images, models, incidents and what changed against the present.

    Example: maestro rollback plan ml/deploy/fraud -o wide
    """
    ref = ctx.obj.workload_ref(workload, namespace)
    emit(candidates_view(ctx.obj.rollback_candidates(ref)), output_options(ctx, output))
