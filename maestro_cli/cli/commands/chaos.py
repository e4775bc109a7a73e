"""`maestro chaos`: experiments under guard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maestro_cli.cli import offers
from maestro_cli.cli.commands import chaos_gameday, chaos_gating, chaos_schedules, chaos_studies
from maestro_cli.cli.experiment_options import SeedOption, VariableOption, VariablesOption
from maestro_cli.cli.options import (
    ConfirmContextOption,
    FindingsOption,
    OutputOption,
    StrictOption,
    YesOption,
    output_options,
)
from maestro_cli.core.errors import ExitCode, MaestroError, UndoFailed, UsageError
from maestro_cli.output.evidence import require_writable
from maestro_cli.output.renderers.experiment_reports import report_view
from maestro_cli.output.renderers.experiment_runs import run_view, runs_view, swept_view
from maestro_cli.output.renderers.experiments import (
    experiment_view,
    experiments_view,
    faults_view,
    plan_view,
)
from maestro_cli.output.writer import emit

if TYPE_CHECKING:
    from maestro_cli.chaos.sweeping import Swept

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

ExperimentArgument = Annotated[
    str,
    typer.Argument(
        metavar="EXPERIMENT",
        help="A file (JSON or YAML), or a name.",
        autocompletion=offers.experiments,
    ),
]
RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="[RUN]",
        help="Its id, the end of it, or `latest`.",
        autocompletion=offers.experiment_runs,
    ),
]


@app.callback()
def chaos() -> None:
    """Plan and run experiments under guard, end them, and clean up after them."""


@app.command("list")
def list_experiments(
    ctx: typer.Context,
    faults: Annotated[
        bool, typer.Option("--faults", help="The faults there are, and which can be had in this context.")
    ] = False,
    output: OutputOption = "table",
) -> None:
    """List the experiments there are: of the folder `chaos` in each folder of playbooks.

    Example: maestro chaos list; maestro chaos list --faults
    """
    options = output_options(ctx, output)
    emit(faults_view(ctx.obj.chaos_faults()) if faults else experiments_view(ctx.obj.experiments()), options)


@app.command()
def show(ctx: typer.Context, experiment: ExperimentArgument, output: OutputOption = "table") -> None:
    """Show one experiment: its hypothesis, its method and what bounds it.

    Example: maestro chaos show pod-failure
    """
    options = output_options(ctx, output)
    emit(experiment_view(ctx.obj.experiment(experiment)), options)


@app.command()
def lint(
    ctx: typer.Context,
    experiments: Annotated[
        list[str] | None, typer.Argument(metavar="[EXPERIMENT]...", help="By default all there are.")
    ] = None,
    strict: StrictOption = False,
    output: FindingsOption = "table",
) -> None:
    """Check experiment files without running anything. Exit 10 when one has an error.

    Example: maestro chaos lint mine.yaml --strict
    """
    from maestro_cli.chaos.experiments.lint import RULES
    from maestro_cli.cli.findings import tell_findings

    tell_findings(
        ctx,
        lambda: ctx.obj.lint_experiments(experiments or ()),
        output,
        strict=strict,
        schema="chaos-lint/v1",
        rules=RULES,
    )


@app.command()
def plan(
    ctx: typer.Context,
    experiment: ExperimentArgument,
    seed: SeedOption = None,
    variables: VariableOption = None,
    files: VariablesOption = None,
    output: OutputOption = "table",
) -> None:
    """Show the exact targets, the burn at worst, what would stop it, and what the guard says; do nothing.

    It ends as a run would that the guard refuses: 20 policy, 12 no targets, 11 not now; with 15 where whom
    the file's own actions meet is not known; and with 0 where it names what it would inject, or only looks.

    Example: maestro chaos plan pod-failure --seed 7
    """
    options = output_options(ctx, output)
    wanted = ctx.obj.wanted_experiment(
        experiment, seed=seed, yes=True, variables=variables or (), files=files or ()
    )
    proposal, answers = ctx.obj.plan_experiment(wanted)
    emit(plan_view(proposal, answers), options)
    error = ctx.obj.refusal_of_plan(proposal, answers)
    if error is not None:
        raise error


@app.command()
def run(
    ctx: typer.Context,
    experiment: ExperimentArgument,
    seed: SeedOption = None,
    yes: YesOption = False,
    confirm_context: ConfirmContextOption = "",
    variables: VariableOption = None,
    files: VariablesOption = None,
    timeout: Annotated[
        str, typer.Option(metavar="DURATION", help="End it after that, whatever it does.")
    ] = "",
    journal_path: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the Chaos Toolkit journal there.")
    ] = None,
    output: OutputOption = "table",
) -> None:
    """Run an experiment, and tell the truth about it.

    It ends with the gravest that is true: 13 undo failed or something left, 14 stop condition,
    130 or 143 interrupted, 11 not in a steady state before (nothing was injected), 12 not injected or without
    effect, 10 deviated, 15 no data, 0 passed. What the guard refuses ends as `plan` does.

    Example: maestro chaos run pod-failure --yes --seed 7 -o json
    """
    from maestro_cli.services.told_runs import run_told

    options = output_options(ctx, output)
    wanted = ctx.obj.wanted_experiment(
        experiment, seed=seed, yes=yes, typed_context=confirm_context, variables=variables or (),
        files=files or (), timeout=timeout,
    )  # fmt: skip
    if journal_path is not None:  # before anything is broken
        require_writable(journal_path)
    told = run_told(ctx.obj, wanted)
    emit(told.view, options)
    report = told.ended
    if isinstance(report, MaestroError):
        raise report
    if journal_path is not None:
        ctx.obj.write_experiment_journal(report, journal_path)
    if not report.judged.passed:
        raise typer.Exit(report.judged.exit_code)


@app.command()
def abort(
    ctx: typer.Context,
    run: RunArgument = "latest",
    why: Annotated[str, typer.Option(metavar="TEXT", help="Why, for the record.")] = "",
    output: OutputOption = "table",
) -> None:
    """End a run from anywhere: its faults are taken back at once. What a dead run left is swept.

    Example: maestro chaos abort --why "customers call"
    """
    options = output_options(ctx, output)
    found, swept = ctx.obj.abort_experiment(run, why)
    emit(swept_view(swept) if swept else run_view(found), options)
    _end_swept(swept)


@app.command()
def status(ctx: typer.Context, run: RunArgument = "latest", output: OutputOption = "table") -> None:
    """Show where a run is: faults in force, when they end, what is left. Exit 75 when it was interrupted.

    Example: maestro chaos status -o json
    """
    options = output_options(ctx, output)
    found = ctx.obj.experiment_run(run)
    emit(run_view(found), options)
    if found.status == "interrupted":
        raise typer.Exit(ExitCode.BUSY)


@app.command()
def report(
    ctx: typer.Context,
    run: RunArgument = "latest",
    path: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Write FILE.html, one page, or FILE.md.")
    ] = None,
    output: OutputOption = "table",
) -> None:
    """Show how a run ended, from its journal: the verdict with every reason, the proofs, what is left.

    Example: maestro chaos report latest --to report.html
    """
    options = output_options(ctx, output)
    if path is not None:
        from maestro_cli.services.chaos_studies import write_report

        write_report(ctx.obj, run, path)
        return
    emit(report_view(ctx.obj.experiment_journal(run)), options)


@app.command()
def history(
    ctx: typer.Context,
    experiment: Annotated[
        str, typer.Argument(metavar="[EXPERIMENT]", help="Only its runs.", autocompletion=offers.experiments)
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    output: OutputOption = "table",
) -> None:
    """List runs with their verdicts, the newest first.

    Example: maestro chaos history pod-failure --limit 10
    """
    options = output_options(ctx, output)
    emit(runs_view(ctx.obj.experiment_runs(experiment, limit)), options)


@app.command()
def sweep(
    ctx: typer.Context,
    run: Annotated[
        str, typer.Argument(metavar="[RUN]", help="Only this one.", autocompletion=offers.experiment_runs)
    ] = "",
    force_finalizers: Annotated[
        bool,
        typer.Option(
            "--force-finalizers",
            help="Have Chaos Mesh let go what it cannot take back; what it did to pods may stay.",
        ),
    ] = False,
    leave: Annotated[
        str,
        typer.Option(metavar="WHY", help="Leave what of this run cannot be taken back as it is, for good."),
    ] = "",
    output: OutputOption = "table",
) -> None:
    """Take back what runs and drills left whose process died; twice is as once. Exit 13: something is there.

    What somebody changed since is not written over: look at it, then answer for it with --leave.

    Example: maestro chaos sweep
    """
    options = output_options(ctx, output)
    if leave and not run:
        raise UsageError("--leave is for one run", fix='maestro chaos sweep RUN --leave "why"')
    if run and force_finalizers:
        raise UsageError("--force-finalizers is for all that Chaos Mesh holds", fix="leave the run out")
    with ctx.obj.progress() as progress:
        swept = ctx.obj.sweep_experiments(run, progress, force_finalizers=force_finalizers, leave=leave)
    emit(swept_view(swept), options)
    _end_swept(swept)


def _end_swept(swept: Sequence[Swept]) -> None:
    left = [text for one in swept for text in one.residue]
    if left:
        fix = "mend it and sweep again"
        runs = (one.run for one in swept if one.residue and one.run.startswith("exp-"))
        if run := next(runs, ""):  # only of a run it can be left so
            fix += f', or leave it so: maestro chaos sweep {run} --leave "why"'
        raise UndoFailed("something is still there", why="; ".join(left), fix=fix)


app.command()(chaos_gating.gate)
app.command()(chaos_gameday.gameday)
app.command()(chaos_schedules.schedule)
app.command()(chaos_studies.compare)
app.command()(chaos_studies.discover)
app.command("import")(chaos_studies.import_experiment)
