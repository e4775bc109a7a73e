"""Triage, and the whole response."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.options import OutputOption, RefArgument, output_options
from maestro_cli.output.renderers.incidents import incident_view
from maestro_cli.output.writer import emit


def triage(
    ctx: typer.Context,
    ref: RefArgument = "latest",
    timeout: Annotated[
        str, typer.Option(metavar="DURATION", help="What is not answered by then is told as missing.")
    ] = "15s",
    output: OutputOption = "table",
) -> None:
    """Collect evidence and rank suspects; changes nothing but the incident's record.

    Example: maestro incident triage latest
    """
    options = output_options(ctx, output)
    with ctx.obj.progress() as progress:
        ctx.obj.investigate(ref, progress, timeout)
    emit(incident_view(ctx.obj.incident_details(ref)), options)


def respond(ctx: typer.Context, ref: RefArgument = "latest", output: OutputOption = "table") -> None:
    """Triage, run the runbook its playbook binds, wait until it is clear, resolve, write the post-mortem.

    Goes on where an earlier response stopped. Every change still passes the gate.

    Example: maestro incident respond latest
    """
    options = output_options(ctx, output)
    with ctx.obj.progress() as progress:
        ctx.obj.respond(ref, progress)
    emit(incident_view(ctx.obj.incident_details(ref)), options)
