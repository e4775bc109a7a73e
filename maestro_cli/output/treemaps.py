"""A treemap as lines of a terminal and as SVG: an area is an amount.

Invariant: every text is made visible, and escaped in SVG; a tile says what it is by its letter, and what has
no room in its tile is told below, so that nothing is told by colour or area alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maestro_cli.core.money import amount_words
from maestro_cli.core.quantities import counted
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.pictures.treemap import CellTile, Tile, cell_treemap, treemap
from maestro_cli.output.series import (
    REST,
    Look,
    Series,
    attributes,
    legend_height,
    looks_of,
    painted,
    svg_legend,
)
from maestro_cli.output.svg_parts import WIDTH, box, label, opened
from maestro_cli.output.tables import cut, folded, text_width

_HEIGHT, _TOP, _LEFT = 330.0, 28.0, 8.0
_LEAST_AREA = 900.0  # of a tile of its own, 30 by 30
_LEAST_CELLS = (6, 2)  # room for a letter and some of a name, and for a figure below
_CHARACTER, _LINE = 6.2, 13.0  # of a letter in SVG
_ROWS_BY_COLUMNS = 0.18


@dataclass(frozen=True, slots=True)
class Treemap:
    """`series` from the largest; `rest` tells the amount of several; `notes` say what cannot be drawn."""

    title: str
    series: Sequence[Series]
    rest: str  # with a place for the amount: `EUR {}`
    notes: Sequence[str] = ()


def treemap_lines(plot: Treemap, width: int, colour: bool) -> list[str]:
    """A picture of so many columns, and a legend below it."""
    amounts = [one.amount for one in plot.series]
    height = max(6, round(width * _ROWS_BY_COLUMNS))
    tiles = cell_treemap(amounts, width, height, *_LEAST_CELLS, most=_most(plot))
    if not tiles:
        return ["nothing to draw"]
    paper = [[(" ", REST)] * width for _ in range(height)]
    named = []
    for look, name, words, tile in _named(plot, tiles):
        _fill(paper, tile, look, name, words, colour=colour)
        named.append(f"{look.letter} {name}: {words}")
    rows = [painted(list(_runs(row)), colour=colour) for row in paper]
    told = [
        line
        for text in (*named, *(visible(note, 400) for note in plot.notes))
        for line in folded(text, width)
    ]
    return [*rows, "", *_columns(told, width)]


def treemap_svg(plot: Treemap) -> str:
    """The picture as one SVG element."""
    wide = WIDTH - 2 * _LEFT
    amounts = [one.amount for one in plot.series]
    tiles = treemap(amounts, wide, _HEIGHT, _LEAST_AREA, most=_most(plot))
    named = list(_named(plot, tiles))
    floor = _TOP + _HEIGHT + 12
    keys = [(look, f"{name}: {words}") for look, name, words, _ in named]
    under = floor + legend_height(len(keys))
    height = math.ceil(under + 14 * len(plot.notes) + 8)
    return "\n".join(
        (
            *opened(plot.title, height, int(_LEFT)),
            *([] if tiles else [label("nothing to draw", WIDTH / 2, _TOP + _HEIGHT / 2, anchor="middle")]),
            *(line for one in named for line in _tile(*one)),
            *svg_legend(keys, _LEFT, floor, wide),
            *(label(note, _LEFT, under + 10 + 14 * index) for index, note in enumerate(plot.notes)),
            "</svg>",
        )
    )


def _most(plot: Treemap) -> int:
    """How many have a look of their own."""
    looks = looks_of(plot.series)
    return looks.index(REST) if REST in looks else len(looks)


def _short(name: str, room: int) -> str:
    """A name; of a path that has no room its last part."""
    return cut(name if text_width(name) <= room else name.rpartition("/")[2] or name, room)


def _figure(words: str, room: int) -> str:
    """As much of an amount and its share as there is room for: both, the amount, or nothing."""
    return next((one for one in (words, words.rpartition(", ")[0]) if text_width(one) <= room), "")


def _named(
    plot: Treemap, tiles: Sequence[Tile] | Sequence[CellTile]
) -> Iterator[tuple[Look, str, str, Tile | CellTile]]:
    """Each tile with its look, its name made visible and what is said of it."""
    looks = looks_of(plot.series)
    for tile in tiles:
        if len(tile.members) > 1:
            amount = math.fsum(plot.series[index].amount for index in tile.members)
            yield REST, f"{counted(len(tile.members), 'other')}", plot.rest.format(amount_words(amount)), tile
        else:
            one = plot.series[tile.members[0]]
            yield looks[tile.members[0]], visible(one.name, 80), one.words, tile


def _fill(
    paper: list[list[tuple[str, Look]]],
    tile: Tile | CellTile,
    look: Look,
    name: str,
    words: str,
    *,
    colour: bool,
) -> None:
    left, top, right, bottom = (int(edge) for edge in (tile.left, tile.top, tile.right, tile.bottom))
    for row in range(top, bottom):
        paper[row][left:right] = [(" " if colour else look.letter, look)] * (right - left)
    room = right - left - 2
    if room < 2:
        return
    mark, side = (f"{look.letter} ", "") if colour else ("", " ")  # a name in letters has room around it
    texts = (mark + _short(name, room - len(mark + side)), _figure(words, room - len(side)))
    for row, text in zip(range(top, bottom), texts, strict=False):
        if not text:
            continue
        column = left + 1
        for character in side + text:
            wide = text_width(character)
            if not wide:  # a mark on the letter before it
                before, _ = paper[row][column - 1]
                paper[row][column - 1] = (before + character, look)
                continue
            paper[row][column : column + wide] = [(character, look), *[("", look)] * (wide - 1)]
            column += wide
        if not colour and column < right:
            paper[row][column] = (" ", look)


def _runs(row: Sequence[tuple[str, Look]]) -> Iterator[tuple[str, Look]]:
    text, last = "", row[0][1]
    for character, look in row:
        if look is not last:
            yield text, last
            text, last = "", look
        text += character
    yield text, last


def _columns(lines: Sequence[str], width: int) -> list[str]:
    """Two columns, read downwards, where all lines have room in half of the width."""
    half = width // 2 - 1
    if len(lines) < 4 or any(text_width(one) > half for one in lines):
        return list(lines)
    first = (len(lines) + 1) // 2
    rights = [*lines[first:], ""]
    return [
        (left + " " * (half + 2 - text_width(left)) + rights[index]).rstrip()
        for index, left in enumerate(lines[:first])
    ]


def _tile(look: Look, name: str, words: str, tile: Tile | CellTile) -> Iterator[str]:
    x, y = _LEFT + tile.left, _TOP + tile.top
    yield box(x, y, tile.width, tile.height, attributes(look), f"{name}: {words}")
    room = int((tile.width - 8) / _CHARACTER)
    for index, text in enumerate((f"{look.letter} {_short(name, room - 2)}", _figure(words, room))):
        if text and room >= 2 and tile.height >= _LINE * (index + 1) + 4:
            yield label(text, x + 5, y + _LINE * (index + 1))
