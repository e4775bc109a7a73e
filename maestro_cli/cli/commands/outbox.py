"""`maestro outbox`: messages to people that wait for their channel."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli import offers
from maestro_cli.cli.options import OutputOption, output_options
from maestro_cli.core.errors import ExitCode
from maestro_cli.output.renderers.outbox import outbox_view
from maestro_cli.output.writer import emit

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


MessageArgument = Annotated[
    str,
    typer.Argument(
        metavar="MESSAGE", help="Its id: see maestro outbox list.", autocompletion=offers.messages
    ),
]


@app.callback()
def outbox() -> None:
    """List the messages that wait for their channel, try them again, and give them up."""


@app.command("list")
def list_messages(
    ctx: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Those that were delivered or dropped, too.")
    ] = False,
    output: OutputOption = "table",
) -> None:
    """List the messages that wait for their channel, or that it refused; the newest first.

    `maestro watch` tries those that wait again and again; what a channel refused is tried by flush alone.

    Example: maestro outbox list --all -o json
    """
    emit(outbox_view(ctx.obj.outbox.messages(ended=everything)), output_options(ctx, output))


@app.command()
def flush(ctx: typer.Context, output: OutputOption = "table") -> None:
    """Try everything that is not delivered now, the oldest first, and show what came of it.

    Ends with 4 while a channel does not answer, else with 5 when one refused.

    Example: maestro outbox flush
    """
    options = output_options(ctx, output)
    with ctx.obj.progress() as progress:
        progress.phase("outbox", "delivering")
        tried = ctx.obj.outbox.flush(ctx.obj.cancellation)
    emit(outbox_view(tried), options)
    standings = {one.standing.value for one in tried}
    for standing, code in (("waiting", ExitCode.UNREACHABLE), ("refused", ExitCode.REFUSED)):
        if standing in standings:
            raise typer.Exit(code)


@app.command()
def drop(
    ctx: typer.Context,
    message: MessageArgument,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for the record.")] = "",
    output: OutputOption = "table",
) -> None:
    """Give a message up: it is not tried again, and stays in the record.

    Example: maestro outbox drop msg-01k9x3e7qhm4tz --reason "told by phone"
    """
    emit(outbox_view([ctx.obj.outbox.drop(message, reason)]), output_options(ctx, output))
