"""The tail of a log.

Invariant: at most `limit` lines are kept, and what is missing is said: lines that a source dropped stand as
a line of their own, those that were too old for the pane are counted above. A line is told by its words, of
which nothing is kept back while it is wrapped: then it stands as it was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from maestro_cli.tui.text import Spans, shown, shown_line
from maestro_cli.tui.widgets.line_view import LineView
from maestro_cli.tui.widgets.log_colours import log_spans
from maestro_cli.tui.widgets.log_words import log_words, words_spans

LIMIT = 10_000
_LONGEST_SOURCE = 60


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line as it was written; `source` is who wrote it, where several are shown, `name` that in short.

    `at` is when; None for what is told between lines.
    """

    text: str
    source: str = ""
    name: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Lines that are missing here."""

    count: int
    why: str = "dropped"

    def text(self) -> str:
        return f"… {self.count:,} {'line' if self.count == 1 else 'lines'} {self.why}"


def line_spans(line: LogLine | Gap, *, as_written: bool) -> Spans:
    """A line of the log in tones: as it was written, or its words with the time and who wrote it before."""
    if isinstance(line, Gap):
        return ((shown_line(line.text()), "gap"),)
    lead = _lead(line, as_written=as_written)
    told = log_spans(line.text) if as_written or line.at is None else words_spans(log_words(line.text))
    return ((lead, "key"), *told) if lead else told


def line_text(line: LogLine | Gap, *, as_written: bool) -> str:
    """The raw text of the same."""
    if isinstance(line, Gap):
        return line.text()
    told = line.text if as_written or line.at is None else log_words(line.text).text
    return _lead(line, as_written=as_written) + told


def _lead(line: LogLine, *, as_written: bool) -> str:
    """`03:00:05 q4twv │ `, or `fraud-547bgn6cmg-q4twv/server │ ` as it was written."""
    at = "" if as_written or line.at is None else f"{line.at.astimezone():%H:%M:%S} "
    source = line.source if as_written else line.name or line.source
    return f"{at}{shown(source, _LONGEST_SOURCE)} │ " if source else at


def head_text(
    *, is_following: bool, counts: tuple[int, int] | None, older: int, matches: str, is_wrapped: bool
) -> str:
    """`following · filtered 1,204 → 17 · 300 older lines not kept · match 3 of 12`."""
    parts = ["following" if is_following else "paused"]
    if counts is not None:
        parts.append(f"filtered {counts[0]:,} → {counts[1]:,}")
    if older:
        parts.append(f"{older:,} older {'line' if older == 1 else 'lines'} not kept")
    parts += [matches] if matches else []
    parts += ["wrapped, as written"] if is_wrapped else []
    return " · ".join(parts)


class LogPane(LineView):
    """Follows its end until somebody scrolls up, and again from the end."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f",
            "follow",
            "Follow",
            show=False,
            id="log.follow",
            tooltip="Follow the log, or pause",
        ),
    ]

    class FollowChanged(Message):
        """It follows now, or is paused."""

        def __init__(self, pane: LogPane, is_following: bool) -> None:
            super().__init__()
            self.pane, self.is_following = pane, is_following

        @property
        def control(self) -> LogPane:
            return self.pane

    def __init__(
        self, *, limit: int = LIMIT, wrap: bool = False, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(wrap=wrap, id=id, classes=classes)
        self._limit = limit
        self._is_following = True
        self._is_moving = False  # by the pane, not by a person
        self._older = 0
        self._counts: tuple[int, int] | None = None

    def text_of(self, line: Any) -> str:
        return line_text(line, as_written=self.is_wrapped)

    def widest_of(self, line: Any) -> str:
        """As written: its words are no more than that, and are told once it is on the screen."""
        return line.text() if isinstance(line, Gap) else _lead(line, as_written=self.is_wrapped) + line.text

    def spans_of(self, line: Any) -> Spans:
        return line_spans(line, as_written=self.is_wrapped)

    def head(self) -> str:
        return head_text(
            is_following=self._is_following,
            counts=self._counts,
            older=self._older,
            matches=self.match_text(),
            is_wrapped=self.is_wrapped,
        )

    @property
    def is_following(self) -> bool:
        return self._is_following

    def show(self, lines: Iterable[LogLine | Gap], counts: tuple[int, int] | None = None) -> None:
        """Show this log instead, from its end; `counts` are lines before and after the filter."""
        every = list(lines)
        self._older = max(len(every) - self._limit, 0)
        self._counts = counts
        self._is_moving = True
        self._replace(every[-self._limit :])
        self._to_end()
        self._is_moving = False
        self._set_following(True)

    def append(self, lines: Sequence[LogLine | Gap], counts: tuple[int, int] | None = None) -> None:
        """Add a batch at the end: one refresh, however many lines it has."""
        self._counts = counts
        self._is_moving = True
        self._older += max(len(lines) - self._limit, 0)
        self._older += self._extend(lines[-self._limit :], self._limit)
        self._arrange()
        if self._is_following:
            self._to_end()
        self._is_moving = False
        self.refresh()

    def _to_end(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False, force=True)

    def _set_following(self, is_following: bool) -> None:
        if is_following != self._is_following:
            self._is_following = is_following
            self.refresh()
            self.post_message(self.FollowChanged(self, is_following))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._is_moving and round(old_value) != round(new_value):
            self._set_following(round(new_value) >= self.max_scroll_y)

    def _fit(self) -> None:
        self._is_moving = True
        super()._fit()
        if self._is_following:
            self._to_end()
        self._is_moving = False

    def action_follow(self) -> None:
        self._set_following(not self._is_following)
        if self._is_following:
            self._to_end()

    def action_scroll_end(self) -> None:
        self._to_end()
        self._set_following(True)

    def action_wrap(self) -> None:
        self._is_moving = True
        super().action_wrap()
        self._tell_anew()
        if self._is_following:
            self._to_end()
        self._is_moving = False
