"""What there is to read of incidents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from maestro_cli.cli import offers
from maestro_cli.cli.options import OutputOption, RefArgument, output_options
from maestro_cli.output.renderers.incident_findings import findings_view, triage_view
from maestro_cli.output.renderers.incidents import incident_view, incidents_view, timeline_view
from maestro_cli.output.renderers.unanswered import left_out_words, unasked_words
from maestro_cli.output.writer import emit


def list_incidents(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", "-a", help="Also those that are over.")] = False,
    drills: Annotated[bool, typer.Option("--drills/--no-drills", help="With or without drills.")] = True,
    owner: Annotated[
        str,
        typer.Option(
            "--owner", metavar="NAME", help="Only those of; `me`, or `nobody`.", autocompletion=offers.people
        ),
    ] = "",
    output: OutputOption = "table",
) -> None:
    """List open incidents, newest first.

    Example: maestro incident list --all -o json
    Example: maestro incident list --owner me
    """
    found = ctx.obj.incidents(open_only=not everything, drills=drills, owner=owner)
    people = ctx.obj.standings(found)
    options = (*(("--no-drills",) if not drills else ()), *((f"--owner {owner}",) if owner else ()))
    empty = "" if found else _empty_words(ctx, options, open_only=not everything)
    emit(incidents_view(found, ctx.obj.clock.now(), people, empty), output_options(ctx, output))
    ctx.obj.remind_of_tasks(found)


def _empty_words(ctx: typer.Context, options: Sequence[str], *, open_only: bool) -> str:
    """Why none is listed: all there are were left out by these options, or there is none."""
    others = ctx.obj.incidents(open_only=open_only, drills=True) if options else ()
    return left_out_words(len(others), options) if others else unasked_words(ctx.obj.sight)


def show(ctx: typer.Context, ref: RefArgument = "latest", output: OutputOption = "table") -> None:
    """Show one incident: clock, signals, suspects, evidence, links, silences.

    Reads the journal alone; what was recorded a while ago is marked with its age.

    Example: maestro incident show latest
    """
    emit(incident_view(ctx.obj.incident_details(ref)), output_options(ctx, output))


def timeline(ctx: typer.Context, ref: RefArgument = "latest", output: OutputOption = "table") -> None:
    """Show everything that belongs to an incident, in order.

    Example: maestro incident timeline 3 -o wide
    """
    emit(timeline_view(ctx.obj.desk.timeline(ref)), output_options(ctx, output))


def evidence(ctx: typer.Context, ref: RefArgument = "latest", output: OutputOption = "table") -> None:
    """Show what triage recorded: each finding with its query, time, source and age. Asks nothing anew.

    Example: maestro incident evidence latest -o json
    """
    details = ctx.obj.incident_details(ref)
    emit(findings_view(details.evidence, details.now), output_options(ctx, output))


def suspects(ctx: typer.Context, ref: RefArgument = "latest", output: OutputOption = "table") -> None:
    """Show the suspects that triage recorded, with what speaks for and against each.

    Exit 15 when there was no triage yet.

    Example: maestro incident suspects latest -o json
    """
    details = ctx.obj.triaged_details(ref)
    emit(triage_view(details), output_options(ctx, output))
