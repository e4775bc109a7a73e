"""Rows of facts by key, as many as there are: only those on the screen are painted.

Invariant: cursor, scroll and marks belong to keys, not to row numbers; nothing is mounted a row; what does
not fit is counted in the title line; a tone repeats what the word in its cell says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from maestro_cli.output.views import Column
from maestro_cli.tui.widgets.columns import GAP
from maestro_cli.tui.widgets.painted_rows import PaintedRows
from maestro_cli.tui.widgets.row_text import GUTTER, gutter_text, row_spans, title_parts
from maestro_cli.tui.widgets.rows import Key, Rows
from maestro_cli.tui.widgets.tones import Toned
from maestro_cli.tui.widgets.widths import Widths

_MEASURED = 400  # rows that are measured at once, at most


def _key(keys: str, action: str, name: str, tooltip: str) -> Binding:
    """Of the table while it has the focus; `priority` spares the key its way from there up to the app."""
    return Binding(keys, action, tooltip, show=False, priority=True, id=f"table.{name}", tooltip=tooltip)


def _never(_: Any) -> bool:
    return False


class FactTable(Toned, can_focus=True):
    """Shows a sequence by key; whoever shows it filters it first."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        _key("up,k", "move(-1)", "up", "One row up"),
        _key("down,j", "move(1)", "down", "One row down"),
        _key("pageup", "move_page(-1)", "page-up", "One page up"),
        _key("pagedown", "move_page(1)", "page-down", "One page down"),
        _key("home,g", "first", "first", "To the first row"),
        _key("end,G", "last", "last", "To the last row"),
        _key("left", "columns(-1)", "left", "Show columns further left"),
        _key("right", "columns(1)", "right", "Show columns further right"),
        _key("enter", "open", "open", "Open the row"),
        _key("space", "mark", "mark", "Mark the row, or take its mark away"),
        _key("ctrl+@", "mark_range", "mark-range", "Mark all rows from the last marked one to this one"),
        _key("shift+up", "mark_on(-1)", "mark-up", "Mark the row and the one above it"),
        _key("shift+down", "mark_on(1)", "mark-down", "Mark the row and the one below it"),
        _key("<", "sort_beside(-1)", "sort-left", "Sort by the column before"),
        _key(">", "sort_beside(1)", "sort-right", "Sort by the next column"),
        _key("^", "reverse", "sort-reverse", "Sort the other way round"),
    ]

    class About(Message):
        """Something happened in a table."""

        def __init__(self, table: FactTable) -> None:
            super().__init__()
            self.table = table

        @property
        def control(self) -> FactTable:
            return self.table

    class RowOpened(About):
        """Enter or a double click on a row."""

        def __init__(self, table: FactTable, key: str) -> None:
            super().__init__(table)
            self.key = key

    class CursorMoved(About):
        """The cursor is on another key, or on none."""

        def __init__(self, table: FactTable, key: str | None) -> None:
            super().__init__(table)
            self.key = key

    class MarksChanged(About):
        """Other rows are marked."""

        def __init__(self, table: FactTable, keys: frozenset[str]) -> None:
            super().__init__(table)
            self.keys = keys

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        self._lines = PaintedRows()
        super().__init__(id=id, classes=classes)
        self._rows = Rows()
        self._row = 0
        self._cursor_key: str | None = None
        self._marks: frozenset[str] = frozenset()
        self._marked_last: str | None = None
        self._is_stale: Callable[[Any], bool] = _never
        self._empty = "not known"  # until it is told what there is
        self._widths = Widths()
        self._skipped = 0  # columns scrolled out to the left
        self._painted: list[tuple[Any, bool]] = []

    # What is shown

    def show(
        self,
        columns: Sequence[Column[Any]],
        items: Sequence[Any],
        key: Key,
        *,
        stale: Callable[[Any], bool] = _never,
        empty: str = "nothing found",
    ) -> None:
        """Show these rows instead; a key stands for one item. `stale` says which items are of an older time.

        Cells are taken for the same as long as the columns are the same object and the item an equal one.
        """
        rows = self._rows
        is_same = columns is rows.columns
        if [one.title for one in columns] != [one.title for one in rows.columns]:
            self._widths.begin(columns)
            self._skipped = 0
        top = self.scroll_offset.y
        top_key = rows.key(top) if top < len(rows.items) else None
        rows.replace(columns, items, key)
        self._is_stale = stale
        self._empty = empty
        self._settle(top, top_key, is_same)

    def sort(self, column: int | str | None, *, reverse: bool = False) -> None:
        """By a column, by place or title; in the order in which the rows came where there is none such."""
        self._rows.sort(self._rows.place_of(column), reverse=reverse)
        self._settle(self.scroll_offset.y, None, False)
        self._scroll_to_cursor()

    @property
    def sorted_by(self) -> tuple[str | None, bool]:
        """The title of the column, and whether it is sorted the other way round."""
        return self._rows.title_sorted_by, self._rows.is_reversed

    @property
    def cursor_key(self) -> str | None:
        return self._cursor_key

    @property
    def marked(self) -> tuple[str, ...]:
        """The marked keys, in the order of their rows."""
        return tuple(sorted(self._marks, key=lambda key: self._rows.find(key) or 0))

    def item(self, key: str) -> Any | None:
        """What was shown under a key; None when that is gone."""
        row = self._rows.find(key)
        return None if row is None else self._rows.items[row]

    def move_to(self, key: str) -> bool:
        """Put the cursor on a key; False when it is not there."""
        row = self._rows.find(key)
        if row is not None:
            self._go(row)
        return row is not None

    def mark(self, keys: Iterable[str]) -> None:
        """Let exactly these be marked; keys without a row are left out."""
        self._set_marks(frozenset(key for key in keys if self._rows.find(key) is not None))

    def _settle(self, top: int, top_key: str | None, is_same: bool) -> None:
        """Bring cursor, marks and scroll to where their keys are now."""
        rows, old_row, page = self._rows, self._row, self._page
        self.virtual_size = Size(self.line_width, len(rows.items) + 1)
        found = rows.find(self._cursor_key, old_row)
        self._put_cursor(found if found is not None else min(old_row, len(rows.items) - 1))
        if self._marks:
            self._set_marks(frozenset(key for key in self._marks if rows.find(key) is not None))
        if found is not None and top <= old_row < top + page:
            goal = found - (old_row - top)
        else:
            anchor = rows.find(top_key, top)
            goal = top if anchor is None else anchor
        self.scroll_to(y=min(max(goal, 0), self.max_scroll_y), animate=False, force=True)
        self._measure()
        looked_at = self._looked_at()
        if not is_same or looked_at != self._painted:
            self.repaint()
        self._painted = looked_at

    def _looked_at(self) -> list[tuple[Any, bool]]:
        rows = self._rows
        return [(rows.items[row], self._is_stale(rows.items[row])) for row in self._visible()]

    @property
    def _page(self) -> int:
        return max(self.size.height - 1, 1)

    def _visible(self) -> range:
        top = self.scroll_offset.y
        return range(top, max(top, min(top + min(self._page, _MEASURED), len(self._rows.items))))

    def _measure(self) -> None:
        """Widen columns to what is on the screen."""
        for row in self._visible():
            self._widths.widen(self._rows.key(row), self._rows.cells(row))
        if self._widths.lay_out(self._rows.columns, self.line_width - GUTTER, self._skipped):
            self.repaint()

    # What is painted

    def render_line(self, y: int) -> Strip:
        return self.lines(range(y, y + 1))[0]

    def lines(self, ys: range) -> list[Strip]:
        width, rows, top = self.line_width, self._rows, self.scroll_offset.y - 1
        items, key_of = rows.items, rows.key_of
        known = self._lines.plain((rows.columns, self._widths.layout, width))
        done: list[Strip] = []
        for y in ys:
            row = top + y
            if y == 0 or row >= len(items):
                done.append(self._title(width) if y == 0 else self._blank(row, width))
                continue
            item = items[row]
            key = key_of(item)
            is_plain = row != self._row and key not in self._marks and not self._is_stale(item)
            found = known.get(key) if is_plain else None
            if found is None or found[0] is not item:
                found = item, self._row_strip(row, item, key, width)
                if is_plain:
                    known[key] = found
            done.append(found[1])
        return done

    def _blank(self, row: int, width: int) -> Strip:
        text = self._empty if row == 0 else ""
        return self.painted(((" " * GUTTER, ""), (text, "dim")), width)

    def _row_strip(self, row: int, item: Any, key: str, width: int) -> Strip:
        is_at = row == self._row
        is_marked, is_stale = key in self._marks, self._is_stale(item)
        gutter = gutter_text(is_at, is_marked, is_stale)
        tone = "marked" if is_marked else "dim" if is_stale else ""
        if is_at:
            tone = "cursor" if self.has_focus else "cursor-away"
        cells_of, layout = self._rows.cells(row), self._widths.layout

        def make() -> Strip:
            return self.painted(row_spans(cells_of, layout, self._rows.columns, gutter, tone), width, tone)

        return self._lines.row(key, cells_of, (gutter, tone, layout, width), make)

    def forget_styles(self) -> None:
        super().forget_styles()
        self._lines.forget()

    def _title(self, width: int) -> Strip:
        rows, layout = self._rows, self._widths.layout

        def make() -> Strip:
            parts = title_parts(rows.columns, layout, rows.sorted_by, rows.is_reversed, width)
            return Strip.join([self.painted(spans, room, "title") for spans, room in parts])

        return self._lines.title((rows.columns, layout, rows.sorted_by, rows.is_reversed, width), make)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value) and self._widths:
            self._measure()
            self._painted = self._looked_at()

    def on_resize(self) -> None:
        self._settle(self.scroll_offset.y, None, False)

    def on_focus(self) -> None:
        self._repaint(self._row)

    def on_blur(self) -> None:
        self._repaint(self._row)

    def _repaint(self, row: int) -> None:
        self.refresh_line(row + 1)

    # Cursor and marks

    def _put_cursor(self, row: int, *, repaints: bool = True) -> None:
        row = max(row, 0)
        key = self._rows.key(row) if row < len(self._rows.items) else None
        before, self._row = self._row, row
        if repaints:
            self._repaint(row)
            if before != row:
                self._repaint(before)
        if key != self._cursor_key:
            self._cursor_key = key
            self.post_message(self.CursorMoved(self, key))

    def _go(self, row: int) -> None:
        row = max(min(row, len(self._rows.items) - 1), 0)
        scrolls = self._goal(row) != self.scroll_offset.y  # then all of it is painted
        self._put_cursor(row, repaints=not scrolls)
        if scrolls:
            self._scroll_to_cursor()

    def _goal(self, row: int) -> int:
        """Where to scroll to, for a row to be seen."""
        return min(max(self.scroll_offset.y, row - self._page + 1), row)

    def _scroll_to_cursor(self) -> None:
        self.scroll_to(y=self._goal(self._row), animate=False, force=True)

    def _set_marks(self, keys: frozenset[str]) -> None:
        if keys != self._marks:
            self._marks = keys
            self.repaint()
            self.post_message(self.MarksChanged(self, keys))

    # Keys and mouse

    def action_move(self, rows: int) -> None:
        self._go(self._row + rows)

    def action_move_page(self, pages: int) -> None:
        self._go(self._row + pages * self._page)

    def action_first(self) -> None:
        self._go(0)

    def action_last(self) -> None:
        self._go(len(self._rows.items) - 1)

    def action_columns(self, step: int) -> None:
        if step > 0 and not self._widths.layout.after:
            return
        self._skipped = max(0, min(self._skipped + step, len(self._widths) - 2))
        self._measure()

    def action_open(self) -> None:
        if self._cursor_key is not None:
            self.post_message(self.RowOpened(self, self._cursor_key))

    def action_mark(self) -> None:
        if self._cursor_key is not None:
            self._marked_last = self._cursor_key
            self._set_marks(self._marks ^ {self._cursor_key})

    def action_mark_range(self) -> None:
        start = self._rows.find(self._marked_last)
        if start is None:
            self.action_mark()
            return
        between = range(min(start, self._row), max(start, self._row) + 1)
        self._set_marks(self._marks | {self._rows.key(row) for row in between})

    def action_mark_on(self, rows: int) -> None:
        """Mark from the cursor to where it goes."""
        if self._cursor_key is not None:
            before = self._cursor_key
            self.action_move(rows)
            self._marked_last = self._cursor_key
            self._set_marks(self._marks | {before, self._cursor_key})

    def action_unmark(self) -> None:
        self._set_marks(frozenset())

    def action_sort_beside(self, step: int) -> None:
        count = len(self._rows.columns)
        now = self._rows.sorted_by
        if count:
            self.sort((now + step) % count if now is not None else 0 if step > 0 else count - 1)

    def action_reverse(self) -> None:
        if self._rows.sorted_by is not None:
            self.sort(self._rows.sorted_by, reverse=not self._rows.is_reversed)

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is None:
            return
        if at.y == 0:
            self._sort_at(at.x)
            return
        row = self.scroll_offset.y + at.y - 1
        if row < len(self._rows.items):
            self._go(row)
            if event.chain == 2:
                self.action_open()

    def _sort_at(self, x: int) -> None:
        left = GUTTER
        for index, width in self._widths.layout.shown:
            if left <= x < left + width:
                again = index == self._rows.sorted_by
                self.sort(index, reverse=again and not self._rows.is_reversed)
                return
            left += width + GAP
