"""`maestro notify`: who is told of incidents, and by what."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli import offers
from maestro_cli.cli.options import OutputOption, output_options
from maestro_cli.core.errors import ExitCode
from maestro_cli.output.renderers.notify import channels_view
from maestro_cli.output.renderers.outbox import outbox_view
from maestro_cli.output.writer import emit

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def notify() -> None:
    """List the channels that are told of incidents, and try one."""


@app.command("list")
def list_channels(ctx: typer.Context, output: OutputOption = "table") -> None:
    """List the channels of the context: what each is told of, and what waits for it.

    Example: maestro notify list -o wide
    """
    emit(channels_view(ctx.obj.channel_lines()), output_options(ctx, output))


@app.command("test")
def try_channel(
    ctx: typer.Context,
    channel: Annotated[
        str,
        typer.Argument(metavar="CHANNEL", help="See maestro notify list.", autocompletion=offers.channels),
    ],
    output: OutputOption = "table",
) -> None:
    """Send a channel a message that says it is a test, and show what came of it.

    Ends with 4 when the channel does not answer, with 5 when it refused. At PagerDuty it opens an alert.

    Example: maestro notify test chat
    """
    options = output_options(ctx, output)
    with ctx.obj.progress() as progress:
        progress.phase("notify", f"sending to {channel}")
        sent = ctx.obj.test_channel(channel)
    emit(outbox_view([sent]), options)
    if sent.standing.value != "delivered":
        raise typer.Exit(ExitCode.REFUSED if sent.standing.value == "refused" else ExitCode.UNREACHABLE)
