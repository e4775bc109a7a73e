"""What stands where a dialog was asked for that will not come.

Invariant: it takes what is typed for that one, and none of it does anything; Escape or Enter closes it.
"""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Button, Label

from maestro_cli.core.untrusted import visible
from maestro_cli.tui.acting.dialog import Dialog


class RefusedDialog(Dialog):
    """Why an action that asks for words asks for none now, and what would mend it."""

    def __init__(self, about: str, why: str, fix: str) -> None:
        super().__init__()
        self._about, self._why, self._fix = about, why, fix

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label(Text(visible(f"{self._about} is refused", 400), style="bold"))
            yield Label(Text(visible(self._why, 2000)), classes="problem")
            if self._fix:
                yield Label(Text(visible(self._fix, 2000)))
            yield Button("Close", id="cancel", variant="primary")
