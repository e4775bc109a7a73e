"""A series over time in a few lines of text.

Invariant: what was not measured is a gap, never zero; axes say their unit and their time zone; without any
value the plot says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import pairwise

from textual.strip import Strip

from maestro_cli.output.plots import Mark, Plot, is_drawable, pieces, scale
from maestro_cli.tui.text import Spans, cells, cut, fit, shown, sliced
from maestro_cli.tui.widgets.tones import Toned

_BARS = "▁▂▃▄▅▆▇█"
_BLANK, _BRAILLE = " ", 0x2800
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))  # of a braille character, by column and row
_MOST_MARKS = 3  # of which the name is told
_NARROWEST_CANVAS = 4


def sparkline(values: Sequence[float | None], width: int) -> str:
    """The newest values as bars, at most `width` cells; of values that share a cell the largest is shown."""
    if width <= 0 or not values:
        return ""
    count = min(width, len(values))
    groups = [values[len(values) * i // count : len(values) * (i + 1) // count] for i in range(count)]
    tops = [max((v for v in group if v is not None and is_drawable(v)), default=None) for group in groups]
    low, high, _ = scale([top for top in tops if top is not None])
    return "".join(
        _BLANK if top is None else _BARS[round((top - low) / (high - low) * (len(_BARS) - 1))] for top in tops
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    """What a plot of a height is drawn on; `labels` are of the highest and the lowest value."""

    marks: Sequence[Mark]
    rows: int
    low: float
    high: float
    labels: tuple[str, str]
    is_empty: bool

    @property
    def cells(self) -> int:
        return max(map(cells, self.labels)) + 1

    @staticmethod
    def of(plot: Plot, height: int) -> _Axis:
        marks = [mark for mark in plot.marks if plot.start <= mark.at <= plot.end][:_MOST_MARKS]
        rows = max(height - 2 - (len(marks) + 1 if marks else 0), 1)
        known = [value for _, value in plot.points if value is not None and is_drawable(value)]
        low, high, _ = scale(known, max(rows - 1, 1))
        top, bottom = (shown(f"{value:.4g} {plot.unit}".strip(), 20) for value in (high, low))
        return _Axis(marks, rows, low, high, (top, bottom), not known)


def plot_lines(
    plot: Plot, width: int, height: int, zone: tzinfo | None = None, beside: Sequence[Plot] = ()
) -> list[Spans]:
    """A title, the line in braille beside its axis, the times with their zone (local without one), marks.

    It begins in the column in which those `beside` it of the same height begin.
    """
    axis = _Axis.of(plot, height)
    marks, rows, labels = axis.marks, axis.rows, axis.labels
    left = max(axis.cells, *(_Axis.of(one, height).cells for one in beside)) if beside else axis.cells
    room = max(width - left, _NARROWEST_CANVAS)
    lines: list[Spans] = [((cut(shown(plot.title), width), "title"),)]
    canvas = _nothing(room, rows) if axis.is_empty else _canvas(plot, axis.low, axis.high, room, rows)
    for row, text in enumerate(canvas):
        label = labels[0] if row == 0 else labels[1] if row == rows - 1 else ""
        lines.append(
            ((fit(label, left - 1, right=True) + "│", "axis"), (text, "dim" if axis.is_empty else "line"))
        )
    if marks:
        lines.append(((" " * left + _mark_row(plot, marks, room), "warn"),))
    lines.append(((" " * left + _times(plot, room, zone), "axis"),))
    for number, mark in enumerate(marks, 1):
        lines.append(((f"{number} {_clock(mark.at, zone)} {shown(mark.label, 200)}", "warn"),))
    return [sliced(line, 0, None) for line in lines[:height]]


def _canvas(plot: Plot, low: float, high: float, width: int, height: int) -> list[str]:
    """The line in dots, two by four a character."""
    across, down = width * 2, height * 4
    span = max(plot.end - plot.start, 1.0)
    grid = [[0] * width for _ in range(height)]
    for piece in pieces(plot):
        dots = [
            (
                round((at - plot.start) / span * (across - 1)),
                round((high - value) / (high - low) * (down - 1)),
            )
            for at, value in piece
        ]
        for x, y in _joined(dots):
            grid[y // 4][x // 2] |= _DOTS[x % 2][y % 4]
    return ["".join(chr(_BRAILLE + cell) if cell else _BLANK for cell in row) for row in grid]


def _joined(dots: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Every dot on the way from each to the next."""
    yield from dots[:1]
    for (x0, y0), (x1, y1) in pairwise(dots):
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        for step in range(1, steps + 1):
            yield x0 + round((x1 - x0) * step / steps), y0 + round((y1 - y0) * step / steps)


def _nothing(width: int, height: int) -> list[str]:
    middle = height // 2
    text = cut("no data", width)
    blank = (width - cells(text)) // 2
    return [" " * blank + text if row == middle else "" for row in range(height)]


def _mark_row(plot: Plot, marks: Sequence[Mark], width: int) -> str:
    row = [_BLANK] * width
    span = max(plot.end - plot.start, 1.0)
    for number, mark in enumerate(marks, 1):
        row[round((mark.at - plot.start) / span * (width - 1))] = str(number)
    return "".join(row)


def _times(plot: Plot, width: int, zone: tzinfo | None) -> str:
    start = _clock(plot.start, zone)
    end = f"{_clock(plot.end, zone)} {_zone_name(plot.end, zone)}"
    return cut(start + " " * max(width - cells(start) - cells(end), 1) + end, width)


def _at(seconds: float, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).astimezone(zone)


def _clock(seconds: float, zone: tzinfo | None) -> str:
    return _at(seconds, zone).strftime("%H:%M:%S")


def _zone_name(seconds: float, zone: tzinfo | None) -> str:
    return shown(_at(seconds, zone).tzname() or "", 20)


class LinePlot(Toned):
    """A plot as large as the place it has."""

    DEFAULT_CSS = """
    LinePlot { height: 8; overflow-y: hidden; scrollbar-gutter: auto; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._plot: Plot | None = None
        self._beside: Sequence[Plot] = ()
        self._zone: tzinfo | None = None
        self._drawn: tuple[int, int, list[Spans]] | None = None

    def show(self, plot: Plot, zone: tzinfo | None = None, beside: Sequence[Plot] = ()) -> None:
        """Show this series instead, which begins in the column of those above and below it."""
        self._plot, self._zone, self._beside, self._drawn = plot, zone, beside, None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width, height = self.line_width, self.size.height
        if self._plot is None:
            return self.painted((), width)
        if self._drawn is None or self._drawn[:2] != (width, height):
            lines = plot_lines(self._plot, width, height, self._zone, self._beside)
            self._drawn = (width, height, lines)
        drawn = self._drawn[2]
        return self.painted(drawn[y] if y < len(drawn) else (), width)
