"""`maestro rollout`: see how far it is, hold it, and let it go on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from maestro_cli.cli.changing import Parameters, change_command
from maestro_cli.cli.options import NamespaceOption, OutputOption, output_options
from maestro_cli.core.errors import ExitCode
from maestro_cli.output.live import Frame, follow
from maestro_cli.output.renderers.rollouts import rollout_line, rollout_view
from maestro_cli.output.writer import emit

if TYPE_CHECKING:
    from maestro_cli.changes.rollouts import Rollout

WorkloadArgument = Annotated[
    str, typer.Argument(help="deploy/NAME, sts/NAME or ds/NAME, with namespace/ before it or -n.")
]

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def rollout() -> None:
    """See how far the rollout of a workload is, hold it, and let it go on."""


@app.command()
def status(
    ctx: typer.Context, workload: WorkloadArgument, namespace: NamespaceOption = None,
    output: OutputOption = "table",
) -> None:  # fmt: skip
    """Show a rollout as a tree: workload, revisions, pods. Exit 10 unless it is complete.

    Example: maestro rollout status ml/deploy/fraud
    """
    rollout = ctx.obj.read_rollout(workload, namespace)
    emit(rollout_view(rollout), output_options(ctx, output))
    _end(rollout)


@app.command()
def watch(
    ctx: typer.Context, workload: WorkloadArgument, namespace: NamespaceOption = None,
    until: Annotated[
        str, typer.Option(metavar="CONDITION", help="settled (complete, stalled or held back), or complete.")
    ] = "settled",
    timeout: Annotated[str, typer.Option(metavar="DURATION", help="Exit 124 after that long.")] = "",
    output: OutputOption = "table",
) -> None:  # fmt: skip
    """Follow a rollout until it settles: exit 0 when it is complete, 10 when it is stalled or held back.

    Redraws in place on a terminal; elsewhere prints a line a change, with -o json one document a line.
    Stalled: it passed its progress deadline, or a pod of the newest revision does not start.

    Example: maestro rollout watch ml/deploy/fraud --timeout 10m
    """
    last: list[Rollout] = []

    def frames() -> Iterator[Frame]:
        for rollout in ctx.obj.follow_rollout(workload, namespace, until, timeout):
            last[:] = [rollout]
            yield Frame(rollout_view(rollout), rollout_line(rollout))

    follow(frames(), output_options(ctx, output))
    _end(last[0])


def _end(rollout: Rollout) -> None:
    if rollout.stage.value != "complete":
        raise typer.Exit(ExitCode.CONDITION_NOT_MET)


@app.command()
@change_command("pause")
def pause() -> Parameters:
    """Hold a rollout where it is, and every template change to come. Ends no replica.

    Example: maestro rollout pause ml/deploy/fraud
    """
    return {}


@app.command()
@change_command("resume")
def resume() -> Parameters:
    """Let a paused rollout go on, with every template change that was held back.

    Example: maestro rollout resume ml/deploy/fraud
    """
    return {}
