"""What there is to read of incidents."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.options import OutputOption, RefArgument, output_options
from maestro_cli.output.renderers.incidents import incident_view, incidents_view, timeline_view
from maestro_cli.output.writer import emit


def list_incidents(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", "-a", help="Also those that are over.")] = False,
    drills: Annotated[bool, typer.Option("--drills/--no-drills", help="With or without drills.")] = True,
    output: OutputOption = "table",
) -> None:
    """List open incidents, newest first.

    Example: maestro incident list --all -o json
    """
    found = ctx.obj.incidents(open_only=not everything, drills=drills)
    people = ctx.obj.standings(found)
    emit(incidents_view(found, ctx.obj.clock.now(), people), output_options(ctx, output))
    ctx.obj.remind_of_tasks(found)


def show(ctx: typer.Context, ref: RefArgument = "latest", output: OutputOption = "table") -> None:
    """Show one incident: clock, signals, suspects, evidence.

    Example: maestro incident show latest
    """
    emit(incident_view(*ctx.obj.incident_details(ref)), output_options(ctx, output))


def timeline(ctx: typer.Context, ref: RefArgument = "latest", output: OutputOption = "table") -> None:
    """Show everything that belongs to an incident, in order.

    Example: maestro incident timeline 3 -o wide
    """
    emit(timeline_view(ctx.obj.desk.timeline(ref)), output_options(ctx, output))
