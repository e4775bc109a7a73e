"""Amounts as areas: a box for each, as large as its part of the whole.

Invariant: a box says its name and its figures as far as they fit; what has no room is counted in a box of its
own or below, and the chosen one is marked by a sign as well as by its colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.strip import Strip

from maestro_cli.cost.pictures.treemap import CellTile, cell_treemap
from maestro_cli.tui.text import Span, Spans, fit, shown, sliced
from maestro_cli.tui.widgets.tones import Toned

LEAST_WIDTH, LEAST_HEIGHT = 9, 2  # from edge to edge: eight cells of text in one line
_LEAST_NAME = 5  # cells of the rest from edge to edge that say which it is
_LEFT, _RIGHT, _UP, _DOWN = 1, 2, 4, 8
_EDGES = " ╴╶─╵┘└┴╷┐┌┬│┤├┼"  # by the ways that lead away from a cell


@dataclass(frozen=True, slots=True)
class Area:
    """What one box is of; `words` are told below the name as far as there is room."""

    key: str
    name: str
    amount: float
    words: tuple[str, ...] = ()
    tone: str = ""


def tiles_of(areas: Sequence[Area], width: int, height: int) -> list[CellTile]:
    """The boxes in a picture of so many cells, edges counted."""
    amounts = [one.amount for one in areas]
    return cell_treemap(amounts, width - 1, height - 1, LEAST_WIDTH, LEAST_HEIGHT)


def edges(tiles: Sequence[CellTile], width: int, height: int) -> list[str]:
    """The boxes without what is in them; neighbours share their edge."""
    ways = [[0] * width for _ in range(height)]
    for tile in tiles:
        for y in {tile.top, tile.bottom}:
            for x in range(tile.left, tile.right):
                ways[y][x] |= _RIGHT
                ways[y][x + 1] |= _LEFT
        for x in {tile.left, tile.right}:
            for y in range(tile.top, tile.bottom):
                ways[y][x] |= _DOWN
                ways[y + 1][x] |= _UP
    return ["".join(_EDGES[way] for way in row) for row in ways]


def map_lines(
    areas: Sequence[Area], tiles: Sequence[CellTile], width: int, height: int, chosen: str = ""
) -> list[Spans]:
    """Every line of the picture, in tones; the areas that have no room of their own are counted."""
    inside: list[list[tuple[int, int, Span]]] = [[] for _ in range(height)]
    for tile in tiles:
        if tile.width > 1:
            texts, tone = _told([areas[index] for index in tile.members], chosen)
            if tile.width <= _LEAST_NAME:  # it says whether it is the chosen one, and no pieces of words
                texts = [texts[0][:1]]
            for y in range(tile.top + 1, tile.bottom):
                text = texts[y - tile.top - 1] if y - tile.top <= len(texts) else ""
                inside[y].append((tile.left + 1, tile.right, (fit(text, tile.width - 1), tone)))
    lines: list[Spans] = []
    for row, parts in zip(edges(tiles, width, height), inside, strict=True):
        done: list[Span] = []
        at = 0
        for left, right, span in sorted(parts):
            done += [(row[at:left], "axis"), span]
            at = right
        lines.append((*done, (row[at:], "axis")))
    if lines and (count := _untold(tiles)):
        words = f" {count:,} smaller ─┘"
        lines[-1] = (*sliced(lines[-1], 0, max(width - len(words), 0)), (words[-width:], "axis"))
    return lines


def _untold(tiles: Sequence[CellTile]) -> int:
    """How many the last box stands for, where it is too small to say so; 0 where it says it."""
    if not tiles:
        return 0
    rest = tiles[-1]
    needed = len(f" {len(rest.members):,} smaller") if len(rest.members) > 1 else _LEAST_NAME
    return 0 if rest.width > needed and rest.height >= LEAST_HEIGHT else len(rest.members)


def _told(areas: Sequence[Area], chosen: str) -> tuple[list[str], str]:
    """The lines of a box and their tone."""
    is_chosen = any(one.key == chosen for one in areas)
    sign = "▸" if is_chosen else " "
    if len(areas) == 1:
        texts = [sign + shown(areas[0].name), *(" " + shown(word) for word in areas[0].words)]
        return texts, "cursor-away" if is_chosen else areas[0].tone
    return [f"{sign}{len(areas):,} smaller"], "cursor-away" if is_chosen else "dim"


class TreeMap(Toned):
    """A picture as large as the place it has; a click chooses, a double click opens."""

    DEFAULT_CSS = "TreeMap { height: 1fr; overflow-y: hidden; scrollbar-gutter: auto; }"

    class Clicked(Message):
        """A click on the box of a key; `opens` at the second."""

        def __init__(self, key: str, *, opens: bool) -> None:
            super().__init__()
            self.key, self.opens = key, opens

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._areas: tuple[Area, ...] = ()
        self._chosen, self._empty = "", ""
        self._drawn: tuple[int, int] = (0, 0)
        self._tiles: list[CellTile] = []
        self._lines: list[Spans] = []

    def show(self, areas: Sequence[Area], chosen: str, empty: str = "") -> None:
        """Show these instead; `empty` is said where nothing has an area."""
        found = tuple(areas)
        if (found, chosen, empty) != (self._areas, self._chosen, self._empty):
            self._areas, self._chosen, self._empty = found, chosen, empty
            self._drawn = (0, 0)
            self.refresh()

    def _draw(self, width: int, height: int) -> None:
        self._drawn = (width, height)
        self._tiles = tiles_of(self._areas, width, height) if width > LEAST_WIDTH else []
        self._lines = map_lines(self._areas, self._tiles, width, height, self._chosen)
        if not self._tiles:
            self._lines = [((" " + shown(self._empty), "dim"),)] if self._empty else []

    def render_line(self, y: int) -> Strip:
        size = (self.line_width, self.size.height)
        if self._drawn != size:
            self._draw(*size)
        return self.painted(self._lines[y] if y < len(self._lines) else (), size[0])

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is None:
            return
        for tile in self._tiles:
            if tile.left <= at.x < tile.right and tile.top <= at.y < tile.bottom:
                key = self._areas[tile.members[0]].key
                self.post_message(self.Clicked(key, opens=event.chain == 2 and len(tile.members) == 1))
                return
