"""Amounts by hour, day or week, one on top of the other: as lines of a terminal, and as SVG.

Invariant: every text is made visible, and escaped in SVG; a part of a bar is told by its letter and not by
its colour alone. A bar is as long as its parts that are above zero; its figure is the whole sum. What was not
measured has no bar and says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maestro_cli.core.money import amount_words, money
from maestro_cli.core.untrusted import visible
from maestro_cli.output.plots import scale
from maestro_cli.output.series import (
    Look,
    Series,
    attributes,
    legend_height,
    looks_of,
    painted,
    svg_legend,
)
from maestro_cli.output.svg_parts import FAINT, INK, PAPER, WIDTH, box, label, line, opened
from maestro_cli.output.tables import folded, text_width

_LEFT, _TOP, _HEIGHT, _AXIS = 64.0, 30.0, 190.0, 20.0
_TICKS = 4
_LABEL = 34.0  # between two labels of the axis, at least
_FIGURE = 12  # columns of a bar's sum
_LETTER = 11.0  # what a letter needs
_PARTLY = "? above a bar: a part of it was measured, or is in the window"


@dataclass(frozen=True, slots=True)
class Bar:
    """A bin: its label, a short one for an axis, its sum, and what is to be said of it beside that.

    `total` None: it was not measured.
    """

    label: str
    short: str
    total: float | None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class StackedBars:
    """`series` from the dearest, each with an amount a bar; what has no letter is drawn as one, the rest."""

    title: str
    unit: str
    bars: Sequence[Bar]
    series: Sequence[Series]
    notes: Sequence[str] = ()


def stacked_lines(plot: StackedBars, width: int, colour: bool) -> list[str]:
    """A line a bar, then which letter is what."""
    left = max((len(bar.label) for bar in plot.bars), default=0)
    remarks = max((len(bar.remark) + 2 for bar in plot.bars if bar.remark), default=0)
    room = max(width - left - _FIGURE - remarks - 2, 8)
    most = max((_height(plot, index) for index in range(len(plot.bars))), default=0.0)
    lines = []
    for index, bar in enumerate(plot.bars):
        runs = (
            list(_cells(plot, index, room / most, colour=colour))
            if most > 0 and bar.total is not None
            else []
        )
        blank = " " * (room - sum(len(text) for text, _ in runs))
        figure = "not measured" if bar.total is None else amount_words(bar.total)
        remark = f"  {bar.remark}" if bar.remark else ""
        lines.append(f"{bar.label:<{left}} {painted(runs, colour=colour)}{blank} {figure:>{_FIGURE}}{remark}")
    keys = [f"{look.letter} {visible(one.name, 60)}: {one.words}" for look, one in _keys(plot)]
    return [
        *lines,
        "",
        *_joined(keys, width),
        *(row for note in plot.notes for row in folded(visible(note, 400), width)),
    ]


def stacked_svg(plot: StackedBars) -> str:
    """The picture as one SVG element, a column a bar."""
    keys = [(look, f"{visible(one.name, 60)}: {one.words}") for look, one in _keys(plot)]
    floor = _TOP + _HEIGHT
    legend = floor + _AXIS + 10
    under = legend + legend_height(len(keys))
    notes = [*plot.notes, _PARTLY] if any(bar.remark for bar in plot.bars) else plot.notes
    height = math.ceil(under + 14 * len(notes) + 8)
    return "\n".join(
        (
            *opened(plot.title, height, int(_LEFT)),
            *_columns(plot),
            *svg_legend(keys, _LEFT, legend, WIDTH - _LEFT - 16),
            *(label(note, _LEFT, under + 10 + 14 * index) for index, note in enumerate(notes)),
            "</svg>",
        )
    )


def _height(plot: StackedBars, index: int) -> float:
    return math.fsum(max(one.amounts[index], 0.0) for one in plot.series)


def _keys(plot: StackedBars) -> list[tuple[Look, Series]]:
    """Of what is drawn in any bar."""
    keys = zip(looks_of(plot.series), plot.series, strict=True)
    return [(look, one) for look, one in keys if any(amount > 0 for amount in one.amounts)]


def _cells(
    plot: StackedBars, index: int, scaled: float, *, colour: bool
) -> Iterator[tuple[str, Look | None]]:
    """The parts in whole cells that add up to the bar's; in colour the letter stands at the beginning."""
    done, at = 0.0, 0
    for look, one in _keys(plot):
        done += max(one.amounts[index], 0.0)
        end = math.floor(done * scaled + 0.5)
        if end > at:
            yield (look.letter.ljust(end - at) if colour else look.letter * (end - at)), look
        at = end


def _joined(keys: Sequence[str], width: int) -> Iterator[str]:
    """As many beside each other as there is room for."""
    row = ""
    for key in keys:
        if row and text_width(row) + text_width(key) + 3 > width:
            yield row
            row = ""
        row = f"{row}   {key}" if row else key
    if row:
        yield row


def _columns(plot: StackedBars) -> Iterator[str]:
    floor, right = _TOP + _HEIGHT, WIDTH - 16
    heights = [_height(plot, index) for index in range(len(plot.bars))]
    low, top, step = scale(heights, _TICKS)
    for tick in range(round((top - low) / step) + 1):
        y = floor - _HEIGHT * tick * step / (top - low)
        yield line(_LEFT, y, right, y, f'stroke="{FAINT}"')
        yield label(f"{low + tick * step:.6g} {plot.unit}", _LEFT - 6, y + 4, anchor="end")
    if not plot.bars:
        yield label("no data", WIDTH / 2, _TOP + _HEIGHT / 2, anchor="middle")
        return
    each = (right - _LEFT) / len(plot.bars)
    every = math.ceil(_LABEL / each)
    for index, bar in enumerate(plot.bars):
        x = _LEFT + index * each
        if index % every == 0:
            yield label(bar.short, x + each / 2, floor + 14, anchor="middle")
        yield from _column(plot, index, x, each, _HEIGHT / (top - low), is_lettered=index % every == 0)


def _column(
    plot: StackedBars, index: int, x: float, each: float, scaled: float, *, is_lettered: bool
) -> Iterator[str]:
    bar, gap = plot.bars[index], min(each * 0.12, 3.0)
    if bar.total is None:
        outline = f'fill="{PAPER}" stroke="{INK}" stroke-dasharray="2 2"'
        yield box(
            x + gap,
            _TOP + _HEIGHT * 7 / 8,
            each - 2 * gap,
            _HEIGHT / 8,
            outline,
            f"{bar.label}: not measured",
        )
        return
    y = _TOP + _HEIGHT
    for look, one in _keys(plot):
        amount = one.amounts[index]
        if amount > 0:
            y -= amount * scaled
            told = f"{bar.label}, {visible(one.name, 60)}: {plot.unit} {amount:,.4g}"
            yield box(x + gap, y, each - 2 * gap, amount * scaled, attributes(look), told)
            if is_lettered and min(amount * scaled, each - 2 * gap) >= _LETTER:
                yield label(look.letter, x + each / 2, y + amount * scaled / 2 + 3, anchor="middle")
    remark = f" ({bar.remark})" if bar.remark else ""
    if bar.remark:
        yield label("?", x + each / 2, y - 3, anchor="middle")
    yield box(
        x + gap, _TOP, each - 2 * gap, max(y - _TOP, 0),
        'fill="none" pointer-events="all"', f"{bar.label}: {money(bar.total, plot.unit)}{remark}",
    )  # fmt: skip
