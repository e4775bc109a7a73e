"""How several amounts went, a line each, as lines of a terminal: each on its own scale, from nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maestro_cli.core.untrusted import visible
from maestro_cli.output.strips import sparkline
from maestro_cli.output.tables import cut, folded, text_width

_WIDEST_NAME = 36


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A line: its untrusted name, its values (None: not measured), and words about them."""

    name: str
    values: Sequence[float | None]
    words: str


def sparkline_rows(lines: Sequence[Sparkline], notes: Sequence[str], width: int) -> list[str]:
    """A name, its line and its words, in so many columns."""
    names = [cut(visible(one.name, 120), min(_WIDEST_NAME, width // 3)) for one in lines]
    left = max(map(text_width, names), default=0)
    room = max(width - left - 4 - max((len(one.words) for one in lines), default=0), 8)
    rows = []
    for name, one in zip(names, lines, strict=True):
        most = max((value for value in one.values if value is not None), default=0.0)
        drawn = sparkline(one.values, room, 0.0, most)
        rows.append(
            f"{name}{' ' * (left - text_width(name))}  {drawn:<{min(room, len(one.values))}}  {one.words}"
        )
    return [*rows, *(row for note in notes for row in folded(visible(note, 400), width))]
