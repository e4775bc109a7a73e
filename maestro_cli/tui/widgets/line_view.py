"""Lines of text, as many as there are: only those on the screen are coloured and painted.

Invariant: lines have numbers that stay theirs while older ones are dropped, and selection and matches belong
to them; what is copied is what is seen, so no hidden character reaches a clipboard.
"""

from __future__ import annotations

from abc import abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Size
from textual.selection import Selection
from textual.strip import Strip

from maestro_cli.tui.text import (
    Spans,
    breaks,
    cell_strip,
    cells,
    cut,
    overlaid,
    plain_text,
    shown,
    shown_line,
    sliced,
)
from maestro_cli.tui.widgets.matches import found_in, is_match
from maestro_cli.tui.widgets.tones import Toned

_REMEMBERED = 512  # coloured lines


def _key(keys: str, action: str, name: str, tooltip: str) -> Binding:
    """Of the lines while they have the focus; `priority` spares the key its way from there up to the app."""
    return Binding(keys, action, tooltip, show=False, priority=True, id=f"lines.{name}", tooltip=tooltip)


class LineView(Toned, can_focus=True):
    """A scrollable text; who derives from it says what a line is."""

    ALLOW_SELECT = True
    DEFAULT_CSS = """
    LineView { overflow-x: auto; scrollbar-size-horizontal: 0; }
    LineView.-wrapped { overflow-x: hidden; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        _key("k", "scroll_up", "up", "One line up"),
        _key("j", "scroll_down", "down", "One line down"),
        _key("g", "scroll_home", "first", "To the first line"),
        _key("G", "scroll_end", "last", "To the last line"),
        _key("w", "wrap", "wrap", "Wrap long lines, or scroll them"),
        _key("n", "match(1)", "next-match", "To the next match"),
        _key("N", "match(-1)", "previous-match", "To the match before"),
        _key("c", "copy", "copy", "Copy what is selected, else everything that is kept"),
    ]

    def __init__(self, *, wrap: bool = False, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[Any] = []
        self._base = 0  # number of the first line kept
        self._ends: list[int] = []  # while wrapped: rows up to the end of each line, of dropped ones too
        self._rows_before = 0  # while wrapped: rows of dropped lines
        self._wrapped_at = 0
        self._widest = 0
        self._is_wrapped = wrap
        self._needle = ""
        self._hits: list[int] = []  # numbers of the lines that match
        self._at_hit: int | None = None
        self._coloured: LRUCache[int, Spans] = LRUCache(_REMEMBERED)
        self._broken: LRUCache[int, list[int]] = LRUCache(_REMEMBERED)
        self.set_class(wrap, "-wrapped")

    @abstractmethod
    def text_of(self, line: Any) -> str:
        """The whole raw text of a line."""

    @abstractmethod
    def spans_of(self, line: Any) -> Spans:
        """Its shown text, coloured; the text is that of `shown_line(text_of(line))`."""

    def widest_of(self, line: Any) -> str:
        """A raw text about as wide as its own at least, where that costs less to tell."""
        return self.text_of(line)

    def head(self) -> str:
        """What stands above the lines; nothing takes no room. The same emptiness while it is mounted."""
        return ""

    # Lines

    def _replace(self, lines: Sequence[Any], *, keep_place: bool = False) -> None:
        self._lines = list(lines)
        self._base, self._rows_before, self._widest = 0, 0, 0
        self._coloured.clear()
        self._grow(0)
        self._count_rows()
        self._search_again()
        self._arrange()
        x, y = self.scroll_offset if keep_place else (0, 0)
        self.scroll_to(min(x, self.max_scroll_x), min(y, self.max_scroll_y), animate=False, force=True)
        self.refresh()

    def _extend(self, lines: Sequence[Any], limit: int) -> int:
        """Append lines, keeping the last `limit` of them; answers how many went."""
        start = len(self._lines)
        self._lines.extend(lines)
        self._grow(start)
        if self._is_wrapped:
            total = self._ends[-1] if self._ends else self._rows_before
            for line in self._lines[start:]:
                total += len(breaks(shown_line(self.text_of(line)), self._wrapped_at))
                self._ends.append(total)
        if self._needle:
            for number in range(self._base + start, self._base + len(self._lines)):
                if is_match(self._shown(number), self._needle):
                    self._hits.append(number)
        gone = max(len(self._lines) - limit, 0)
        if gone:
            self._drop(gone)
        return gone

    def _drop(self, gone: int) -> None:
        rows = gone
        if self._is_wrapped:
            rows = self._ends[gone - 1] - self._rows_before
            self._rows_before += rows
            del self._ends[:gone]
        del self._lines[:gone]
        self._base += gone
        del self._hits[: bisect_left(self._hits, self._base)]
        self._arrange()
        self.scroll_to(y=max(self.scroll_offset.y - rows, 0), animate=False, force=True)

    def _grow(self, start: int) -> None:
        for line in self._lines[start:]:
            text = self.widest_of(line)
            if len(text) > self._widest or "\t" in text or not text.isascii():
                self._widest = max(self._widest, cells(shown_line(text)))

    def _shown(self, number: int) -> str:
        return shown_line(self.text_of(self._lines[number - self._base]))

    # Rows: a line has several while it is wrapped

    def _count_rows(self) -> None:
        self._ends = []
        self._broken.clear()
        if not self._is_wrapped:
            return
        self._wrapped_at = self.line_width
        total = self._rows_before = 0
        for line in self._lines:
            total += len(breaks(shown_line(self.text_of(line)), self._wrapped_at))
            self._ends.append(total)

    @property
    def _row_count(self) -> int:
        if not self._is_wrapped:
            return len(self._lines)
        return self._ends[-1] - self._rows_before if self._ends else 0

    def _place(self, row: int) -> tuple[int, int]:
        """The number of the line at a row, and which of its rows it is."""
        if not self._is_wrapped:
            return self._base + row, 0
        index = bisect_right(self._ends, row + self._rows_before)
        begin = self._ends[index - 1] if index else self._rows_before
        return self._base + index, row + self._rows_before - begin

    def _row_of(self, number: int) -> int:
        index = number - self._base
        if not self._is_wrapped:
            return index
        return self._ends[index - 1] - self._rows_before if index else 0

    @property
    def _head_rows(self) -> int:
        return 1 if self.head() else 0

    def _arrange(self) -> None:
        width = self.line_width if self._is_wrapped else max(self._widest, 1)
        self.virtual_size = Size(width, self._row_count + self._head_rows)

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """Lay the lines out anew, at the line where one was."""
        if self._is_wrapped and self._wrapped_at != self.line_width:
            number, _ = self._place(self.scroll_offset.y)
            self._count_rows()
            self._arrange()
            self.scroll_to(
                y=self._row_of(min(number, self._base + len(self._lines))), animate=False, force=True
            )
        else:
            self._arrange()

    # Painting

    def render_line(self, y: int) -> Strip:
        width = self.line_width
        if y < self._head_rows:
            return self.painted(((cut(shown(self.head()), width), "title"),), width, "title")
        row = self.scroll_offset.y + y - self._head_rows
        if row >= self._row_count:
            return self.painted((), width)
        number, part = self._place(row)
        spans = self._marked(number)
        if not self._is_wrapped:
            left = self.scroll_offset.x
            strip = cell_strip(spans, self.tone_style)
            is_longer = strip.cell_length > left + width  # `…` says so; there is no second scroll bar
            strip = strip.crop_extend(left, left + width - is_longer, self.rich_style)
            strip = strip.apply_offsets(left, number)
            return Strip.join([strip, self.painted((("…", "gap"),), 1)]) if is_longer else strip
        starts = self._breaks(number)
        start = starts[min(part, len(starts) - 1)]
        end = starts[part + 1] if part + 1 < len(starts) else None
        return self.painted(sliced(spans, start, end), width).apply_offsets(start, number)

    def _breaks(self, number: int) -> list[int]:
        """Where the rows of a wrapped line begin; asked for once a row, so it is remembered."""
        starts = self._broken.get(number)
        if starts is None:
            starts = self._broken[number] = breaks(self._shown(number), self._wrapped_at)
        return starts

    def _marked(self, number: int) -> Spans:
        """The coloured line with its matches and what is selected of it."""
        spans = self._coloured.get(number)
        if spans is None:
            spans = self._coloured[number] = self.spans_of(self._lines[number - self._base])
        if self._needle:
            spans = overlaid(spans, found_in(plain_text(spans), self._needle), "match")
        selection = self.text_selection
        span = None if selection is None else selection.get_span(number)
        if span is not None:
            start, end = span
            spans = overlaid(spans, [(start, end if end >= 0 else 1 << 30)], "selected")
        return spans

    # Selection

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """What is seen of the selected lines, wrapped ones whole."""
        first = self._base if selection.start is None else max(selection.start.y, self._base)
        last = self._base + len(self._lines) - 1
        last = last if selection.end is None else min(selection.end.y, last)
        taken = []
        for number in range(first, last + 1):
            span = selection.get_span(number)
            if span is not None:
                text = self._shown(number)
                taken.append(text[span[0] :] if span[1] < 0 else text[span[0] : span[1]])
        return "\n".join(taken), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()

    def action_copy(self) -> None:
        selection = self.text_selection or Selection(None, None)
        found = self.get_selection(selection)
        if found is not None:
            self.app.copy_to_clipboard(found[0])

    # Searching

    def search(self, needle: str) -> int:
        """Highlight a text, in any case unless it has capitals; answers how many lines have it."""
        self._needle = needle
        self._search_again()
        self.refresh()
        return len(self._hits)

    def _search_again(self) -> None:
        self._at_hit = None
        self._hits = []
        if self._needle:
            numbers = range(self._base, self._base + len(self._lines))
            self._hits = [number for number in numbers if is_match(self._shown(number), self._needle)]

    def match_text(self) -> str:
        """`match 3 of 12`, `12 matches`, or nothing while nothing is searched."""
        if not self._needle:
            return ""
        if self._at_hit is not None and self._at_hit in self._hits:
            return f"match {bisect_left(self._hits, self._at_hit) + 1:,} of {len(self._hits):,}"
        return f"{len(self._hits):,} matches" if len(self._hits) != 1 else "1 match"

    def action_match(self, step: int) -> None:
        if not self._hits:
            return
        if self._at_hit is None:
            here, _ = self._place(self.scroll_offset.y)
            place = bisect_left(self._hits, here) if step > 0 else bisect_left(self._hits, here) - 1
        elif step > 0:
            place = bisect_right(self._hits, self._at_hit)
        else:
            place = bisect_left(self._hits, self._at_hit) - 1
        self._at_hit = self._hits[place % len(self._hits)]
        self.reveal(self._at_hit)
        self.refresh()

    def reveal(self, number: int) -> None:
        """Scroll so that a line stands a third down, if it is not on the screen."""
        row, top = self._row_of(number), self.scroll_offset.y
        page = max(self.scrollable_content_region.height - self._head_rows, 1)
        if not top <= row < top + page:
            self.scroll_to(y=max(row - page // 3, 0), animate=False, force=True)

    def action_wrap(self) -> None:
        number, _ = self._place(self.scroll_offset.y) if self._lines else (self._base, 0)
        self._is_wrapped = not self._is_wrapped
        self.set_class(self._is_wrapped, "-wrapped")
        self._count_rows()
        self._arrange()
        self.scroll_to(0, self._row_of(number), animate=False, force=True)
        self.refresh()

    def _tell_anew(self) -> None:
        """Measure and colour the lines again, whose text became another; what was found stays found."""
        at_hit, self._widest = self._at_hit, 0
        self._coloured.clear()
        self._grow(0)
        self._search_again()
        self._at_hit = at_hit
        self._arrange()

    @property
    def is_wrapped(self) -> bool:
        return self._is_wrapped
