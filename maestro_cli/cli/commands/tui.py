"""`maestro tui`: the full-screen console."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli import offers

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def tui(
    ctx: typer.Context,
    contexts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CONTEXT]...",
            help="Contexts to show side by side.",
            autocompletion=offers.contexts,
        ),
    ] = None,
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="The namespace; by default the context's, else all.")
    ] = "",
    screen: Annotated[
        str,
        typer.Option("--screen", metavar="NAME", help="Where to begin.", autocompletion=offers.screens),
    ] = "",
    web: Annotated[
        bool, typer.Option("--web", help="Serve it to one browser of this machine, and print its address.")
    ] = False,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="With --web: the port; 0 is any that is free.")
    ] = 0,
) -> None:
    """Open the full-screen console; it starts read-only.

    Example: maestro tui prod-eu prod-us
    """
    from maestro_cli.tui.launch import open_console, serve_console

    if web:
        serve_console(ctx.obj, tuple(contexts or ()), namespace, screen, port)
    else:
        open_console(ctx.obj, tuple(contexts or ()), namespace, screen)
