"""How long events took, as SVG: a bar a bucket, and the boundary that was promised.

Invariant: pure, and the same input gives the same bytes; on which side of the boundary a bar is, its
place and words tell, not its colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maestro_cli.output.svg_parts import BAD, GOOD, INK, WIDTH, box, label, line, opened

_LEFT, _TOP, _BAR, _HEIGHT, _BOTTOM = 64, 58, 12, 200, 34


@dataclass(frozen=True, slots=True)
class Bar:
    """A bucket: its upper end in words, its events, and whether they took longer than was promised."""

    label: str
    events: float
    is_over: bool


@dataclass(frozen=True, slots=True)
class Histogram:
    """`boundary` says what was promised; it is drawn before the first bar that is over it."""

    title: str
    bars: Sequence[Bar]
    boundary: str


def histogram_svg(plot: Histogram) -> str:
    """The picture as one SVG element; without events it says so."""
    height = _TOP + _HEIGHT + _BOTTOM
    return "\n".join((*opened(plot.title, height, _LEFT), *_bars(plot), "</svg>"))


def _bars(plot: Histogram) -> Iterator[str]:
    total = math.fsum(bar.events for bar in plot.bars)
    if not total > 0:
        yield label("no data", WIDTH / 2, _TOP + _HEIGHT / 2, anchor="middle")
        return
    most = max(bar.events for bar in plot.bars)
    each = (WIDTH - _LEFT - 16) / len(plot.bars)
    floor = _TOP + _HEIGHT
    yield line(_LEFT, floor, WIDTH - 16, floor, f'stroke="{INK}"')
    for index, bar in enumerate(plot.bars):
        share, x = bar.events / total, _LEFT + index * each
        high = (_HEIGHT - _BAR) * bar.events / most
        told = f"up to {bar.label}: {bar.events:,.0f} events, {share:.3%}"
        colour = BAD if bar.is_over else GOOD
        yield box(x + 1, floor - high, each - 2, high, f'fill="{colour}"', told)
        if bar.events > 0:
            yield label(percentage(share), x + each / 2, floor - high - 3, anchor="middle")
        yield label(bar.label, x + each / 2, floor + 13, anchor="middle")
    yield from _boundary(plot, each)
    yield label("within", _LEFT - 6, floor + 13, anchor="end")
    yield label(f"{total:,.0f} events", WIDTH - 16, floor + 28, anchor="end")


def _boundary(plot: Histogram, each: float) -> Iterator[str]:
    over = next((index for index, bar in enumerate(plot.bars) if bar.is_over), len(plot.bars))
    x = _LEFT + over * each
    yield line(x, 28, x, _TOP + _HEIGHT + 4, f'stroke="{INK}" stroke-dasharray="4 3"')
    anchor, beside = ("end", -6) if x > WIDTH / 2 else ("start", 6)
    yield label(plot.boundary, x + beside, 36, anchor=anchor)


def percentage(share: float) -> str:
    """`12.3 %`; as many digits as tell a little from nothing."""
    if share <= 0:
        return "0 %"
    if share < 0.00001:
        return "<0.001 %"
    return f"{100 * share:.3f} %" if share < 0.001 else f"{100 * share:.1f} %"
