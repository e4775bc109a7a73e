"""`maestro silence`: have Alertmanager notify nobody of some alerts, for a while."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.changes.model import Plan
from maestro_cli.cli.changing import Parameters, change_command, planned_command
from maestro_cli.cli.options import OutputOption, output_options
from maestro_cli.cli.targets import some_alerts
from maestro_cli.output.renderers.silences import silences_view
from maestro_cli.output.writer import emit

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def silence() -> None:
    """Silence alerts for a while, list silences, and end them."""


@app.command()
@change_command("silence", some_alerts)
def add(
    duration: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long; at most 31d.")],
    comment: Annotated[str, typer.Option(metavar="TEXT", help="Why, for those who see it.")] = "",
) -> Parameters:
    """Silence the alerts that have these labels; a dry run lists which of them fire now.

    Refused where it would hide every alert.

    Example: maestro silence add alertname=HighErrorRate namespace=ml --for 2h --comment "rollout of fraud 3"
    """
    return {"duration": duration, "comment": comment}


@app.command("list")
def list_silences(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    output: OutputOption = "table",
) -> None:
    """List the silences that hold, whoever made them.

    Example: maestro silence list -o json
    """
    emit(silences_view(ctx.obj.list_silences(with_ended=everything)), output_options(ctx, output))


@app.command()
@planned_command()
def expire(
    ctx: typer.Context,
    silence_id: Annotated[str, typer.Argument(metavar="SILENCE", help="Its id: see maestro silence list.")],
) -> Plan:
    """End a silence now, whoever made it.

    Example: maestro silence expire 5c6c1c5e-4d70-4f4e-9d2c-3a1a1c0b7e11
    """
    ref = ctx.obj.silence_ref(silence_id)
    plan: Plan = ctx.obj.changes.plan("unsilence", ref, {"id": silence_id})
    return plan
