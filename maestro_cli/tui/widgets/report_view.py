"""A report of a command as a scrollable text: the same blocks that the command prints.

Invariant: every value passes `shown`; a table too long for a text says how many rows are missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from maestro_cli.output.views import Fields, Heading, Lines, Listing, Report, View
from maestro_cli.tui.text import Span, Spans, cells, fit, shown, shown_line
from maestro_cli.tui.widgets.columns import GAP
from maestro_cli.tui.widgets.text_view import TextView

MOST_ROWS = 2000  # rows of one table
MOST_LINES = 20_000  # lines of one text
_WIDEST = 120  # cells to which a column but the last is aligned


def report_lines(view: View, *, wide: bool = False) -> list[Spans]:
    """Each line of a view in tones: headings, labels, what the cells of a table mean."""
    blocks: list[Any] = [view] if isinstance(view, Listing) else list(view.blocks)
    lines: list[Spans] = []
    for block in blocks:
        if lines:
            lines.append(())
        lines += block_lines(block, wide=wide)
    return lines


def block_lines(block: Fields | Heading | Lines | Listing[Any], *, wide: bool = False) -> Iterator[Spans]:
    """The lines of one block."""
    if isinstance(block, Heading):
        yield ((shown(block.text), "title"),)
    elif isinstance(block, Lines):
        yield from text_lines(block.text)
    elif isinstance(block, Fields):
        labels = [shown(label) for label, _ in block.rows]
        width = max(map(cells, labels), default=0)
        for label, (_, value) in zip(labels, block.rows, strict=True):
            yield ((fit(label, width) + "  ", "key"), (shown(value), ""))
    else:
        yield from _table(block, wide)


def text_lines(text: str) -> Iterator[Spans]:
    """A text line by line."""
    lines = text.replace("\r\n", "\n").split("\n")
    for line in lines[:MOST_LINES]:
        yield ((shown_line(line), ""),) if line else ()
    if len(lines) > MOST_LINES:
        yield ((f"… {len(lines) - MOST_LINES:,} lines not shown", "gap"),)


def _table(listing: Listing[Any], wide: bool) -> Iterator[Spans]:
    if not listing.items:
        yield ((shown(listing.empty), "dim"),)
        return
    columns = [column for column in listing.columns if wide or not column.wide]
    titles = [shown(column.title.upper()) for column in columns]
    items = listing.items[:MOST_ROWS]
    rows = [[shown(column.cell(item)) for column in columns] for item in items]
    widths = [min(max(map(cells, texts)), _WIDEST) for texts in zip(titles, *rows, strict=True)]
    is_right = [column.right for column in columns]
    yield _row(titles, ["title"] * len(columns), widths, is_right)
    for texts, item in zip(rows, items, strict=True):
        tones = [column.tone(item) if column.tone else "" for column in columns]
        yield _row(texts, tones, widths, is_right)
    if len(listing.items) > MOST_ROWS:
        yield ((f"… {len(listing.items) - MOST_ROWS:,} rows not shown", "gap"),)


def _row(texts: list[str], tones: list[str], widths: list[int], is_right: list[bool]) -> Spans:
    """Cells side by side; a long one makes its own row long."""
    done: list[Span] = []
    last = len(texts) - 1
    for index, (text, tone) in enumerate(zip(texts, tones, strict=True)):
        blank = " " * max(widths[index] - cells(text), 0)
        padded = blank + text if is_right[index] else text if index == last else text + blank
        done.append((padded, tone))
        if index < last:
            done.append((" " * GAP, ""))
    return tuple(done)


class ReportView(TextView):
    """Shows what a command would print, wrapped so that nothing is cut; it can be selected and copied."""

    def __init__(self, *, wrap: bool = True, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(wrap=wrap, id=id, classes=classes)

    def show(self, view: Report | Listing[Any], *, wide: bool = False) -> None:
        """Show this report instead; where one was in it, one stays."""
        self.show_lines(report_lines(view, wide=wide))
