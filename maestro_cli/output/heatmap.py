"""A calendar of shares as SVG, for documents: a row a day, a cell an hour.

Invariant: pure, and the same input gives the same bytes; every text is made visible and escaped; no script,
no reference to anything outside; what a colour says the words of its cell say too, and what is not known is
drawn as an outline, never in the colour of nothing bad.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maestro_cli.output.svg_parts import FAINT, PAPER, WIDTH, opened, words

_LEFT, _TOP, _ROW, _LEGEND = 64, 44, 13, 26
_STEPS = ((0.0, "#e8f1e4"), (0.25, "#fbe3a6"), (1.0, "#f4b26a"), (5.0, "#d9663c"), (float("inf"), "#8f1d14"))
_WORDS = (
    "nothing bad",
    "up to a quarter of what may be",
    "up to what may be",
    "up to 5 times",
    "over 5 times",
)


@dataclass(frozen=True, slots=True)
class Row:
    """A day and the share of bad events by hour; None is not known."""

    label: str
    shares: Sequence[float | None]


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
    """A rectangle for each stretch of one colour; its words have the worst share in it."""
    y = _TOP + index * _ROW
    yield f'<text x="{_LEFT - 6}" y="{y + _ROW - 3}" text-anchor="end">{words(row.label)}</text>'
    first = 0
    colours = [colour_of(share, plot.allowed) for share in row.shares]
    for end in range(1, len(colours) + 1):
        if end < len(colours) and colours[end] == colours[first]:
            continue
        x, width = _LEFT + first * wide, (end - first) * wide - 1
        colour = colours[first]
        fill = f'fill="{PAPER}" stroke="{FAINT}" stroke-dasharray="2 2"'
        told = "not known"
        if colour is not None:
            fill = f'fill="{_STEPS[colour][1]}"'
            told = f"{max(share or 0.0 for share in row.shares[first:end]):.3%} bad at most"
        yield (
            f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_ROW - 1}" {fill}>'
            f"<title>{words(row.label)} {first:02d}:00 to {end:02d}:00: {told}</title></rect>"
        )
        first = end


def _legend(height: int) -> Iterator[str]:
    x = float(_LEFT)
    for (_, colour), told in zip(_STEPS, _WORDS, strict=True):
        yield f'<rect x="{x:.0f}" y="{height - 17}" width="10" height="10" fill="{colour}"/>'
        yield f'<text x="{x + 14:.0f}" y="{height - 8}">{told}</text>'
        x += 34 + 5.2 * len(told)
