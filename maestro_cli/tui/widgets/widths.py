"""How wide the columns of a table are, by what was seen of its rows.

Invariant: they never become narrower while the columns stay the same, so that nothing jumps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maestro_cli.output.views import Column
from maestro_cli.tui.text import Span, cells, shown
from maestro_cli.tui.widgets.columns import Layout, laid_out_whole

_REMEMBERED = 500  # rows that were measured


class Widths:
    """Of one table, with how its columns lie by them."""

    def __init__(self) -> None:
        self.layout = Layout()
        self._widths: list[int] = []
        self._measured: dict[str, list[Span]] = {}  # by key, the cells that are as wide as that at most
        self._laid_out: object = None  # what the layout was made of

    def __len__(self) -> int:
        return len(self._widths)

    def begin(self, columns: Sequence[Column[Any]]) -> None:
        """Other columns: as wide as their titles."""
        self._widths = [cells(shown(one.title.upper())) + 1 for one in columns]
        self._measured.clear()

    def widen(self, key: str, row: list[Span]) -> None:
        """See a row of shown cells."""
        if self._measured.get(key) is row:
            return
        if len(self._measured) >= _REMEMBERED:
            self._measured.clear()
        self._measured[key] = row
        self._widths = [max(width, cells(text)) for width, (text, _) in zip(self._widths, row, strict=True)]

    def lay_out(self, columns: Sequence[Column[Any]], room: int, skipped: int) -> bool:
        """Share `room` cells among the columns; answers whether they lie otherwise than before."""
        made_of = (columns, tuple(self._widths), room, skipped)
        if made_of == self._laid_out:
            return False
        self._laid_out = made_of
        before, self.layout = self.layout, laid_out_whole(self._widths, columns, room, skipped)
        return self.layout != before
