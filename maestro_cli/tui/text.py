"""The one door between facts and the screen.

Invariant: every character of a strip went through `shown`: no control, bidi or invisible character leaves,
nothing is parsed as markup, no style comes from the text, and a text takes as many cells as were counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from rich.cells import get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip

from maestro_cli.core.untrusted import CharacterTable, visible
from maestro_cli.output.tables import cell_text

Span = tuple[str, str]  # text, and the name of the tone it has
Spans = tuple[Span, ...]
StyleOf = Callable[[str], Style]

LONGEST = 8192  # characters of one line that are shown
_MARKS = 4  # combining characters on one letter; more of them would be drawn over other lines
# Terminals differ in the cells these take: skin tones and halves of flags.
_UNSTEADY = {*range(0x1F3FB, 0x1F400), *range(0x1F1E6, 0x1F200)}
_RUN_OF_MARKS = re.compile("(?:\0.)+", re.DOTALL)  # each mark after a NUL, which no shown text has


def shown(value: object, limit: int = LONGEST) -> str:
    """One line for the screen, at most about `limit` characters; nothing is `-`. Again gives the same."""
    if isinstance(value, str) and value:
        text = visible(value, limit)
    else:
        text = visible(cell_text(value), limit)
    return text if text.isascii() else _steady(text)


def _steady(text: str) -> str:
    """Text whose width every terminal agrees on, and whose marks stay on their letters."""
    found = text.translate(_STEADIED)
    if "\0" not in found:
        return found
    steady = _RUN_OF_MARKS.sub(_thinned, found)
    return "◌" + steady if found[0] == "\0" else steady


def _steadied(code: int) -> str | int:
    if code in _UNSTEADY:
        return f"<U+{code:04X}>"
    return code if get_character_cell_size(chr(code)) else "\0" + chr(code)


def _thinned(match: re.Match[str]) -> str:
    marks = match[0][1::2]
    return marks if len(marks) <= _MARKS else marks[:_MARKS] + "…"


_STEADIED = CharacterTable(_steadied)
_SIZES = CharacterTable(lambda code: get_character_cell_size(chr(code)))


def shown_line(value: str) -> str:
    """A line of a text: an empty one stays empty, tabs are spaces, a long one says how much is missing."""
    text = value[: LONGEST + 1].expandtabs(4)
    if not text:
        return ""
    if len(value) <= LONGEST:
        return shown(text, 4 * LONGEST)
    return shown(text[: LONGEST - 40]) + f" … {len(value) - LONGEST + 40:,} characters not shown"


def cells(text: str) -> int:
    """Terminal columns of a shown text."""
    return len(text) if text.isascii() else sum(map(_SIZES.__getitem__, map(ord, text)))


def cut(text: str, width: int) -> str:
    """A shown text in at most `width` cells; a longer one ends in `…`."""
    if width <= 0:
        return ""
    if cells(text) <= width:
        return text
    if text.isascii():
        return text[: width - 1] + "…"
    room = width - 1
    for end, size in enumerate(map(_SIZES.__getitem__, map(ord, text))):
        room -= size
        if room < 0:
            return text[:end] + "…"
    return text


def fit(text: str, width: int, *, right: bool = False, keeps_end: bool = False) -> str:
    """A shown text in exactly `width` cells, cut or filled with blanks; `keeps_end`: cut at its start."""
    short = cut(text[::-1], width)[::-1] if keeps_end else cut(text, width)
    blank = " " * (width - cells(short))
    return blank + short if right else short + blank


def breaks(text: str, width: int) -> list[int]:
    """Where the rows of a shown text begin when it is wrapped at `width` cells; at least [0]."""
    if width < 2 or cells(text) <= width:
        return [0]
    if text.isascii():
        return _ascii_breaks(text, width)
    starts, start = [0], 0
    used, blank = 0, -1
    for index, character in enumerate(text):
        size = _SIZES[ord(character)]
        if used + size > width and size:
            start = blank if blank > start + width // 2 else index
            starts.append(start)
            used = cells(text[start:index])
        used += size
        if character == " ":
            blank = index + 1
    return starts


def _ascii_breaks(text: str, width: int) -> list[int]:
    starts, start = [0], 0
    while len(text) - start > width:
        blank = text.rfind(" ", start, start + width) + 1
        start = blank if blank > start + width // 2 else start + width
        starts.append(start)
    return starts


def overlaid(spans: Iterable[Span], ranges: Sequence[tuple[int, int]], tone: str) -> Spans:
    """Spans whose characters in the given ranges (sorted, apart) have another tone."""
    if not ranges:
        return tuple(spans)
    done: list[Span] = []
    at = 0
    for text, own in spans:
        start, end = at, at + len(text)
        for low, high in ranges:
            if high <= start or low >= end or start >= high:
                continue
            if low > start:
                done.append((text[start - at : low - at], own))
            stop = min(high, end)
            done.append((text[max(low, start) - at : stop - at], tone))
            start = stop
        if start < end:
            done.append((text[start - at :], own))
        at = end
    return tuple(done)


def sliced(spans: Iterable[Span], start: int, end: int | None) -> Spans:
    """The spans of the characters from `start` up to `end`."""
    done: list[Span] = []
    at = 0
    for text, tone in spans:
        low, high = max(start - at, 0), len(text) if end is None else min(end - at, len(text))
        if low < high:
            done.append((text[low:high], tone))
        at += len(text)
    return tuple(done)


def plain_text(spans: Iterable[Span]) -> str:
    """The text of spans alone."""
    return "".join(text for text, _ in spans)


def cell_strip(spans: Iterable[Span], style_of: StyleOf, width: int = 0, rest: str = "") -> Strip:
    """Spans as a strip, in the styles of their tones; blanks of the tone `rest` fill it up to `width` cells.

    The only place where the console makes a strip of a text. What is wider stays so.
    """
    segments: list[Segment] = []
    for text, tone in _merged(spans):
        clean = text if text.isascii() and text.isprintable() else _joined(text, bool(segments))
        lead = 0
        while segments and lead < len(clean) and get_character_cell_size(clean[lead]) == 0:
            lead += 1  # marks stay with the letter before them, or they would be a segment without width
        if lead:
            last = segments[-1]
            segments[-1] = Segment(last.text + clean[:lead], last.style)
        if clean[lead:]:
            segments.append(Segment(clean[lead:], style_of(tone)))
    used = sum(cells(segment.text) for segment in segments)
    if used < width:
        segments.append(Segment(" " * (width - used), style_of(rest)))
    return Strip(segments, max(used, width))


@lru_cache(256)
def drawn_strip(cell: Segment, behind: Style) -> Strip:
    """A cell that the framework drew, such as of a scroll bar, on what is behind it."""
    style = behind if cell.style is None else behind + cell.style
    return Strip([Segment(cell.text, style)], cell.cell_length)


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Neighbours of one tone as one span, empty ones not at all."""
    held, held_tone = "", ""
    for text, tone in spans:
        if tone == held_tone or not text:
            held += text
            continue
        if held:
            yield held, held_tone
        held, held_tone = text, tone
    if held:
        yield held, held_tone


def _joined(text: str, is_continued: bool) -> str:
    """Shown text; a span that goes on with the marks of the last one keeps them."""
    clean = _steady(visible(text))
    begins_with_mark = clean.startswith("◌") and not text.startswith("◌")
    return clean[1:] if is_continued and begins_with_mark else clean


class Colourless(LineFilter):
    """Leaves bold, reverse and the like."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            Segment(text, None if style is None else _colourless(style), control)
            for text, style, control in segments
        ]


@lru_cache(maxsize=1024)
def _colourless(style: Style) -> Style:
    plain = style.without_color
    return plain + Style.from_meta(style.meta) if style.meta else plain
