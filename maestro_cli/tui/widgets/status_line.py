"""The line above the keys: how many rows, what waits for an answer, and what was said last.

Invariant: what was said goes after a while, with the place that it is about, and once it is no longer true;
what waits stays until it does not wait any more.
"""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text
from textual.message import Message
from textual.timer import Timer

from maestro_cli.core.untrusted import visible
from maestro_cli.tui.widgets.words import OneLine

TOLD_SECONDS = 30.0  # long enough to be read by somebody who looked elsewhere


class StatusLine(OneLine):
    DEFAULT_CSS = "StatusLine { color: $text-muted; }"

    class Chosen(Message):
        """What waits was clicked."""

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._count, self._waits, self._told, self._shown = "", "", "", ""
        self._stays = False
        self._is_true: Callable[[], bool] | None = None  # whether what was said still holds
        self._ends: Timer | None = None

    def count(self, shown: int, total: int) -> None:
        self._count = f"{shown:,}" if shown == total else f"filtered {total:,} → {shown:,}"
        self._draw()

    def turn(self) -> None:
        """Another place is shown: it has told no count yet, and what was said of the one before goes."""
        self._count = ""
        if not self._stays:
            self._told = ""
        self._draw()

    def tell(self, text: str, *, stays: bool = False, is_true: Callable[[], bool] | None = None) -> None:
        """One line; of a message of several the first, with a sign that there is more of it.

        `stays`: it is about what it names, wherever one is, not about the place that is shown.
        `is_true`: it goes as soon as that does not hold; None where it cannot become false.
        """
        first, _, more = text.partition("\n")
        self._told, self._stays = visible(f"{first} …" if more.strip() else first, 1000), stays
        self._is_true = is_true
        if self._ends is not None:
            self._ends.stop()
        if self.is_attached:
            self._ends = self.set_timer(TOLD_SECONDS, self._forget)
        self._draw()

    def settle(self) -> None:
        """Take away what is no longer true."""
        if self._told and self._is_true is not None and not self._is_true():
            self._forget()

    def wait(self, text: str) -> None:
        """What waits for the person; "" for nothing."""
        self._waits = visible(text, 200)
        self._draw()

    def on_click(self) -> None:
        if self._waits:
            self.post_message(self.Chosen())

    @property
    def told(self) -> str:
        return self._told

    def _forget(self) -> None:
        self._told = ""
        self._draw()

    def _draw(self) -> None:
        text = "  ".join(one for one in (self._count, self._waits, self._told) if one)
        if text != self._shown:  # one line, whatever it says: nothing around it moves
            self._shown = text
            line = Text(text)
            line.highlight_words([self._waits] if self._waits else [], "bold reverse")
            self.update(line, layout=False)
