"""Whose logs are shown, wherever that is: on a screen of their own, or beside what they are the evidence of.

Invariant: what was left out is said where it is missing. What a pod printed that is gone since stays: where a
filter reads anew what is still there, those lines are filtered here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical

from maestro_cli.core.facts.live import Lost, Restored
from maestro_cli.core.facts.logs import Dropped, Joined, Left
from maestro_cli.core.facts.logs import LogLine as ReadLine
from maestro_cli.services.inspecting import line_filter, several
from maestro_cli.tui.feeds.tail import Tail
from maestro_cli.tui.screens.logs import LOGS, LogsAsked, refuse_filter_of_rows
from maestro_cli.tui.store.model import FactKey, Snapshot
from maestro_cli.tui.views.stale_line import StaleLine
from maestro_cli.tui.views.view import View
from maestro_cli.tui.widgets.log_pane import Gap, LogLine, LogPane
from maestro_cli.tui.widgets.log_words import short_name


class LogsPane(Vertical):
    """Renders the tail of LOGS; posts `View.KeysChanged` when it wants another one read."""

    DEFAULT_CSS = "LogsPane { height: 1fr; }"

    def __init__(self, target: str, filter_text: str = "") -> None:
        """`target` may be "" until it is known."""
        super().__init__()
        self._asked = LogsAsked(target, filter_text)
        self._next = 0
        self._containers = set[str]()  # of which lines were shown
        self._key: FactKey | None = None
        self._reading: object = None
        self._tail = Tail(0, ())
        self._kept: Sequence[Any] = ()  # what was read before, of which something may be gone by now

    def compose(self) -> ComposeResult:
        yield StaleLine()
        yield LogPane()

    @property
    def asked(self) -> LogsAsked:
        return self._asked

    def key(self, context: str) -> FactKey | None:
        """What it wants read; None while nobody says whose logs."""
        return LOGS.of(context, str(self._asked)) if self._asked.target else None

    def show(self, snapshot: Snapshot, now: datetime, context: str) -> None:
        key = self.key(context)
        if key is None:
            return
        fact = snapshot.fact(key)
        is_past = snapshot.replay_at is not None
        self.query_one(StaleLine).show(LOGS.needs, [(key.context, fact)], now, is_past=is_past)
        tail: Tail = fact.data or Tail(0, ())
        is_unread = fact.is_stale and not fact.is_known
        reading = (tail.reading, is_unread, is_past)
        if key != self._key or reading != self._reading or tail.total < self._next:
            self._key, self._reading, self._next, self._containers = key, reading, 0, set()
            kept = [] if is_past else self._of_gone(tail.entries, is_unread=is_unread)
            self.query_one(LogPane).show(kept)
        self._add(tail)
        if tail.entries and not is_past:
            self._tail = tail

    def _add(self, tail: Tail) -> None:
        gone, entries = tail.since(self._next)
        if gone or entries:
            missed: list[LogLine | Gap] = [Gap(gone, "not kept")] if gone else []
            self.query_one(LogPane).append(missed + self._lines(entries))
        self._next = tail.total

    @property
    def _is_named(self) -> bool:
        return several((self._asked.target,))

    def _lines(self, entries: Sequence[Any]) -> list[LogLine | Gap]:
        self._containers |= {one.container for one in entries if isinstance(one, Joined | ReadLine)}
        return lines_of(entries, named=self._is_named, by_container=len(self._containers) > 1)

    def _of_gone(self, entries: Sequence[Any], *, is_unread: bool) -> list[LogLine | Gap]:
        """The lines of before whose pod is gone, as the filter has them; all where nothing can be read."""
        lines = kept_lines(self._kept, None if is_unread else entries)
        wanted = self._asked.wanted
        keeps = line_filter(wanted.grep, wanted.exclude)
        lines = [one for one in lines if keeps is None or keeps(str(one.text))]
        if not self._kept or self._asked.is_previous or not (lines or is_unread):
            return []
        pods = ", ".join(sorted({one.pod for one in lines}))
        why = "not readable now" if is_unread else "the pod is gone"
        said = f"— {pods or self._asked.target}: {why}; what was read of it before, filtered here"
        return [LogLine(said), *self._lines(lines)]

    def about(self, target: str) -> None:
        """Show the logs of that from now on."""
        if target != self._asked.target:
            self._kept, self._tail = (), Tail(0, ())
            self._ask(LogsAsked(target, self._asked.filter))

    def set_filter(self, text: str) -> None:
        refuse_filter_of_rows(text)
        self._ask(LogsAsked(self._asked.target, text.strip(), self._asked.is_previous))

    def turn_previous(self) -> None:
        """The log of the run before, or of now."""
        asked = self._asked
        self._ask(LogsAsked(asked.target, asked.filter, not asked.is_previous))

    def _ask(self, asked: LogsAsked) -> None:
        if asked != self._asked:
            if not self._asked.filter and not self._asked.is_previous and self._tail.entries:
                self._kept = self._tail.entries
            self._asked = asked
            self.post_message(View.KeysChanged())


def kept_lines(kept: Sequence[Any], entries: Sequence[Any] | None) -> list[ReadLine]:
    """The lines of pods that were left for good, and are not among what is read now; None: all of them."""
    if entries is None:
        return [one for one in kept if isinstance(one, ReadLine)]
    gone = dict[str, bool]()
    for one in kept:
        if isinstance(one, Left | Joined):
            gone[one.pod] = isinstance(one, Left)
    there = {one.pod for one in entries if isinstance(one, Joined | ReadLine)}
    return [one for one in kept if isinstance(one, ReadLine) and gone.get(one.pod) and one.pod not in there]


def pane_lines(entry: Any, *, named: bool, by_container: bool) -> Iterator[LogLine | Gap]:
    """What one entry of the tail is on screen: a line, or what is told between lines."""
    match entry:
        case ReadLine(pod, container, at, text, is_cut):
            name = f"{short_name(pod)}/{container}" if by_container else short_name(pod)
            source = f"{pod}/{container}" if named else ""
            yield LogLine(f"{text}… (cut)" if is_cut else text, source, name if named else "", at)
        case Dropped(count, _):
            yield Gap(count)
        case Left(pod, container, why):
            yield LogLine(f"— {pod}/{container} is not read any more: {why}")
        case Joined(pod, container) if named:
            yield LogLine(f"— {pod}/{container}")
        case Lost(error, _):
            yield LogLine(f"— not heard: {error.what}")
        case Restored():
            yield LogLine("— heard again")
        case _:
            return


def lines_of(entries: Sequence[Any], *, named: bool, by_container: bool) -> list[LogLine | Gap]:
    """These entries on screen, told apart by their pods where `named`, and by their containers."""
    return [line for entry in entries for line in pane_lines(entry, named=named, by_container=by_container)]
