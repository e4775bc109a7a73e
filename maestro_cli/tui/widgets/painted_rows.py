"""Lines of a table as they were painted, again while nothing of them changes.

Invariant: a line is that of what it is made of now; how long ago it was painted does not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.strip import Strip

from maestro_cli.tui.text import Span

_REMEMBERED = 500  # rows

Make = Callable[[], Strip]
Plain = dict[str, tuple[Any, Strip]]  # by key, an item and its line


class PaintedRows:
    """Of one table."""

    def __init__(self) -> None:
        self._plain: Plain = {}
        self._plain_made_of: object = None
        self._rows: dict[str, tuple[list[Span], object, Strip]] = {}
        self._title: tuple[object, Strip] | None = None

    def plain(self, made_of: object) -> Plain:
        """Lines of rows where nothing stands but the item: found by that alone while all are `made_of` the
        same. Whoever paints one adds it."""
        if made_of != self._plain_made_of or len(self._plain) >= _REMEMBERED:
            self._plain_made_of = made_of
            self._plain.clear()
        return self._plain

    def row(self, key: str, cells: list[Span], made_of: object, make: Make) -> Strip:
        """The line of any row."""
        known = self._rows.get(key)
        if known is not None and known[1] == made_of and (known[0] is cells or known[0] == cells):
            return known[2]
        if len(self._rows) >= _REMEMBERED:
            self._rows.clear()
        strip = make()
        self._rows[key] = (cells, made_of, strip)
        return strip

    def title(self, made_of: object, make: Make) -> Strip:
        """The line above the rows."""
        if self._title is None or self._title[0] != made_of:
            self._title = made_of, make()
        return self._title[1]

    def forget(self) -> None:
        """The styles became others."""
        self._plain.clear()
        self._rows.clear()
        self._title = None
