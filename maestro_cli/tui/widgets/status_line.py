"""The line above the keys: how many rows, and what was said last. Invariant: what was said stays until
something else is."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from maestro_cli.core.untrusted import visible


class StatusLine(Static):
    DEFAULT_CSS = "StatusLine { height: 1; color: $text-muted; }"

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._count, self._told, self._shown = "", "", ""

    def count(self, shown: int, total: int) -> None:
        self._count = f"{shown:,}" if shown == total else f"filtered {total:,} → {shown:,}"
        self._draw()

    def tell(self, text: str) -> None:
        self._told = visible(text, 1000)
        self._draw()

    @property
    def told(self) -> str:
        return self._told

    def _draw(self) -> None:
        text = f"{self._count}  {self._told}".strip()
        if text != self._shown:  # one line, whatever it says: nothing around it moves
            self._shown = text
            self.update(Text(text, no_wrap=True, overflow="ellipsis"), layout=False)
