"""A report of a command as a scrollable text: the same blocks that the command prints.

Invariant: every value passes `shown`; a table too long for a text says how many rows are missing, one too
wide for its room which columns are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from maestro_cli.output.fitting import Measured
from maestro_cli.output.fitting import fit as fit_columns
from maestro_cli.output.tables import folded, measured_columns
from maestro_cli.output.views import Fields, Heading, Lines, Listing, Report, View
from maestro_cli.tui.text import Span, Spans, cells, cut, fit, shown, shown_line
from maestro_cli.tui.widgets.columns import GAP
from maestro_cli.tui.widgets.text_view import TextView

MOST_ROWS = 2000  # rows of one table
MOST_LINES = 20_000  # lines of one text
_WIDEST = 120  # cells to which a column but the last is aligned


def report_lines(view: View, *, wide: bool = False, room: int = 0) -> list[Spans]:
    """Each line of a view in tones: headings, labels, what the cells of a table mean.

    `room` is how many cells a row of a table may take, 0 for as many as it has.
    """
    blocks: list[Any] = [view] if isinstance(view, Listing) else list(view.blocks)
    lines: list[Spans] = []
    for block in blocks:
        if lines:
            lines.append(())
        lines += block_lines(block, wide=wide, room=room)
    return lines


def block_lines(
    block: Fields | Heading | Lines | Listing[Any], *, wide: bool = False, room: int = 0
) -> Iterator[Spans]:
    """The lines of one block."""
    if isinstance(block, Heading):
        yield ((shown(block.text), "title"),)
    elif isinstance(block, Lines):
        yield from text_lines(block.text)
    elif isinstance(block, Fields):
        yield from _fields(block, room)
    else:
        yield from _table(block, wide, room)


def text_lines(text: str) -> Iterator[Spans]:
    """A text line by line."""
    lines = text.replace("\r\n", "\n").split("\n")
    for line in lines[:MOST_LINES]:
        yield ((shown_line(line), ""),) if line else ()
    if len(lines) > MOST_LINES:
        yield ((f"… {len(lines) - MOST_LINES:,} lines not shown", "gap"),)


def _fields(block: Fields, room: int) -> Iterator[Spans]:
    """Each label with its value; what is longer than the room goes on below its value."""
    labels = [shown(label) for label, _ in block.rows]
    width = max(map(cells, labels), default=0) + GAP
    for label, (_, value) in zip(labels, block.rows, strict=True):
        text = shown(value)
        parts = folded(text, room - width) if room > 2 * width and cells(text) > room - width else [text]
        for number, part in enumerate(parts):
            yield ((fit(label if not number else "", width), "key"), (part, ""))


def _table(listing: Listing[Any], wide: bool, room: int) -> Iterator[Spans]:
    if not listing.items:
        yield ((shown(listing.empty), "dim"),)
        return
    columns = [column for column in listing.columns if wide or not column.wide]
    titles = [shown(column.title.upper()) for column in columns]
    items = listing.items[:MOST_ROWS]
    rows = [[shown(column.cell(item)) for column in columns] for item in items]
    longest = [max(map(cells, texts)) for texts in zip(titles, *rows, strict=True)]
    widths = [min(one, _WIDEST) for one in longest]
    chosen = list(range(len(columns)))
    if room and (widths != longest or sum(widths) + GAP * (len(widths) - 1) > room):
        measured = [_reading(one) for one in measured_columns(columns, rows)]
        fitted = fit_columns(measured, room)
        chosen, widths = list(fitted.shown), list(fitted.widths)
        columns = [replace(column, folds=one.folds) for column, one in zip(columns, measured, strict=True)]
    kept = [columns[index] for index in chosen]
    yield from _row([titles[i] for i in chosen], ["title"] * len(kept), widths, kept, bool(room))
    for texts, item in zip(rows, items, strict=True):
        tones = [column.tone(item) if column.tone else "" for column in kept]
        yield from _row([texts[index] for index in chosen], tones, widths, kept, bool(room))
    if missing := [titles[index] for index in range(len(columns)) if index not in chosen]:
        yield ((f"… no room for {', '.join(missing)}", "gap"),)
    if len(listing.items) > MOST_ROWS:
        yield ((f"… {len(listing.items) - MOST_ROWS:,} rows not shown", "gap"),)


def _reading(column: Measured) -> Measured:
    """Here a list is read and not scanned: what matters most is folded, where a list would cut it."""
    return replace(column, folds=column.folds or (column.priority == 1 and not column.is_whole))


def _row(
    texts: Sequence[str], tones: Sequence[str], widths: Sequence[int], columns: Sequence[Any], is_fitted: bool
) -> Iterator[Spans]:
    """Cells side by side, prose in as many lines as it takes; unfitted, a long one makes its own row long."""
    parts = [
        folded(text, width) if is_fitted and column.folds and cells(text) > width
        else [cut(text, width) if is_fitted else text]
        for text, width, column in zip(texts, widths, columns, strict=True)
    ]  # fmt: skip
    last = len(texts) - 1
    for line in zip_longest(*parts, fillvalue=""):
        done: list[Span] = []
        for index, (text, tone) in enumerate(zip(line, tones, strict=True)):
            blank = " " * max(widths[index] - cells(text), 0)
            padded = blank + text if columns[index].right else text if index == last else text + blank
            done.append((padded, tone))
            if index < last:
                done.append((" " * GAP, ""))
        yield tuple(done)


class ReportView(TextView):
    """Shows what a command would print; it can be selected and copied.

    While it wraps, tables take the room that there is: prose is folded, columns without room are named.
    Unwrapped (`w`), every column is there, whole.
    """

    def __init__(self, *, wrap: bool = True, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(wrap=wrap, id=id, classes=classes)
        self._report: Callable[[int], list[Spans]] | None = None
        self._made_at = -1  # for how many cells a row the lines were made

    def show(self, view: Report | Listing[Any], *, wide: bool = False, first: Sequence[Spans] = ()) -> None:
        """Show this report instead, `first` above it; where one was in it, one stays."""
        self._report = lambda room: [
            *first, *([()] if first else ()), *report_lines(view, wide=wide, room=room)
        ]  # fmt: skip
        self._made_at = self._room
        super().show_lines(self._report(self._room))

    def show_lines(self, lines: Sequence[Spans]) -> None:
        self._report = None
        super().show_lines(lines)

    @property
    def _room(self) -> int:
        return self.line_width if self.is_wrapped else 0

    def _remake(self) -> None:
        if self._report is not None and self._made_at != self._room:
            self._made_at = self._room
            super().show_lines(self._report(self._room))

    def on_resize(self) -> None:
        self._remake()
        super().on_resize()

    def action_wrap(self) -> None:
        super().action_wrap()
        self._remake()
