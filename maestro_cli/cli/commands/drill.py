"""`maestro drill`: rehearse a whole incident."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_cli.chaos.drills.scenarios import SCENARIOS, find_scenario
from maestro_cli.cli.options import ClusterOption, OutputOption, RefArgument, output_options
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.verdict import Verdict
from maestro_cli.output.renderers.drills import fault_score_view, scenarios_view, scorecard_view
from maestro_cli.output.writer import emit

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


def _complete_scenario(incomplete: str) -> list[str]:
    return [scenario.name for scenario in SCENARIOS if scenario.name.startswith(incomplete)]


@app.callback()
def drill() -> None:
    """Rehearse a whole incident and score it against the known truth."""


@app.command("list")
def list_drills(ctx: typer.Context, output: OutputOption = "table") -> None:
    """List the drills.

    Example: maestro drill list -o wide
    """
    emit(scenarios_view(SCENARIOS), output_options(ctx, output))


@app.command()
def run(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A drill.", autocompletion=_complete_scenario)],
    cluster: ClusterOption = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the platform up afterwards.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the load.")] = 1,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Also save what was shown as a picture.")
    ] = None,
    output: OutputOption = "table",
) -> None:
    """Break the embedded platform, respond, and score the response. Exit 10 when a phase misses its budget.

    Example: maestro drill run bad-release --keep
    """
    options = output_options(ctx, output)
    scenario = find_scenario(name)
    with ctx.obj.progress() as progress:
        card = ctx.obj.conductor(seed, cluster).run(
            scenario, keep=keep, progress=progress, cancellation=ctx.obj.cancellation
        )
    view = scorecard_view(card)
    emit(view, options)
    if record is not None:
        from maestro_cli.output.recording import write_svg

        write_svg(record, f"maestro drill run {name}", progress.lines, view)
    if not card.passed:
        raise typer.Exit(ExitCode.CONDITION_NOT_MET)


@app.command("score")
def score_response(
    ctx: typer.Context,
    faults: Annotated[
        list[Path],
        typer.Option(metavar="FILE", help="Fault journal of a model server; may be repeated."),
    ],
    ref: RefArgument = "latest",
    output: OutputOption = "table",
) -> None:
    """Score the response to an incident against the faults that were injected. Exit 10 failed, 15 not known.

    Example: maestro drill score latest --faults faults.jsonl
    """
    score = ctx.obj.score_response(ref, faults)
    emit(fault_score_view(score), output_options(ctx, output))
    if score.judgement.verdict is not Verdict.PASS:
        failed = score.judgement.verdict is Verdict.FAIL
        raise typer.Exit(ExitCode.CONDITION_NOT_MET if failed else ExitCode.NO_DATA)
