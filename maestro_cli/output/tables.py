"""Rows as text. Invariant: every cell goes through `visible`; nothing is ever parsed as markup."""

from __future__ import annotations

import csv
import io
import math
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any

from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.untrusted import markdown_text, visible
from maestro_cli.output.fitting import GAP, Measured, fit
from maestro_cli.output.money import Amount
from maestro_cli.output.views import Column, Listing

_CODES = {"good": "32", "bad": "1;31", "warn": "33", "dim": "2"}  # SGR codes of tones
_USUAL_PRIORITY = 2
_NOTHING = "-"
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T]")
_WIDEST = 200  # characters to which a column without a terminal is aligned
# What a spreadsheet takes for the start of a formula, also in its full-width form and after blanks.
_FORMULA = re.compile(r"\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?%?")


def cell_text(value: object) -> str:
    """One cell: nothing is `-`, instants are local time with zone, the rest is its text made visible."""
    if isinstance(value, str):  # most of them
        return visible(value) if value else _NOTHING
    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
    if isinstance(value, Amount):
        return str(value) if math.isfinite(value) else _NOTHING
    if isinstance(value, float):
        return f"{value:.0f}" if 1e6 <= abs(value) < 1e15 else f"{value:g}"
    return visible(str(value))


def data_text(value: object) -> str:
    """One cell for programs: nothing is empty, instants are RFC 3339 in UTC, numbers keep every digit.

    Text that a spreadsheet would run as a formula gets a leading apostrophe; numbers are none.
    """
    if value is None:
        return ""
    if isinstance(value, datetime):
        return to_rfc3339(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return repr(float(value)) if math.isfinite(value) else ""
    text = visible(str(value))
    return "'" + text if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def text_width(text: str) -> int:
    """Terminal columns: East Asian wide characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def columns_of(listing: Listing[Any], *, wide: bool) -> Sequence[Column[Any]]:
    return [column for column in listing.columns if wide or not column.wide]


def plain_table(listing: Listing[Any], *, wide: bool) -> str:
    """Columns aligned with spaces: for pipes, `--plain` and screen readers.

    Nothing is cut. What is wider than _WIDEST makes its own row long, and no other.
    """
    if not listing.items:
        return ""
    columns = columns_of(listing, wide=wide)
    rows = [[column.title.upper() for column in columns]]
    rows += [[cell_text(column.cell(item)) for column in columns] for item in listing.items]
    widths = [min(max(text_width(row[index]) for row in rows), _WIDEST) for index in range(len(columns))]
    lines = []
    for row in rows:
        cells = []
        for text, width, column in zip(row, widths, columns, strict=True):
            blank = " " * (width - text_width(text))
            cells.append(blank + text if column.right else text + blank)
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class ScreenTable:
    """A table as lines for a terminal, and the titles of the columns that it has no room for."""

    lines: Iterator[str]
    left_out: tuple[str, ...]


def screen_table(listing: Listing[Any], *, wide: bool, room: int | None, colour: bool) -> ScreenTable:
    """The rows for a terminal of `room` columns, None for uncut: a line each, but for prose, which folds.

    Written here and not by Rich, which takes a millisecond a row and folds every cell that is too wide.
    """
    columns = columns_of(listing, wide=wide)
    rows = [[cell_text(column.cell(item)) for column in columns] for item in listing.items]
    fitted = fit(measured_columns(columns, rows), room if room is not None else sys.maxsize)
    shown = [columns[index] for index in fitted.shown]
    return ScreenTable(
        _lines(
            shown, [[row[index] for index in fitted.shown] for row in rows], fitted.widths, listing, colour
        ),
        tuple(columns[index].title for index in fitted.left_out),
    )


def measured_columns(columns: Sequence[Column[Any]], rows: Sequence[Sequence[str]]) -> list[Measured]:
    """The columns as their cells make them."""
    return [_measured(index, column, [row[index] for row in rows]) for index, column in enumerate(columns)]


def _measured(index: int, column: Column[Any], cells: Sequence[str]) -> Measured:
    title = text_width(column.title.upper())
    first = next((cell for cell in cells if cell != _NOTHING), "")
    usual = _USUAL_PRIORITY if index else 0
    return Measured(
        width=max([title, *map(text_width, cells)]),
        title_width=title,
        priority=column.priority if column.priority is not None else usual,
        is_whole=column.right or bool(_INSTANT.match(first)),
        folds=column.folds,
        is_empty=not first,
    )


def _lines(
    columns: Sequence[Column[Any]],
    rows: Sequence[Sequence[str]],
    widths: Sequence[int],
    listing: Listing[Any],
    colour: bool,
) -> Iterator[str]:
    titles = [column.title.upper() for column in columns]
    yield _row(titles, widths, columns, ["1" if colour else ""] * len(columns))
    for cells, item in zip(rows, listing.items, strict=True):
        tones = [_CODES.get(column.tone(item), "") if colour and column.tone else "" for column in columns]
        parts = [
            folded(text, width) if column.folds and text_width(text) > width else [text]
            for text, width, column in zip(cells, widths, columns, strict=True)
        ]
        for line in zip_longest(*parts, fillvalue=""):
            yield _row(line, widths, columns, tones)


def _row(
    cells: Sequence[str], widths: Sequence[int], columns: Sequence[Column[Any]], codes: Sequence[str]
) -> str:
    done = []
    for text, width, column, code in zip(cells, widths, columns, codes, strict=True):
        shown = cut(text[::-1], width)[::-1] if column.keeps_end else cut(text, width)
        blank = " " * (width - text_width(shown))
        painted = f"\x1b[{code}m{shown}\x1b[0m" if code and shown else shown
        done.append(blank + painted if column.right else painted + blank)
    return (" " * GAP).join(done).rstrip()


def cut(text: str, width: int) -> str:
    """The text in at most so many columns; what is cut ends in `…`."""
    if text_width(text) <= width:
        return text
    if width < 1:
        return ""
    while text_width(text) > width - 1:
        text = text[: -max(1, (text_width(text) - width) // 2)]
    return f"{text}…"


def folded(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` columns, parted between words where it can be."""
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if text_width(joined) <= width:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        while text_width(word) > width:
            head = _head(word, width)
            lines[-1:] = [head, ""]
            word = word[len(head) :]
        lines[-1] = word
    return lines if lines[-1] or len(lines) == 1 else lines[:-1]


def _head(word: str, width: int) -> str:
    """As much of the word's beginning as there is room for, at least one character."""
    end = min(len(word), width)
    while end > 1 and text_width(word[:end]) > width:
        end -= 1
    return word[:end]


def csv_text(listing: Listing[Any]) -> str:
    """RFC 4180; text that a spreadsheet would run as a formula gets a leading apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.title for column in listing.columns])
    for item in listing.items:
        writer.writerow([data_text(column.cell(item)) for column in listing.columns])
    return out.getvalue().removesuffix("\n")


def markdown_table(listing: Listing[Any]) -> str:
    columns = listing.columns
    lines = ["| " + " | ".join(column.title for column in columns) + " |", "|" + " --- |" * len(columns)]
    for item in listing.items:
        cells = [markdown_text(cell_text(column.cell(item))) for column in columns]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
