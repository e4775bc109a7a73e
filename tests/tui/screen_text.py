"""A screen as text that can be kept and compared: its lines, and in which style each run of them is.

A layer is for one theme: a legend of styles by letter, then per line the letters with how many cells each
takes; lines that are the same stand once.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, groupby
from typing import Any

from rich.style import Style
from textual.strip import Strip

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def strips_of(app: Any) -> Sequence[Strip]:
    """Every line of the screen but the last: keys of the footer have tests of their own."""
    strips: Sequence[Strip] = app.screen._compositor.render_strips()
    return strips[: app.size.height - 1]


def lines_of(strips: Sequence[Strip]) -> list[str]:
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


def layer_of(strips: Sequence[Strip]) -> list[str]:
    """The legend, then the runs of each line."""
    letters: dict[str, str] = {}
    rows = [_runs(strip, letters) for strip in strips]
    legend = [f"{letter} {style}" for style, letter in letters.items()]
    numbers = count(1)
    spans = [(runs, [next(numbers) for _ in same]) for runs, same in groupby(rows)]
    return [*legend, *(f"{_span(lines)} {runs}" for runs, lines in spans)]


def _span(lines: Sequence[int]) -> str:
    return f"{lines[0]}-{lines[-1]}" if len(lines) > 1 else f"{lines[0]}"


def _runs(strip: Strip, letters: dict[str, str]) -> str:
    """`a12 b5`: twelve cells of style a, then five of b."""
    runs = []
    for letter, segments in groupby(strip, lambda segment: _letter(segment.style, letters)):
        runs.append(f"{letter}{sum(segment.cell_length for segment in segments)}")
    return " ".join(runs)


def _letter(style: Style | None, letters: dict[str, str]) -> str:
    said = "none" if style is None else str(style.without_color + _colours(style))
    if said not in letters:
        number = len(letters)
        letters[said] = LETTERS[number % len(LETTERS)] * (number // len(LETTERS) + 1)
    return letters[said]


def _colours(style: Style) -> Style:
    return Style(color=style.color, bgcolor=style.bgcolor)
