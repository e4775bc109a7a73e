"""How steps add up to totals, as lines of a terminal and as SVG.

Invariant: every text is made visible, and escaped in SVG; the figure beside a bar has its sign, so that no
colour is needed to read it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maestro_cli.core.money import amount_words, change_words, money, money_change
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.pictures.waterfall import Placed
from maestro_cli.output.plots import scale
from maestro_cli.output.svg_parts import BAD, FAINT, GOOD, INK, WIDTH, box, label, line, opened
from maestro_cli.output.tables import cut, folded, text_width

_LEFT, _RIGHT, _TOP, _ROW = 230.0, 90.0, 30.0, 20.0
_FIGURE, _LEAST_BAR, _WIDEST_NAME = 14, 12, 40  # columns
_FILLS = {"=": "█", "+": "▓", "-": "░"}
_TONES = {"=": "1", "+": "32", "-": "31"}  # SGR
_TOTAL = "#5a6570"
_COLOURS = {"=": _TOTAL, "+": GOOD, "-": BAD}


@dataclass(frozen=True, slots=True)
class Waterfall:
    title: str
    unit: str
    steps: Sequence[Placed]
    notes: Sequence[str] = ()


def waterfall_lines(plot: Waterfall, width: int, colour: bool) -> list[str]:
    """A line a step: its name, its bar where the last one ended, its amount."""
    names = [visible(one.name, 120) for one in plot.steps]
    left = min(max([text_width(name) for name in names], default=0), _WIDEST_NAME, max(width // 3, 8))
    room = max(width - left - _FIGURE - 2, _LEAST_BAR)
    low, high = _bounds(plot)
    lines = []
    for name, step in zip(names, plot.steps, strict=True):
        start, end = sorted(round((edge - low) / (high - low) * room) for edge in (step.start, step.end))
        length = max(end - start, 1) if step.amount else 0
        start = min(start, room - length)
        kind = _kind(step)
        bar = _FILLS[kind] * length
        shown = f"\x1b[{_TONES[kind]}m{bar}\x1b[0m" if colour and bar else bar
        told = cut(name, left)
        lines.append(
            f"{told}{' ' * (left - text_width(told))} {' ' * start}{shown}{' ' * (room - start - length)} "
            f"{_figure(step):>{_FIGURE}}"
        )
    return [*lines, *(row for note in plot.notes for row in folded(visible(note, 400), width))]


def waterfall_svg(plot: Waterfall) -> str:
    """The picture as one SVG element, the first step at the top."""
    floor = _TOP + len(plot.steps) * _ROW
    height = math.ceil(floor + 24 + 14 * len(plot.notes))
    return "\n".join(
        (
            *opened(plot.title, height, 8),
            *_axis(plot, floor),
            *(text for index, step in enumerate(plot.steps) for text in _step(plot, index, step)),
            *(label(note, 8, floor + 34 + 14 * index) for index, note in enumerate(plot.notes)),
            "</svg>",
        )
    )


def _kind(step: Placed) -> str:
    return "=" if step.is_total else "+" if step.amount >= 0 else "-"


def _figure(step: Placed) -> str:
    return amount_words(step.amount) if step.is_total else change_words(step.amount)


def _bounds(plot: Waterfall) -> tuple[float, float]:
    low, high, _ = scale([edge for one in plot.steps for edge in (one.start, one.end)])
    return low, high


def _x(value: float, low: float, high: float) -> float:
    return _LEFT + (value - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)


def _axis(plot: Waterfall, floor: float) -> Iterator[str]:
    low, high, step = scale([edge for one in plot.steps for edge in (one.start, one.end)])
    for tick in range(round((high - low) / step) + 1):
        value = low + tick * step
        x = _x(value, low, high)
        yield line(x, _TOP - 2, x, floor, f'stroke="{FAINT}"')
        yield label(f"{value:.6g}", x, floor + 14, anchor="middle")
    yield label(plot.unit, WIDTH - 8, floor + 14, anchor="end")


def _step(plot: Waterfall, index: int, step: Placed) -> Iterator[str]:
    low, high = _bounds(plot)
    y, kind = _TOP + index * _ROW, _kind(step)
    left, right = sorted((_x(step.start, low, high), _x(step.end, low, high)))
    name = visible(step.name, 80)
    yield label(cut(name, 40), _LEFT - 8, y + 13, anchor="end")
    told = (money if step.is_total else money_change)(step.amount, plot.unit)
    look = f'fill="{_COLOURS[kind]}"'
    yield box(left, y + 3, max(right - left, 1), _ROW - 6, look, f"{name}: {told}")
    yield label(_figure(step), WIDTH - 8, y + 13, anchor="end")
    if index + 1 < len(plot.steps):
        x = _x(step.end, low, high)
        yield line(x, y + _ROW - 3, x, y + _ROW + 3, f'stroke="{INK}"')
