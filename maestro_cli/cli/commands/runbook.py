"""`maestro runbook`: Markdown that runs to the end."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from maestro_cli.cli import offers
from maestro_cli.cli.options import (
    AlertsOption,
    ConfirmContextOption,
    FindingsOption,
    OutputOption,
    StrictOption,
    YesOption,
    output_options,
)
from maestro_cli.core.errors import ExitCode
from maestro_cli.output.diagnostics import note
from maestro_cli.output.renderers.runbooks import (
    next_command,
    plan_view,
    run_view,
    runbook_view,
    runbooks_view,
    runs_view,
)
from maestro_cli.output.writer import emit

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

_RUN = "The id of a run, or `latest`."
NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUNBOOK", help="An id, or the path of a .md file.", autocompletion=offers.runbook_ids
    ),
]
NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="RUNBOOK...", help="Ids or paths; by default all.", autocompletion=offers.runbook_ids
    ),
]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help=_RUN, autocompletion=offers.runs)]
OpenRunArgument = Annotated[str, typer.Argument(metavar="RUN", help=_RUN, autocompletion=offers.open_runs)]
WaitingRunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help=_RUN, autocompletion=offers.waiting_runs)
]
RunningArgument = Annotated[str, typer.Argument(metavar="RUN", help=_RUN, autocompletion=offers.running_runs)]
StepArgument = Annotated[
    str,
    typer.Argument(metavar="STEP", help="The step it waits for.", autocompletion=offers.waiting_steps),
]

RunOutputOption = Annotated[
    str,
    typer.Option("--output", "-o", metavar="FORMAT", help="As everywhere, or jsonl: each event as it comes."),
]


@app.callback()
def runbook() -> None:
    """List, show, run and resume Markdown runbooks."""


@app.command("list")
def list_runbooks(ctx: typer.Context, output: OutputOption = "table") -> None:
    """List the runbooks; files that cannot be read are named on stderr.

    Example: maestro runbook list -o wide
    """
    emit(runbooks_view(ctx.obj.readable_runbooks()), output_options(ctx, output))


@app.command()
def show(ctx: typer.Context, name: NameArgument, output: OutputOption = "table") -> None:
    """Show a runbook: parameters, steps, text.

    Example: maestro runbook show high-error-rate
    """
    emit(runbook_view(ctx.obj.runbooks.get(name)), output_options(ctx, output))


@app.command()
def lint(
    ctx: typer.Context,
    names: NamesArgument = None,
    alerts: AlertsOption = None,
    strict: StrictOption = False,
    output: FindingsOption = "table",
) -> None:
    """Find what is wrong or missing in runbooks, without running them; ends with 10 when there are errors.

    Example: maestro runbook lint -o sarif
    """
    from maestro_cli.cli.findings import tell_findings
    from maestro_cli.runbooks.lint import RULES

    tell_findings(
        ctx,
        lambda: ctx.obj.lint_runbooks(names or (), alerts or ()),
        output,
        strict=strict,
        schema="runbook-lint/v1",
        rules=RULES,
    )


@app.command("test")
def rehearse(
    ctx: typer.Context,
    names: NamesArgument = None,
    output: OutputOption = "table",
) -> None:
    """Rehearse runbooks with mocked steps, as NAME.test.yaml beside them says; ends with 10 for a surprise.

    By default all that have a rehearsal.

    Example: maestro runbook test high-error-rate
    """
    from maestro_cli.output.renderers.runbook_checks import rehearsals_view

    options = output_options(ctx, output)
    results = ctx.obj.rehearse_runbooks(names or ())
    emit(rehearsals_view(results), options)
    if not all(result.is_green for result in results):
        raise typer.Exit(ExitCode.CONDITION_NOT_MET)


@app.command()
def coverage(
    ctx: typer.Context,
    alerts: AlertsOption = None,
    green_within: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="Every runbook must have succeeded within it, such as 30d."),
    ] = None,
    output: OutputOption = "table",
) -> None:
    """Tell which alerts have a runbook, and when each runbook last succeeded; ends with 10 for a gap.

    Example: maestro runbook coverage --green-within 30d
    """
    from maestro_cli.output.renderers.runbook_checks import coverage_view

    options = output_options(ctx, output)
    found = ctx.obj.runbook_coverage(alerts or (), green_within)
    emit(coverage_view(found), options)
    if not found.is_met:
        raise typer.Exit(ExitCode.CONDITION_NOT_MET)


@app.command()
def new(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="ID", help="The id, and the file's name.")],
    alert: Annotated[str, typer.Option(metavar="NAME", help="The alert that it is for.")] = "",
    folder: Annotated[str | None, typer.Option("--in", metavar="FOLDER", help="Where it goes.")] = None,
) -> None:
    """Write a runbook to fill in, and print its path.

    Example: maestro runbook new queue-full --alert QueueFull
    """
    from maestro_cli.output.writer import emit_text

    emit_text(str(ctx.obj.new_runbook(name, alert, folder)))


@app.command()
def plan(
    ctx: typer.Context,
    name: NameArgument,
    values: Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE", help="Parameters.")] = None,
    incident: Annotated[
        str | None, typer.Option(metavar="INCIDENT", help="For this incident: its labels fill in.")
    ] = None,
    output: OutputOption = "table",
) -> None:
    """Tell what a run would do: steps that alter nothing are run, the others are tried dry.

    Ends as the run would, as far as that can be known: 10 when a check does not hold, 11 or 20 for a gate.

    Example: maestro runbook plan high-error-rate NAMESPACE=ml DEPLOY=fraud
    """
    options = output_options(ctx, output)
    with ctx.obj.progress() as progress:
        found = ctx.obj.plan_runbook(ctx.obj.asked_run(name, values or (), incident), progress)
    emit(plan_view(found), options)
    if found.exit_code:
        raise typer.Exit(found.exit_code)


@app.command()
def run(
    ctx: typer.Context,
    name: NameArgument,
    values: Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE", help="Parameters.")] = None,
    incident: Annotated[
        str | None, typer.Option(metavar="INCIDENT", help="Run it for this incident: its labels fill in.")
    ] = None,
    typed_context: ConfirmContextOption = "",
    yes: YesOption = False,
    output: RunOutputOption = "table",
) -> None:
    """Run a runbook to its end, or until a person is needed.

    Without a terminal its changes need --yes. A Markdown file without steps is walked through, heading by
    heading.

    Example: maestro runbook run high-error-rate NAMESPACE=ml DEPLOY=fraud

    Example: maestro runbook run ./notes.md
    """
    options, shown, told = _events(ctx, output)
    with shown as progress:
        asked = ctx.obj.asked_run(name, values or (), incident)
        result = ctx.obj.run_runbook(asked, typed_context, yes, progress, told)
    _end(result, options)


@app.command()
def resume(
    ctx: typer.Context,
    run_id: OpenRunArgument,
    decide: Annotated[
        list[str] | None,
        typer.Option(metavar="STEP=done|redo", help="Your word about a step whose outcome is unknown."),
    ] = None,
    rebase: Annotated[
        bool, typer.Option("--rebase", help="Take the file as it is now, if no step that started changed.")
    ] = False,
    typed_context: ConfirmContextOption = "",
    yes: YesOption = False,
    output: RunOutputOption = "table",
) -> None:
    """Go on with a run that waits, was paused, cancelled or interrupted. Finished steps are never run again.

    Example: maestro runbook resume run-01k9x3e7qhm4tz
    """
    options, shown, told = _events(ctx, output)
    with shown as progress:
        result = ctx.obj.resume_run(
            ctx.obj.run_id(run_id), decide or (), typed_context, yes, progress, rebase=rebase, told=told
        )
    _end(result, options)


@app.command()
def answer(
    ctx: typer.Context,
    run_id: WaitingRunArgument,
    step: StepArgument,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="yes, no, a choice, or the text asked for.")],
    output: OutputOption = "table",
) -> None:
    """Answer what a waiting run asks; resume goes on with it.

    Example: maestro runbook answer run-01k9x3e7qhm4tz keep-it yes
    """
    emit(run_view(ctx.obj.answer_run(ctx.obj.run_id(run_id), step, value)), output_options(ctx, output))


@app.command()
def approve(
    ctx: typer.Context,
    run_id: WaitingRunArgument,
    step: StepArgument,
    no: Annotated[bool, typer.Option("--no", help="Do not agree: the step does not start.")] = False,
    output: OutputOption = "table",
) -> None:
    """Agree that a step of a waiting run may start, as its file and values are now.

    Example: maestro runbook approve run-01k9x3e7qhm4tz drain
    """
    emit(
        run_view(ctx.obj.answer_run(ctx.obj.run_id(run_id), step, "no" if no else "yes")),
        output_options(ctx, output),
    )


@app.command()
def pause(ctx: typer.Context, run_id: RunningArgument, output: OutputOption = "table") -> None:
    """Have a run stop after the step in flight; resume goes on with it.

    Example: maestro runbook pause run-01k9x3e7qhm4tz
    """
    emit(run_view(ctx.obj.run_control.pause(ctx.obj.run_id(run_id))), output_options(ctx, output))


@app.command()
def cancel(ctx: typer.Context, run_id: OpenRunArgument, output: OutputOption = "table") -> None:
    """Have a run end: the step in flight is stopped. Nothing is undone.

    Example: maestro runbook cancel run-01k9x3e7qhm4tz
    """
    emit(run_view(ctx.obj.run_control.cancel(ctx.obj.run_id(run_id))), output_options(ctx, output))


@app.command()
def history(
    ctx: typer.Context,
    run_id: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN", help="One run, with its steps; its id, or `latest`.", autocompletion=offers.runs
        ),
    ] = None,
    runbook: Annotated[str | None, typer.Option(metavar="RUNBOOK", help="Only runs of this one.")] = None,
    incident: Annotated[str | None, typer.Option(metavar="INCIDENT", help="Only runs for this id.")] = None,
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1)] = 50,
    output: OutputOption = "table",
) -> None:
    """List runs, or show one.

    Example: maestro runbook history -o json
    """
    options = output_options(ctx, output)
    if run_id is None:
        found = ctx.obj.run_history.list(limit=limit, incident=incident, runbook=runbook)
        emit(runs_view(found), options)
    else:
        emit(run_view(ctx.obj.run_history.get(ctx.obj.run_id(run_id))), options)


@app.command()
def export(ctx: typer.Context, run_id: RunArgument) -> None:
    """Print a run as Markdown: its runbook, with what came of each step below its fence.

    Example: maestro runbook export run-01k9x3e7qhm4tz > run.md
    """
    from maestro_cli.output.writer import emit_text

    emit_text(ctx.obj.export_run(ctx.obj.run_id(run_id)))


def _events(ctx: typer.Context, output: str) -> tuple[Any, Any, Any]:
    """The output options, the progress, and who hears of events: with `jsonl` each is written as it comes,
    else they are what is drawn."""
    if output != "jsonl":
        options, progress = output_options(ctx, output), ctx.obj.run_progress()
        return options, progress, progress.told
    from maestro_cli.output.renderers.runbooks import event_line
    from maestro_cli.output.writer import emit_text

    progress = ctx.obj.run_progress(is_drawn=False)

    def told(event: Any) -> None:
        emit_text(event_line(event))
        progress.told(event)

    return None, progress, told


def _end(result: Any, options: Any) -> None:
    if options is not None:
        emit(run_view(result.run), options)
        advice = next_command(result.run)
        if advice:
            note(advice)
    if result.exit_code:
        raise typer.Exit(result.exit_code)
