"""`maestro drill`: rehearse a whole incident."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from maestro_cli.chaos.drills.choice import Asked, choose, known_drills
from maestro_cli.chaos.drills.league.draw import LEAGUE
from maestro_cli.chaos.drills.model import Scenario
from maestro_cli.chaos.drills.scenarios import SCENARIOS
from maestro_cli.cli.offers import experiment_drills
from maestro_cli.cli.options import ClusterOption, OutputOption, RefArgument, output_options
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.verdict import Verdict
from maestro_cli.output.renderers.drills import (
    entries_view,
    fault_score_view,
    league_view,
    scenarios_view,
    scorecard_view,
)
from maestro_cli.output.views import Report
from maestro_cli.output.writer import emit

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


def _complete(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    known = [(name, "") for name in known_drills() if name.startswith(incomplete)]
    return [*known, *experiment_drills(ctx, incomplete)]


@app.callback()
def drill() -> None:
    """Rehearse a whole incident and score it against the known truth."""


@app.command("list")
def list_drills(
    ctx: typer.Context,
    league: Annotated[bool, typer.Option("--league", help="The scenarios of the league instead.")] = False,
    output: OutputOption = "table",
) -> None:
    """List the drills; `chaos show NAME` tells what one of `chaos/` does.

    Example: maestro drill list -o wide
    """
    view = entries_view(LEAGUE) if league else scenarios_view((*SCENARIOS, *ctx.obj.experiment_drills()))
    emit(view, output_options(ctx, output))


@app.command()
def run(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...", help="A drill; or scenarios of the league.", autocompletion=_complete
        ),
    ] = None,
    all_of_them: Annotated[
        bool, typer.Option("--all", help="The league: every scenario, its details drawn from the seed.")
    ] = False,
    cluster: ClusterOption = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the platform up afterwards.")] = False,
    seed: Annotated[int | None, typer.Option(help="Seed of the load, and of the league's details.")] = None,
    seeds: Annotated[
        str | None,
        typer.Option(metavar="1-5", help="Play the league with each of these seeds: 1-5, or 1,3,7."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the league is kept, scenario by scenario.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the league in --report, else with the last one.")
    ] = False,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Also save what was shown as a picture.")
    ] = None,
    output: OutputOption = "table",
) -> None:
    """Break the embedded platform, respond, and score the response. Exit 10 when a phase misses its budget.

    With several names, --all or --seeds it is the league: what breaks is drawn from the seed and sealed in
    another process until the score. Exit 10 when it misses: fewer than nine of ten true causes first, or a
    defect that was not noticed in time.

    Example: maestro drill run bad-release --keep; maestro drill run --all --seed 7 -o json
    """
    options = output_options(ctx, output)
    asked = Asked(tuple(names or ()), all_of_them, resume, report is not None, seed, seeds)
    choice = choose(asked)
    scenario = choice.scenario
    if choice.experiment:
        scenario = ctx.obj.experiment_drill(choice.experiment, choice.seeds[0])
    if scenario is not None:
        passed, view, lines = _one(ctx, scenario, cluster, keep, choice.seeds[0])
    else:
        passed, view, lines = _league(ctx, choice.league, choice.seeds, cluster, keep, report, resume)
    emit(view, options)
    if record is not None:
        from maestro_cli.output.recording import write_svg

        write_svg(record, f"maestro drill run {' '.join(asked.names) or '--all'}", lines, view)
    if not passed:
        raise typer.Exit(ExitCode.CONDITION_NOT_MET)


def _one(
    ctx: typer.Context, scenario: Scenario, cluster: str | None, keep: bool, seed: int
) -> tuple[bool, Report, Sequence[tuple[str, str]]]:
    with ctx.obj.progress() as progress:
        card = ctx.obj.conductor(seed, cluster).run(
            scenario, keep=keep, progress=progress, cancellation=ctx.obj.cancellation
        )
    return card.passed, scorecard_view(card), progress.lines


def _league(
    ctx: typer.Context,
    names: Sequence[str],
    seeds: Sequence[int],
    cluster: str | None,
    keep: bool,
    file: Path | None,
    resume: bool,
) -> tuple[bool, Report, Sequence[tuple[str, str]]]:
    with ctx.obj.progress() as progress:
        report, kept_in = ctx.obj.play_league(
            names, seeds, cluster=cluster, keep=keep, file=file, resume=resume, progress=progress
        )
    return report.passed, league_view(report, str(kept_in)), progress.lines


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
