"""A rectangle cut into one for each amount, as near to squares as can be.

Source: Bruls, Huizing, van Wijk, Squarified Treemaps (2000): amounts from the largest, in rows along the
shorter side; a row ends where one more amount would make its worst rectangle longer.

Units: whatever `width` and `height` are in; cells of a terminal are about twice as high as wide, and
rectangles are made to look square there. Invariants: nothing overlaps, nothing is outside, and the whole is
covered if any amount is above zero; an amount that is not above zero has no rectangle. In units of any size
areas are as the amounts; in cells every edge is within half a cell of that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CELL_ASPECT = 2.0  # height of a cell by its width


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle and the places in the list of the amounts it stands for; several are the rest."""

    members: tuple[int, ...]
    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class CellTile:
    """The same in whole cells; `right` and `bottom` are the first that it has no more."""

    members: tuple[int, ...]
    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


def treemap(
    amounts: Sequence[float], width: float, height: float, least_area: float = 0.0, most: int | None = None
) -> list[Tile]:
    """A tile for each amount above zero, the largest first; those of less area than that are one, the rest.

    So are those beyond the `most` largest. The rest comes last and has the area of its sum.
    """
    known = _drawable(amounts)
    if not known or width <= 0 or height <= 0:
        return []
    alone = min(_alone(amounts, known, width * height, least_area), len(known) if most is None else most)
    return _laid(amounts, known, alone, width, height)


def cell_treemap(
    amounts: Sequence[float],
    width: int,
    height: int,
    least_width: int = 1,
    least_height: int = 1,
    most: int | None = None,
) -> list[CellTile]:
    """The same in cells of a terminal: only the rest, which is the last, is narrower or lower than that.

    A rest that is less than half a cell has a width or a height of 0: it is to be told in words.
    """
    known = _drawable(amounts)
    if not known or width <= 0 or height <= 0:
        return []
    alone = _alone(amounts, known, width * height, least_width * least_height)
    alone = min(alone, len(known) if most is None else most)
    while True:
        laid = _laid(amounts, known, alone, width, height * CELL_ASPECT)
        cells = [_rounded(tile) for tile in laid]
        small = sum(one.width < least_width or one.height < least_height for one in cells[:alone])
        if not small:
            return cells
        alone -= max(small // 4, 1)


def _drawable(amounts: Sequence[float]) -> list[int]:
    """Which have an area, the largest first; equals in their order."""
    known = (index for index, amount in enumerate(amounts) if amount > 0 and math.isfinite(amount))
    return sorted(known, key=lambda index: -amounts[index])


def _alone(amounts: Sequence[float], known: Sequence[int], area: float, least: float) -> int:
    """How many have a tile of their own."""
    largest = amounts[known[0]]
    total = math.fsum(amounts[index] / largest for index in known)
    needed = least * total / area * (1 - 1e-9)
    return sum(amounts[index] / largest >= needed for index in known)


def _laid(
    amounts: Sequence[float], known: Sequence[int], alone: int, width: float, height: float
) -> list[Tile]:
    """Those that stand alone, then the rest as one, which has the place of its size."""
    largest = amounts[known[0]]
    groups: list[tuple[int, ...]] = [(index,) for index in known[:alone]]
    if alone < len(known):
        groups.append(tuple(known[alone:]))
    sizes = [math.fsum(amounts[index] / largest for index in members) for members in groups]
    order = sorted(range(len(groups)), key=lambda place: -sizes[place])
    edges = _squarified([sizes[place] for place in order], width, height)
    found = {place: Tile(groups[place], *edge) for place, edge in zip(order, edges, strict=True)}
    return [found[place] for place in range(len(groups))]


_Edges = tuple[float, float, float, float]  # left, top, right, bottom


def _squarified(sizes: Sequence[float], right: float, bottom: float) -> Iterator[_Edges]:
    """Sizes fall. Neighbours share the same float as an edge, so that rounding leaves no gap."""
    left = top = 0.0
    total = math.fsum(sizes)
    at = 0
    while at < len(sizes):
        width, height = right - left, bottom - top
        scale = width * height / total if total > 0 else 0.0
        end = _row_end(sizes, at, scale, min(width, height))
        row = sizes[at:end]
        share = 1.0 if end == len(sizes) else min(math.fsum(row) / total, 1.0)
        if width >= height:
            edge = right if share == 1.0 else left + width * share
            yield from ((left, low, edge, high) for low, high in _cuts(row, top, bottom))
            left = edge
        else:
            edge = bottom if share == 1.0 else top + height * share
            yield from ((low, top, high, edge) for low, high in _cuts(row, left, right))
            top = edge
        at, total = end, math.fsum(sizes[end:])


def _row_end(sizes: Sequence[float], start: int, scale: float, side: float) -> int:
    """Where the row along the shorter side ends: before the size that makes its worst tile longer."""
    total, best = 0.0, math.inf
    for end in range(start, len(sizes)):
        total += sizes[end]
        worst = _longest(sizes[start] * scale, sizes[end] * scale, total * scale, side)
        if worst > best:
            return end
        best = worst
    return len(sizes)


def _longest(largest: float, smallest: float, total: float, side: float) -> float:
    """The longer side by the shorter of the worst tile of a row, whose sizes lie between those two."""
    if smallest <= 0 or total <= 0 or side <= 0:
        return math.inf
    thick = total / side
    return max(largest / thick / thick, thick / (smallest / thick))


def _cuts(row: Sequence[float], start: float, end: float) -> Iterator[tuple[float, float]]:
    total, done, low = math.fsum(row), 0.0, start
    for index, size in enumerate(row):
        done += size
        is_last = index == len(row) - 1 or total <= 0
        high = end if is_last else min(start + (end - start) * (done / total), end)
        yield low, high
        low = high


def _rounded(tile: Tile) -> CellTile:
    """Half a cell goes down, for both tiles that share the edge."""
    left, right = (math.floor(edge + 0.5) for edge in (tile.left, tile.right))
    top, bottom = (math.floor(edge / CELL_ASPECT + 0.5) for edge in (tile.top, tile.bottom))
    return CellTile(tile.members, left, top, right, bottom)
