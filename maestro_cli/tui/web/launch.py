"""Starts the server of the console. Invariant: the console that it starts is `maestro tui` with the same
contexts and limits, and none is served that could not be opened on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

from maestro_cli.core.errors import ActionFailed

if TYPE_CHECKING:
    from maestro_cli.services.root import Services

_NEEDED = ("textual_serve", "aiohttp")
_DRIVER = "textual.drivers.web_driver:WebDriver"


def is_served() -> bool:
    """Whether this process is the console of such a server: its screen is a pipe."""
    return os.environ.get("TEXTUAL_DRIVER") == _DRIVER


def require_libraries() -> None:
    """Raises ActionFailed when what serves a page is not installed."""
    import importlib.util

    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ActionFailed(
            "the console cannot be served to a browser",
            why=f"not installed: {', '.join(missing)}",
            fix="pip install 'maestro-cli[web]'",
        )


def console_command(services: Services, contexts: Sequence[str], namespace: str, screen: str) -> list[str]:
    """The command line of the console, with all that was decided before it."""
    options = services.options
    return [
        *(sys.executable, "-P", "-m", "maestro_cli", "--context", services.context_name),
        *(["--read-only"] if options.is_read_only else []),
        *(["--plain"] if options.is_plain else []),
        "tui",
        *(["--namespace", namespace] if namespace else []),
        *(["--screen", screen] if screen else []),
        *("--", *contexts),
    ]


def serve_to_browser(
    services: Services, contexts: Sequence[str], namespace: str, screen: str, port: int
) -> None:
    """Print the address and serve until Ctrl-C or SIGTERM. Raises ActionFailed, Unreachable, Interrupted."""
    require_libraries()
    import asyncio  # with `ssl`: a tenth of what there is until a console on a terminal says where one is

    from maestro_cli.output.diagnostics import note
    from maestro_cli.output.writer import emit_text
    from maestro_cli.tui.web.server import ConsoleServer, serve

    command = console_command(services, contexts, namespace, screen)
    cancellation, out = services.cancellation, sys.stdout

    def told(url: str) -> None:
        emit_text(url, out)
        note("Open it in a browser of this machine; it admits one, once. Ctrl-C ends the console.")

    async def run() -> None:
        over, loop = asyncio.Event(), asyncio.get_running_loop()
        server = ConsoleServer(command, f"maestro {' '.join(contexts)}", aloud=services.options.is_plain)

        def end() -> None:
            loop.call_soon_threadsafe(over.set)

        with cancellation.calling(end):
            await serve(server, port, told, over)

    with redirect_stdout(sys.stderr):  # where what a console says when it fails to start is for people
        asyncio.run(run())
    cancellation.raise_if_set()
