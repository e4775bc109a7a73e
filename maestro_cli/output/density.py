"""Where events fell day by day, as SVG: a column a day, a row a bucket, and the boundary that was promised.

Invariant: pure, and the same input gives the same bytes; the words of a cell say its share; a day that is not
known is an outline, never the colour of no events.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maestro_cli.output.histogram import percentage
from maestro_cli.output.svg_parts import FAINT, INK, PAPER, WIDTH, box, label, line, opened

_LEFT, _TOP, _ROW, _LEGEND = 64, 44, 15, 30
_STEPS = (0.001, 0.01, 0.05, 0.2, 0.5, math.inf)
_WITHIN = ("#e3edf7", "#bcd4ec", "#8db5dd", "#5a92c8", "#2b6cad", "#0b3f7a")
_OVER = ("#fdeadd", "#fbd0b0", "#f4b26a", "#e38746", "#c9542b", "#8f1d14")
_WORDS = ("up to 0.1 %", "1 %", "5 %", "20 %", "50 %", "more")


@dataclass(frozen=True, slots=True)
class Density:
    """`rows` are the upper ends of the buckets, the lowest first; a column has a share for each of them.

    `within` is how many of the rows are within what `boundary` says was promised.
    """

    title: str
    rows: Sequence[str]
    columns: Sequence[tuple[str, Sequence[float] | None]]
    within: int
    boundary: str


def density_svg(plot: Density) -> str:
    """The picture as one SVG element."""
    height = _TOP + len(plot.rows) * _ROW + _LEGEND + 14
    return "\n".join(
        (*opened(plot.title, height, _LEFT), *_cells(plot), *_axes(plot), *_legend(height), "</svg>")
    )


def level_of(share: float) -> int | None:
    """Which of the six colours; None for no events."""
    if not share > 0:
        return None
    return next(index for index, most in enumerate(_STEPS) if share <= most)


def _cells(plot: Density) -> Iterator[str]:
    wide = (WIDTH - _LEFT - 16) / max(len(plot.columns), 1)
    for number, (name, shares) in enumerate(plot.columns):
        x = _LEFT + number * wide
        if shares is None:
            look = f'fill="{PAPER}" stroke="{FAINT}" stroke-dasharray="2 2"'
            yield box(x, _TOP, wide - 1, len(plot.rows) * _ROW - 1, look, f"{name}: not known")
            continue
        for row, share in enumerate(shares):
            level = level_of(share)
            if level is not None:
                colour = (_WITHIN if row < plot.within else _OVER)[level]
                told = f"{name}, up to {plot.rows[row]}: {percentage(share)}"
                yield box(x, _y(plot, row), wide - 1, _ROW - 1, f'fill="{colour}"', told)


def _axes(plot: Density) -> Iterator[str]:
    wide = (WIDTH - _LEFT - 16) / max(len(plot.columns), 1)
    for row, name in enumerate(plot.rows):
        yield label(name, _LEFT - 6, _y(plot, row) + _ROW - 4, anchor="end")
    every = max(math.ceil(len(plot.columns) / 16), 1)
    floor = _TOP + len(plot.rows) * _ROW
    for number, (name, _) in list(enumerate(plot.columns))[::every]:
        yield label(name, _LEFT + number * wide, floor + 11)
    y = floor - plot.within * _ROW
    yield line(_LEFT - 60, y - 0.5, WIDTH - 16, y - 0.5, f'stroke="{INK}" stroke-dasharray="4 3"')
    yield label(f"– – {plot.boundary}", WIDTH - 16, _TOP - 6, anchor="end")


def _y(plot: Density, row: int) -> float:
    """The slowest at the top."""
    return _TOP + (len(plot.rows) - 1 - row) * _ROW


def _legend(height: int) -> Iterator[str]:
    y = height - 17
    yield label("of a day's events:", _LEFT, y + 9)
    for index, told in enumerate(_WORDS):
        x = _LEFT + 96 + index * 92
        yield box(x, y, 10, 10, f'fill="{_WITHIN[index]}"')
        yield box(x + 12, y, 10, 10, f'fill="{_OVER[index]}"')
        yield label(told, x + 26, y + 9)
