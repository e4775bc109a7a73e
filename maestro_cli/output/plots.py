"""A line over time as SVG, for documents.

Invariant: pure, and the same input gives the same bytes; every text is made visible and escaped; no script,
no style sheet, no reference to anything outside; what a colour says a number or a word says too. A gap in the
data is a gap in the line: nothing is drawn between points that are far apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from maestro_cli.core.untrusted import visible

WIDTH, HEIGHT = 760, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 32, 34, 34
_LEGEND_LINE = 16
_INK, _FAINT, _LINE, _BAND, _MARK = "#222222", "#cfd4da", "#0b5cad", "#fdeccf", "#a33b00"
_TICKS = 4
_STEPS_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
_PER_LEGEND_LINE = 2
_LARGEST, _SMALLEST = 1e100, 1e-100  # what a scale is made for


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment with its name; drawn as a numbered line."""

    at: float  # seconds since 1970
    label: str


@dataclass(frozen=True, slots=True)
class Plot:
    """One line: points as (seconds since 1970, value or None), with marks and a shaded span."""

    title: str
    unit: str  # %, s, req/s; a value is shown as it is
    points: Sequence[tuple[float, float | None]]
    start: float
    end: float
    gap_seconds: float  # points further apart are not joined
    marks: Sequence[Mark] = ()
    band: tuple[float, float] | None = None  # the span of the incident


def svg(plot: Plot) -> str:
    """The picture as one SVG element. Without any value it says so."""
    marks = [mark for mark in plot.marks if plot.start <= mark.at <= plot.end]
    rows = math.ceil(len(marks) / _PER_LEGEND_LINE)
    height = HEIGHT + rows * _LEGEND_LINE
    frame = _Frame(plot)
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" role="img" font-family="sans-serif" font-size="11" fill="{_INK}">',
            f"<title>{_text(plot.title)}</title>",
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            f'<text x="{_LEFT}" y="16" font-size="13" font-weight="bold">{_text(plot.title)}</text>',
            *frame.band(),
            *frame.grid(),
            *frame.line(),
            *frame.marks(marks),
            *_legend(marks),
            "</svg>",
        )
    )


def _text(words: str) -> str:
    return escape(visible(words, 120))


def _number(value: float) -> str:
    """Coordinates with one decimal, so that bytes do not depend on the last bits of a float."""
    return f"{value:.1f}".removesuffix(".0")


class _Frame:
    """Where values and times lie on the picture."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self._start, self._end = plot.start, max(plot.end, plot.start + 1)
        known = [value for _, value in plot.points if value is not None and is_drawable(value)]
        self._is_empty = not known
        self._low, self._high, self._step = scale(known)

    def _x(self, at: float) -> float:
        share = (at - self._start) / (self._end - self._start)
        return _LEFT + min(max(share, 0.0), 1.0) * (WIDTH - _LEFT - _RIGHT)

    def _y(self, value: float) -> float:
        share = (value - self._low) / (self._high - self._low)
        return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)

    def band(self) -> Iterator[str]:
        if self._plot.band is None:
            return
        left, right = (self._x(at) for at in self._plot.band)
        yield (
            f'<rect x="{_number(left)}" y="{_TOP}" width="{_number(max(right - left, 1))}" '
            f'height="{HEIGHT - _TOP - _BOTTOM}" fill="{_BAND}"/>'
        )

    def grid(self) -> Iterator[str]:
        for index in range(round((self._high - self._low) / self._step) + 1):
            value = self._low + index * self._step
            y = _number(self._y(value))
            yield f'<line x1="{_LEFT}" y1="{y}" x2="{WIDTH - _RIGHT}" y2="{y}" stroke="{_FAINT}"/>'
            label = _text(f"{value:.6g} {self._plot.unit}".strip())
            yield f'<text x="{_LEFT - 6}" y="{y}" text-anchor="end" dominant-baseline="middle">{label}</text>'
        every = next(
            (step for step in _STEPS_SECONDS if (self._end - self._start) / step <= 8),
            86400 * math.ceil((self._end - self._start) / 86400 / 8),
        )
        first = math.ceil(self._start / every) * every
        shape = "%H:%M:%S" if every < 60 else "%H:%M" if every < 86400 else "%m-%d"
        for index in range(int((self._end - first) // every) + 1):
            at = first + index * every
            x = _number(self._x(at))
            yield (
                f'<line x1="{x}" y1="{HEIGHT - _BOTTOM}" x2="{x}" y2="{HEIGHT - _BOTTOM + 4}" '
                f'stroke="{_INK}"/>'
            )
            clock = datetime.fromtimestamp(at, UTC).strftime(shape)
            yield f'<text x="{x}" y="{HEIGHT - _BOTTOM + 16}" text-anchor="middle">{clock}</text>'
        yield f'<text x="{WIDTH - _RIGHT}" y="{HEIGHT - 4}" text-anchor="end">UTC</text>'

    def line(self) -> Iterator[str]:
        if self._is_empty:
            middle = (WIDTH + _LEFT - _RIGHT) / 2
            yield f'<text x="{_number(middle)}" y="{HEIGHT / 2:g}" text-anchor="middle">no data</text>'
        for piece in pieces(self._plot):
            path = " ".join(f"{_number(self._x(at))},{_number(self._y(value))}" for at, value in piece)
            if len(piece) == 1:
                x, _, y = path.partition(",")
                yield f'<circle cx="{x}" cy="{y}" r="2" fill="{_LINE}"/>'
            else:
                yield f'<polyline points="{path}" fill="none" stroke="{_LINE}" stroke-width="1.6"/>'

    def marks(self, marks: Sequence[Mark]) -> Iterator[str]:
        """Numbered lines; numbers that would touch stand on two heights by turns."""
        for number, mark in enumerate(marks, 1):
            x = _number(self._x(mark.at))
            y = _TOP - 4 if number % 2 else _TOP + 8
            yield (
                f'<line x1="{x}" y1="{_TOP}" x2="{x}" y2="{HEIGHT - _BOTTOM}" stroke="{_MARK}" '
                'stroke-dasharray="3 3"/>'
            )
            yield (
                f'<text x="{x}" y="{y}" text-anchor="middle" fill="{_MARK}" font-weight="bold">'
                f"{number}</text>"
            )


def _legend(marks: Sequence[Mark]) -> Iterator[str]:
    for number, mark in enumerate(marks, 1):
        column, row = (number - 1) % _PER_LEGEND_LINE, (number - 1) // _PER_LEGEND_LINE
        x = _LEFT + column * (WIDTH - _LEFT - _RIGHT) // _PER_LEGEND_LINE
        at = datetime.fromtimestamp(mark.at, UTC).strftime("%H:%M:%S")
        label = escape(visible(mark.label, 44))
        yield f'<text x="{x}" y="{HEIGHT + 6 + row * _LEGEND_LINE}">{number} {at} {label}</text>'


def pieces(plot: Plot) -> Iterator[list[tuple[float, float]]]:
    """The points within the plot that a line joins: from one gap to the next."""
    piece: list[tuple[float, float]] = []
    for at, value in plot.points:
        missing = value is None or not is_drawable(value)
        if piece and (missing or at - piece[-1][0] > plot.gap_seconds):
            yield piece
            piece = []
        if value is not None and not missing and plot.start <= at <= max(plot.end, plot.start + 1):
            piece.append((at, value))
    if piece:
        yield piece


def scale(values: Sequence[float], ticks: int = _TICKS) -> tuple[float, float, float]:
    """Lowest and highest value of an axis and the step between its ticks; zero is always on it."""
    low, top = min(0.0, *values, 0.0), max(0.0, *values, 0.0)
    step = _nice((top - low) / ticks)
    low = step * math.floor(low / step + 1e-9)
    return low, low + step * max(math.ceil((top - low) / step - 1e-9), 1), step


def is_drawable(value: float) -> bool:
    """Neither NaN nor infinite, nor so large that a scale for it overflows."""
    return abs(value) <= _LARGEST


def _nice(rough: float) -> float:
    """The next of 1, 2 and 5 times a power of ten; 1 when there is nothing to measure."""
    if rough < _SMALLEST:
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next((factor * power for factor in (1, 2, 5) if rough <= factor * power * (1 + 1e-9)), 10 * power)
