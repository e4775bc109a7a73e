"""Opens the console on the terminal. Invariant: what is remarked while it is open is shown in it, and the
terminal is as it was when it ends."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from maestro_cli.core.errors import UsageError
from maestro_cli.output.diagnostics import told_to
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.console import Console
from maestro_cli.tui.keys.keymap import load_keymap
from maestro_cli.tui.keys.remembered import recall
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.table import FIRST, screen_names

if TYPE_CHECKING:
    from maestro_cli.services.root import Services


def open_console(services: Services, contexts: tuple[str, ...], namespace: str, screen: str) -> None:
    """Run until it is left. Raises UsageError without a terminal and for unknown screens, NotFound,
    InvalidFile."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "the console needs a terminal", why="its input or output is none", fix="maestro status -o json"
        )
    if os.environ.get("TERM") == "dumb":
        raise UsageError(
            "the console needs a terminal that moves its cursor", why="TERM is dumb", fix="maestro status"
        )
    names = tuple(dict.fromkeys(contexts)) or (services.context_name,)
    for name in names:
        services.settings.context(name)
    own = services.settings.context(names[0]).namespace or ""
    keymap, kept = load_keymap(), recall()
    remembered = kept.screen if kept.screen in screen_names() else ""
    place = Place(named_screen(screen or remembered))
    first = namespace or kept.namespaces.get(names[0], own)
    console = Console(services.options, services.clock, names, first)
    app = ConsoleApp(console, place, keymap, kept)
    try:
        with told_to(app.remark):
            console.recorder.start()
            app.run()
    finally:
        console.close()


def named_screen(text: str) -> str:
    """The id of the screen of that name or alias; the first one for "". Raises UsageError."""
    names = screen_names()
    if text and text not in names:
        from maestro_cli.config.explanation import suggestion

        raise UsageError(f"there is no screen {text[:60]!r}", why=suggestion(text, names), fix="maestro tui")
    return names[text or FIRST]
