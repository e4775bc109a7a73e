"""A calendar of shares as SVG, for documents: a row a day, a cell an hour.

Invariant: pure, and the same input gives the same bytes; every text is made visible and escaped; no script,
no reference to anything outside; what a colour says the words of its cell say too; an hour that nobody
saw is a dashed outline, one without traffic a whole one, neither in the colour of nothing bad.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from maestro_cli.output.svg_parts import FAINT, INK, PAPER, WIDTH, opened, words

_LEFT, _TOP, _ROW, _LEGEND = 64, 44, 13, 40
_STEPS = ((0.0, "#e8f1e4"), (0.25, "#fbe3a6"), (1.0, "#f4b26a"), (5.0, "#d9663c"), (float("inf"), "#8f1d14"))
_WORDS = (
    "nothing bad",
    "up to a quarter of what may be",
    "up to what may be",
    "up to 5 times",
    "over 5 times",
)
_IDLE, _UNSEEN, _NO_HOUR = -1, -2, -3  # in place of a colour
_OUTLINES = {
    _IDLE: ("no traffic", f'fill="{PAPER}" stroke="{FAINT}"'),
    _UNSEEN: ("not seen", f'fill="{PAPER}" stroke="{INK}" stroke-dasharray="2 2"'),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A day and the share of bad events by hour; None is not known.

    `seen`, by hour: whether somebody looked; None is no hour of the period, and not drawn.
    """

    label: str
    shares: Sequence[float | None]
    seen: Sequence[bool | None] = ()


@dataclass(frozen=True, slots=True)
class Heatmap:
    """`allowed` is the share that may be bad: colours are multiples of it."""

    title: str
    rows: Sequence[Row]
    allowed: float


def heatmap_svg(plot: Heatmap) -> str:
    """The picture as one SVG element."""
    columns = max((len(row.shares) for row in plot.rows), default=1)
    height = _TOP + len(plot.rows) * _ROW + _LEGEND
    wide = (WIDTH - _LEFT - 8) / columns
    return "\n".join(
        (
            *opened(plot.title, height, _LEFT),
            *(
                f'<text x="{_LEFT + index * wide:.1f}" y="{_TOP - 5}">{index:02d}</text>'
                for index in range(0, columns, 3)
            ),
            *(line for index, row in enumerate(plot.rows) for line in _row(plot, row, index, wide)),
            *_legend(height),
            "</svg>",
        )
    )


def colour_of(share: float | None, allowed: float) -> int | None:
    """Which of the colours, 0 the best; None for what is not known."""
    if share is None or share != share:
        return None
    if share <= 0:
        return 0
    times = share / allowed if allowed > 0 else float("inf")
    return next(index for index, (most, _) in enumerate(_STEPS) if index and times <= most)


def _row(plot: Heatmap, row: Row, index: int, wide: float) -> Iterator[str]:
    """A rectangle for each stretch of one look; its words have the worst share in it."""
    y = _TOP + index * _ROW
    yield f'<text x="{_LEFT - 6}" y="{y + _ROW - 3}" text-anchor="end">{words(row.label)}</text>'
    for look, stretch in groupby(range(len(row.shares)), lambda hour: _look(plot, row, hour)):
        hours = list(stretch)
        first, end = hours[0], hours[-1] + 1
        if look == _NO_HOUR:
            continue
        if look in _OUTLINES:
            told, fill = _OUTLINES[look]
        else:
            worst = max(row.shares[hour] or 0.0 for hour in hours)
            told, fill = f"{worst:.3%} bad at most", f'fill="{_STEPS[look][1]}"'
        x, width = _LEFT + first * wide, len(hours) * wide - 1
        yield (
            f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_ROW - 1}" {fill}>'
            f"<title>{words(row.label)} {first:02d}:00 to {end:02d}:00: {told}</title></rect>"
        )


def _look(plot: Heatmap, row: Row, hour: int) -> int:
    """The colour of an hour, or what stands in place of one."""
    colour = colour_of(row.shares[hour], plot.allowed)
    if colour is not None:
        return colour
    seen = row.seen[hour] if row.seen else False
    return _NO_HOUR if seen is None else _IDLE if seen else _UNSEEN


def _legend(height: int) -> Iterator[str]:
    colours = [(told, f'fill="{colour}"') for (_, colour), told in zip(_STEPS, _WORDS, strict=True)]
    for y, row in ((height - 31, colours), (height - 17, _OUTLINES.values())):
        x = float(_LEFT)
        for told, fill in row:
            yield f'<rect x="{x:.0f}" y="{y}" width="10" height="10" {fill}/>'
            yield f'<text x="{x + 14:.0f}" y="{y + 9}">{told}</text>'
            x += 34 + 5.2 * len(told)
