"""Rows as text. Invariant: every cell goes through `visible`; nothing is ever parsed as markup."""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.untrusted import markdown_text, visible
from maestro_cli.output.views import Column, Listing

if TYPE_CHECKING:
    from rich.table import Table

_TONES = {"good": "green", "bad": "bold red", "warn": "yellow", "dim": "dim"}
_CODES = {"good": "32", "bad": "1;31", "warn": "33", "dim": "2"}  # the same as SGR codes
LONG_ROWS = 200
_NARROWEST = 8
_WIDEST = 200  # characters to which a column without a terminal is aligned
# What a spreadsheet takes for the start of a formula, also in its full-width form and after blanks.
_FORMULA = re.compile(r"\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?%?")


def cell_text(value: object) -> str:
    """One cell: nothing is `-`, instants are local time with zone, the rest is its text made visible."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
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


def is_for_lines(listing: Listing[Any], *, wide: bool, width: int) -> bool:
    """Whether `long_table` shows it better: it is long, or wide and would be cut beyond recognition."""
    if len(listing.items) >= LONG_ROWS:
        return True
    if not wide or not listing.items:
        return False
    columns = columns_of(listing, wide=True)
    natural = (max(text_width(cell_text(column.cell(item))) for item in listing.items) for column in columns)
    titles = (text_width(column.title) for column in columns)
    return sum(map(max, natural, titles)) + 2 * (len(columns) - 1) > width


def rich_table(listing: Listing[Any], *, wide: bool) -> Table:
    """The same rows for a terminal, cut to its width by Rich."""
    from rich.table import Table  # 40 ms, only where a person looks
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    columns = columns_of(listing, wide=wide)
    for column in columns:
        table.add_column(
            Text(column.title.upper()), justify="right" if column.right else "left", overflow="ellipsis"
        )
    for item in listing.items:
        table.add_row(
            *(
                Text(
                    cell_text(column.cell(item)),
                    style=_TONES.get(column.tone(item), "") if column.tone else "",
                    no_wrap=False,
                )
                for column in columns
            )
        )
    return table


def long_table(listing: Listing[Any], *, wide: bool, width: int, colour: bool) -> Iterator[str]:
    """The same rows for a terminal, one line each, where Rich would take a millisecond a row.

    Columns are cut from the right until a row fits, so that what names the row stays whole; a wide table is
    not cut.
    """
    columns = columns_of(listing, wide=wide)
    rows = [[cell_text(column.cell(item)) for column in columns] for item in listing.items]
    titles = [column.title.upper() for column in columns]
    widths = [max(map(text_width, cells)) for cells in zip(titles, *rows, strict=True)]
    widths = widths if wide else _fitted(widths, width)
    yield _row(titles, widths, columns, ["1" if colour else ""] * len(columns))
    for cells, item in zip(rows, listing.items, strict=True):
        tones = [_CODES.get(column.tone(item), "") if colour and column.tone else "" for column in columns]
        yield _row(cells, widths, columns, tones)


def _row(
    cells: Sequence[str], widths: Sequence[int], columns: Sequence[Column[Any]], codes: Sequence[str]
) -> str:
    done = []
    for text, width, column, code in zip(cells, widths, columns, codes, strict=True):
        shown = _cut(text, width)
        blank = " " * (width - text_width(shown))
        painted = f"\x1b[{code}m{shown}\x1b[0m" if code else shown
        done.append(blank + painted if column.right else painted + blank)
    return "  ".join(done).rstrip()


def _fitted(widths: list[int], room: int) -> list[int]:
    over = sum(widths) + 2 * (len(widths) - 1) - room
    fitted = []
    for width in reversed(widths):
        less = max(0, min(over, width - _NARROWEST))
        fitted.append(width - less)
        over -= less
    return fitted[::-1]


def _cut(text: str, width: int) -> str:
    if text_width(text) <= width:
        return text
    while text_width(text) > width - 1:
        text = text[: -max(1, (text_width(text) - width) // 2)]
    return f"{text}…"


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
