"""Which columns a terminal has room for, and how wide each is.

Invariant: what names a row stays whole unless it alone is wider than the terminal; figures and instants are
whole or not there, for half a number is another number; what is left out is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GAP = 2  # blanks between two columns
EXTRA = 3  # the priority from which on a column is whole or left out
_FOLDED = 40  # columns to which prose is narrowed before anything is cut
_LEAST_FOLDED = 24  # columns under which prose is no prose any more
_READABLE = {1: 40, 2: 20}  # columns to which text is cut, by priority, to keep what is extra
_LEAST = {1: 20, 2: 12}  # and at most


@dataclass(frozen=True, slots=True)
class Measured:
    """A column as it is in one table: `width` of its widest cell or title, in columns of the terminal.

    `priority` 0 names the row; the greater, the sooner it gives way. `is_empty`: no row has it.
    """

    width: int
    title_width: int
    priority: int
    is_whole: bool
    folds: bool
    is_empty: bool


@dataclass(frozen=True, slots=True)
class Fit:
    """The columns that are shown, by index, the width of each, and those that are left out."""

    shown: tuple[int, ...]
    widths: tuple[int, ...]
    left_out: tuple[int, ...]


def fit(columns: Sequence[Measured], room: int) -> Fit:
    """The columns that fit in `room`: what is empty in every row gives way first, then what is extra, while
    the others stay readable; then the others are cut, and left out, the least important from the right."""
    shown = list(range(len(columns)))
    empty = [index for index in shown if columns[index].is_empty and columns[index].priority]
    while empty and _total([columns[index].width for index in shown]) > room:
        shown.remove(empty.pop())
    while True:
        widths = _narrowed([columns[index] for index in shown], room)
        others = [index for index in shown if columns[index].priority]
        if _total(widths) <= room or not others:
            break
        shown.remove(max(others, key=lambda index: (columns[index].priority, index)))
    left_out = [index for index in range(len(columns)) if index not in shown]
    return Fit(tuple(shown), tuple(_forced(widths, room)), tuple(left_out))


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _narrowed(columns: Sequence[Measured], room: int) -> list[int]:
    """Prose is folded and text is cut while both stay readable, then, with nothing extra left, as far as they
    can be; no further than it must be."""
    widths = [column.width for column in columns]
    order = sorted(range(len(columns)), key=lambda index: (columns[index].priority, index), reverse=True)
    folding = [index for index in order if columns[index].folds]
    cut = [index for index in order if _may_be_cut(columns[index])]
    steps = [(index, _FOLDED) for index in folding]
    steps += [(index, _READABLE[columns[index].priority]) for index in cut]
    if not any(column.priority >= EXTRA for column in columns):
        steps += [(index, _LEAST_FOLDED) for index in folding]
        steps += [(index, _LEAST[columns[index].priority]) for index in cut]
    for index, least in steps:
        over = _total(widths) - room
        if over <= 0:
            break
        least = max(least, columns[index].title_width)
        widths[index] -= max(0, min(over, widths[index] - least))
    return widths


def _may_be_cut(column: Measured) -> bool:
    return 0 < column.priority < EXTRA and not column.is_whole and not column.folds


def _forced(widths: list[int], room: int) -> list[int]:
    """Where the names alone are wider than the terminal: the widest gives way."""
    widths = [min(width, max(room, 1)) for width in widths]
    while _total(widths) > room and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    return widths
