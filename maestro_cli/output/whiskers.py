"""One figure in each of several periods beside a limit, as SVG: a bar, and its bounds.

Invariant: pure, and the same input gives the same bytes; what is not known is said in words and has no bar.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maestro_cli.output.svg_parts import BAD, FAINT, GOOD, INK, WIDTH, box, label, line, opened

_LEFT, _RIGHT, _TOP, _ROW, _BOTTOM = 92, 200, 34, 26, 22
_MOST = 10.0  # what is more, and bounds that are far away, is drawn to the edge


@dataclass(frozen=True, slots=True)
class Period:
    """A period, its share of the limit (None: not known) with its bounds, and words about it."""

    label: str
    share: float | None
    low: float | None
    high: float | None
    words: str


@dataclass(frozen=True, slots=True)
class Whiskers:
    """`limit` names what a share of 1 is."""

    title: str
    periods: Sequence[Period]
    limit: str


def whiskers_svg(plot: Whiskers) -> str:
    """The picture as one SVG element, the first period at the top."""
    height = _TOP + len(plot.periods) * _ROW + _BOTTOM
    most = min(max([1.0, *(one.share for one in plot.periods if one.share is not None)]) * 1.4, _MOST)
    return "\n".join((*opened(plot.title, height, _LEFT), *_rows(plot, most), *_limit(plot, most), "</svg>"))


def _rows(plot: Whiskers, most: float) -> Iterator[str]:
    for number, one in enumerate(plot.periods):
        y = _TOP + number * _ROW
        yield label(one.label, _LEFT - 6, y + 15, anchor="end")
        yield label(one.words, WIDTH - _RIGHT + 8, y + 15)
        if one.share is not None:
            colour = BAD if one.share > 1 else GOOD
            wide = _x(one.share, most) - _LEFT
            yield box(_LEFT, y + 4, wide, _ROW - 10, f'fill="{colour}"', f"{one.label}: {one.words}")
        if one.low is not None and one.high is not None and one.low != one.high:
            left, right, middle = _x(one.low, most), _x(one.high, most), y + _ROW / 2 - 1
            yield line(left, middle, right, middle, f'stroke="{INK}"')
            for x in (left, right):
                yield line(x, middle - 4, x, middle + 4, f'stroke="{INK}"')


def _limit(plot: Whiskers, most: float) -> Iterator[str]:
    floor = _TOP + len(plot.periods) * _ROW
    yield line(_LEFT, floor, WIDTH - _RIGHT, floor, f'stroke="{FAINT}"')
    x = _x(1.0, most)
    yield line(x, _TOP - 4, x, floor + 4, f'stroke="{INK}" stroke-dasharray="4 3"')
    yield label(plot.limit, x, floor + 15, anchor="middle")


def _x(share: float, most: float) -> float:
    return _LEFT + min(max(share, 0.0), most) / most * (WIDTH - _LEFT - _RIGHT)
