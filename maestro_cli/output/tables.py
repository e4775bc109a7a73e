"""Rows as text. Invariant: every cell goes through `visible`; nothing is ever parsed as markup."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from maestro_cli.core.untrusted import markdown_text, visible
from maestro_cli.output.views import Column, Listing

if TYPE_CHECKING:
    from rich.table import Table

_TONES = {"good": "green", "bad": "bold red", "warn": "yellow", "dim": "dim"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell_text(value: object) -> str:
    """One cell: nothing is `-`, instants are local time with zone, the rest is its text made visible."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
    if isinstance(value, float):
        return f"{value:g}"
    return visible(str(value))


def columns_of(listing: Listing[Any], *, wide: bool) -> Sequence[Column[Any]]:
    return [column for column in listing.columns if wide or not column.wide]


def plain_table(listing: Listing[Any], *, wide: bool) -> str:
    """Columns aligned with spaces: for pipes, `--plain` and screen readers."""
    if not listing.items:
        return ""
    columns = columns_of(listing, wide=wide)
    rows = [[column.title.upper() for column in columns]]
    rows += [[cell_text(column.cell(item)) for column in columns] for item in listing.items]
    widths = [max(len(row[index]) for row in rows) for index in range(len(columns))]
    lines = []
    for row in rows:
        cells = [
            text.rjust(width) if column.right else text.ljust(width)
            for text, width, column in zip(row, widths, columns, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


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


def csv_text(listing: Listing[Any]) -> str:
    """RFC 4180; text that a spreadsheet would run as a formula gets a leading apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.title for column in listing.columns])
    for item in listing.items:
        row = []
        for column in listing.columns:
            value = column.cell(item)
            text = "" if value is None else cell_text(value)
            guard = isinstance(value, str) and text.startswith(_FORMULA)
            row.append("'" + text if guard else text)
        writer.writerow(row)
    return out.getvalue().rstrip("\n")


def markdown_table(listing: Listing[Any]) -> str:
    columns = listing.columns
    lines = ["| " + " | ".join(column.title for column in columns) + " |", "|" + " --- |" * len(columns)]
    for item in listing.items:
        cells = [markdown_text(cell_text(column.cell(item))) for column in columns]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
