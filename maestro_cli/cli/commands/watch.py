"""`maestro watch`: the detector."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def watch(
    ctx: typer.Context,
    poll: Annotated[str, typer.Option(metavar="DURATION", help="How often to read the alerts.")] = "10s",
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", help="Also take Alertmanager's webhook here (default: the context's)."
        ),
    ] = None,
    token_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The bearer token it must bring (default: the context's proofs)."),
    ] = None,
    respond: Annotated[
        bool, typer.Option("--respond", help="Also respond to incidents whose playbook says auto.")
    ] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Also keep what `maestro tui` shows, for it to rewind.")
    ] = False,
    announce: Annotated[str | None, typer.Option("--announce-state", metavar="DIR", hidden=True)] = None,
) -> None:
    """Poll Alertmanager, listen to its webhook, and open incidents, until stopped.

    Where the context has no Alertmanager, the alerts are read from Prometheus, and only firing ones count.
    Any number of watchers may run; together they open each incident once, and with --respond each is
    responded to once, four at a time. Every change still passes the gate. An incident that no playbook
    allows to respond to, or whose response failed, is left to people, and the watch says so.

    With --record it also keeps what the console's lists show, for 24 hours, so that `maestro tui` can be
    rewound to when none was open.

    Example: maestro watch --listen 127.0.0.1:9099 --token-file webhook.token

    Example: maestro watch --respond
    """
    with ctx.obj.progress() as progress, ExitStack() as around:
        if record:
            from maestro_cli.tui.rewind.alone import recording

            around.enter_context(recording(ctx.obj, progress))
        ctx.obj.run_watch(
            poll=poll,
            listen=listen,
            token_file=token_file,
            announce_to=announce,
            respond=respond,
            progress=progress,
        )
