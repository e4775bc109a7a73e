"""Opens the console in lines, on a terminal or a pipe. Invariant: its end of input is its end, exit 0."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from maestro_cli.output.diagnostics import told_to
from maestro_cli.tui.acting.progress import SpokenProgress
from maestro_cli.tui.console import Console
from maestro_cli.tui.plain.session import Session
from maestro_cli.tui.plain.talk import Talk

if TYPE_CHECKING:
    from maestro_cli.tui.screens.model import Place


def open_lines(console: Console, first: Place) -> None:
    """Until quit, or the end of input; closes the console."""
    talk = Talk(sys.stdin, sys.stdout)
    try:
        with told_to(SpokenProgress(talk.say).note):
            console.recorder.start()
            talk.say("maestro, in lines. help tells of every word; quit leaves.")
            Session(console, talk, first).run()
    finally:
        console.close()
