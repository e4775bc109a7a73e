"""The rows of a table: in what order they stand, where a key is, and what their cells say.

Invariant: replacing all rows costs one pass at most; cells are computed for rows that are looked at alone.
What a row is sorted by is computed once while the row stays the same: no column is sorted by the time of now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from maestro_cli.output.views import Column
from maestro_cli.tui.cells import cell_of, order_of, tone_of
from maestro_cli.tui.text import Span, shown
from maestro_cli.tui.widgets.columns import SortKey, sort_key

_KEPT = 2048  # rows whose cells are remembered
_LONGEST_CELL = 400  # characters of a cell that are looked at

Key = Callable[[Any], str]


class Rows:
    """Items by key, in the order shown."""

    def __init__(self) -> None:
        self.columns: Sequence[Column[Any]] = ()
        self.items: Sequence[Any] = ()  # in the order shown
        self.sorted_by: int | None = None
        self.is_reversed = False
        self._given: Sequence[Any] = ()
        self._key: Key = str
        self._index: dict[str, int] | None = None
        self._cells: dict[str, tuple[Any, list[Span]]] = {}
        self._ranked: Sequence[Any] = ()  # the items whose ranks are known, as they came
        self._ranks: list[SortKey] = []
        self._order: list[int] = []  # places in what came, as they are shown

    def replace(self, columns: Sequence[Column[Any]], items: Sequence[Any], key: Key) -> None:
        if columns is not self.columns:
            self._cells.clear()
            if [one.title for one in columns] != [one.title for one in self.columns]:
                self._forget_ranks()
                self.sorted_by = None
        self.columns, self._given, self._key = columns, items, key
        self._put_in_order()

    def sort(self, column: int | None, *, reverse: bool = False) -> None:
        """By a column; None is the order in which the items came."""
        if column != self.sorted_by:
            self._forget_ranks()
        self._order = []
        self.sorted_by, self.is_reversed = column, reverse
        self._put_in_order()

    def place_of(self, column: int | str | None) -> int | None:
        """Of a column by its title; None where there is none such."""
        if not isinstance(column, str):
            return column
        return next((index for index, one in enumerate(self.columns) if one.title == column), None)

    @property
    def title_sorted_by(self) -> str | None:
        return None if self.sorted_by is None else self.columns[self.sorted_by].title

    def _forget_ranks(self) -> None:
        self._ranked, self._ranks, self._order = (), [], []

    @property
    def key_of(self) -> Key:
        """What tells the key of an item."""
        return self._key

    def key(self, row: int) -> str:
        return self._key(self.items[row])

    def find(self, key: str | None, guess: int = -1) -> int | None:
        """The row of a key; at once where it is the guessed one."""
        if key is None:
            return None
        if 0 <= guess < len(self.items) and self.key(guess) == key:
            return guess
        if self._index is None:
            make = self._key
            self._index = {make(item): row for row, item in enumerate(self.items)}
        return self._index.get(key)

    def cells(self, row: int) -> list[Span]:
        """Each column's shown text and tone."""
        item = self.items[row]
        key = self._key(item)
        known = self._cells.get(key)
        if known is not None and (known[0] is item or known[0] == item):
            return known[1]
        if len(self._cells) >= _KEPT:
            self._cells.clear()
        made = [
            (shown(cell_of(column, item), _LONGEST_CELL), tone_of(column, item)) for column in self.columns
        ]
        self._cells[key] = (item, made)
        return made

    def _put_in_order(self) -> None:
        self._index = None
        if self.sorted_by is None:
            self.items = self._given
            return
        column = self.columns[self.sorted_by]
        if self._rank(lambda item: order_of(column, item)) or len(self._order) != len(self._given):
            ranks = self._ranks
            order = sorted(range(len(ranks)), key=ranks.__getitem__, reverse=self.is_reversed)
            known = [place for place in order if ranks[place][0] != _NOTHING]
            self._order = known + [place for place in order if ranks[place][0] == _NOTHING]
        given = self._given
        self.items = [given[place] for place in self._order]

    def _rank(self, cell: Callable[[Any], object]) -> bool:
        """Bring the rank of each given item up to date; answers whether one is another than before."""
        given, before, ranks = self._given, self._ranked, self._ranks
        self._ranked = tuple(given)
        if len(before) == len(given):
            is_other = False
            for place, (old, new) in enumerate(zip(before, given, strict=True)):
                if old is not new and old != new:
                    rank = sort_key(cell(new))
                    is_other = is_other or rank != ranks[place]
                    ranks[place] = rank
            return is_other
        make = self._key
        known = {make(item): (item, rank) for item, rank in zip(before, ranks, strict=True)}
        self._ranks = [
            entry[1]
            if (entry := known.get(make(item))) is not None and (entry[0] is item or entry[0] == item)
            else sort_key(cell(item))
            for item in given
        ]
        return True


_NOTHING = sort_key(None)[0]
