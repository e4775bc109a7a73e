"""`maestro playbook`: which alert opens which incident, and what runs for it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

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
from maestro_cli.output.renderers.playbooks import (
    explanation_view,
    play_view,
    playbook_view,
    playbooks_view,
    plays_view,
    trials_view,
)
from maestro_cli.output.writer import emit

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


def _complete_playbook(incomplete: str) -> list[str]:
    """The names of the files beside maestro: what a settings file adds is not read to complete."""
    from maestro_cli.config.locations import shipped

    return sorted(
        path.stem for path in shipped("playbooks").glob("*.y*ml") if path.stem.startswith(incomplete)
    )


NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="PLAYBOOK", help="An id, or the path of a .yaml file.", autocompletion=_complete_playbook
    ),
]
NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PLAYBOOK...", help="Ids or paths; by default all.", autocompletion=_complete_playbook
    ),
]
LabelsOption = Annotated[
    list[str] | None, typer.Option("--label", "-l", metavar="NAME=VALUE", help="A label; may be repeated.")
]


@app.callback()
def playbook() -> None:
    """List, show, explain and run what binds alerts to runbooks."""


@app.command("list")
def list_playbooks(ctx: typer.Context, output: OutputOption = "table") -> None:
    """List the playbooks, with what starts each in -o wide.

    Example: maestro playbook list -o wide
    """
    emit(playbooks_view(ctx.obj.playbooks.all()), output_options(ctx, output))


@app.command()
def show(ctx: typer.Context, name: NameArgument, output: OutputOption = "table") -> None:
    """Show a playbook, and why it may not run by itself although its mode is auto.

    Example: maestro playbook show high-error-rate
    """
    options = output_options(ctx, output)
    emit(playbook_view(ctx.obj.readiness.judged(ctx.obj.playbooks.get(name))), options)


@app.command()
def lint(
    ctx: typer.Context,
    names: NamesArgument = None,
    alerts: AlertsOption = None,
    strict: StrictOption = False,
    output: FindingsOption = "table",
) -> None:
    """Find what is wrong with playbooks, without starting any; ends with 10 when there are errors.

    Example: maestro playbook lint -o sarif
    """
    from maestro_cli.cli.findings import tell_findings
    from maestro_cli.runbooks.playbooks.lint import RULES

    tell_findings(
        ctx,
        lambda: ctx.obj.lint_playbooks(names or (), alerts or ()),
        output,
        strict=strict,
        schema="playbook-lint/v1",
        rules=RULES,
    )


@app.command("test")
def try_out(ctx: typer.Context, names: NamesArgument = None, output: OutputOption = "table") -> None:
    """Put the sample alerts under `tests:` to all playbooks, and rehearse the runbooks they bind.

    Nothing is really done. Ends with 10 when a sample chooses another playbook or a rehearsal is not green.

    Example: maestro playbook test high-error-rate
    """
    options = output_options(ctx, output)
    trials = ctx.obj.try_playbooks(names or ())
    emit(trials_view(trials), options)
    if not all(trial.is_green for trial in trials):
        raise typer.Exit(ExitCode.CONDITION_NOT_MET)


@app.command()
def explain(
    ctx: typer.Context,
    alert: Annotated[str, typer.Argument(metavar="[ALERT]", help="The name of an alert.")] = "",
    labels: LabelsOption = None,
    incident: Annotated[
        str | None, typer.Option(metavar="INCIDENT", help="The signals of this incident instead.")
    ] = None,
    resolved: Annotated[bool, typer.Option("--resolved", help="As if it did not fire any more.")] = False,
    output: OutputOption = "table",
) -> None:
    """Tell which playbook an alert would start, with which values, and why not each other one.

    Nothing is started. Ends with 10 when none matches.

    Example: maestro playbook explain ErrorBudgetBurn -l severity=page -l objective=fraud-availability

    Example: maestro playbook explain --incident latest
    """
    options = output_options(ctx, output)
    told = ctx.obj.explain_alert(alert, labels or (), incident, firing=not resolved)
    emit(explanation_view(told), options)
    if told.match.playbook is None:
        raise typer.Exit(ExitCode.CONDITION_NOT_MET)


@app.command()
def run(
    ctx: typer.Context,
    name: NameArgument,
    values: Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE", help="Parameters.")] = None,
    incident: Annotated[
        str | None, typer.Option(metavar="INCIDENT", help="For this incident, one of whose signals fires.")
    ] = None,
    labels: LabelsOption = None,
    typed_context: ConfirmContextOption = "",
    yes: YesOption = False,
    output: OutputOption = "table",
) -> None:
    """Start a playbook by hand: your word takes the place of its mode, and of no gate.

    Without an incident its trigger must have `manual`. Without a terminal its changes need --yes.

    Example: maestro playbook run high-error-rate --incident latest
    """
    from maestro_cli.services.playbook_runs import PlaybookAsked

    options = output_options(ctx, output)
    asked = PlaybookAsked(name, values or (), labels or (), incident)
    with ctx.obj.progress() as progress:
        play = ctx.obj.run_playbook(asked, typed_context, yes, progress)
    _end(ctx, play, options)


@app.command()
def resume(
    ctx: typer.Context,
    play_id: Annotated[str, typer.Argument(metavar="RUN", help="The id of a run of a playbook.")],
    typed_context: ConfirmContextOption = "",
    yes: YesOption = False,
    output: OutputOption = "table",
) -> None:
    """Go on with a run of a playbook that waited or was interrupted. Nothing is done twice.

    Example: maestro playbook resume pb-01k9x3e7qhm4tz
    """
    options = output_options(ctx, output)
    with ctx.obj.progress() as progress:
        play = ctx.obj.resume_playbook(play_id, typed_context, yes, progress)
    _end(ctx, play, options)


@app.command()
def history(
    ctx: typer.Context,
    play_id: Annotated[str | None, typer.Argument(metavar="RUN", help="One, with its runbooks.")] = None,
    output: OutputOption = "table",
) -> None:
    """List runs of playbooks: what started each, and what it came to.

    Example: maestro playbook history -o wide
    """
    options = output_options(ctx, output)
    found = ctx.obj.playbook_history(play_id)
    if play_id is None:
        emit(plays_view(found), options)
    else:
        emit(play_view(found[0], ctx.obj.runs_of_playbook(found[0])), options)


def _end(ctx: typer.Context, play: Any, options: Any) -> None:
    emit(play_view(play, ctx.obj.runs_of_playbook(play)), options)
    if play.exit_code:
        raise typer.Exit(play.exit_code)
