"""The logs of one target. Invariant: what was left out is said where it is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from maestro_cli.core.facts.live import Lost, Restored
from maestro_cli.core.facts.logs import Dropped, Joined, Left
from maestro_cli.core.facts.logs import LogLine as ReadLine
from maestro_cli.services.inspecting import several
from maestro_cli.tui.feeds.tail import Tail
from maestro_cli.tui.screens.logs import LOGS, LogsAsked, refuse_filter_of_rows
from maestro_cli.tui.store.model import FactKey, Scope, Snapshot
from maestro_cli.tui.views.stale_line import StaleLine
from maestro_cli.tui.views.view import View
from maestro_cli.tui.widgets.log_pane import Gap, LogLine, LogPane


class LogsView(View):
    """Renders the tail of LOGS."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "p", "previous", "Run before", id="logs.previous", tooltip="The log of the run before, or of now."
        ),
    ]

    def __init__(self, screen_: Any, place: Any) -> None:
        super().__init__(screen_, place)
        self._asked = LogsAsked(place.argument, place.filter)
        self._next = 0
        self._key: FactKey | None = None
        self._reading: object = None

    def compose(self) -> ComposeResult:
        yield StaleLine()
        yield LogPane()

    def keys(self, scope: Scope) -> frozenset[FactKey]:
        return frozenset({LOGS.of(self.place.context or scope.context, str(self._asked))})

    def show(self, snapshot: Snapshot, now: datetime) -> None:
        key = min(self.keys(snapshot.scope))
        fact = snapshot.fact(key)
        is_past = snapshot.replay_at is not None
        self.query_one(StaleLine).show(LOGS.needs, [(key.context, fact)], now, is_past=is_past)
        pane = self.query_one(LogPane)
        tail: Tail = fact.data or Tail(0, ())
        if key != self._key or tail.reading is not self._reading or tail.total < self._next:
            self._key, self._reading, self._next = key, tail.reading, 0
            pane.show(())
        gone, entries = tail.since(self._next)
        if gone or entries:
            missed: list[LogLine | Gap] = [Gap(gone, "not kept")] if gone else []
            pane.append(missed + lines_of(entries, named=several((self._asked.target,))))
        self._next = tail.total

    def set_filter(self, text: str) -> None:
        refuse_filter_of_rows(text)
        self._ask(LogsAsked(self._asked.target, text.strip(), self._asked.is_previous))

    def action_previous(self) -> None:
        asked = self._asked
        self._ask(LogsAsked(asked.target, asked.filter, not asked.is_previous))

    def _ask(self, asked: LogsAsked) -> None:
        if asked != self._asked:
            self._asked = asked
            self.post_message(self.KeysChanged())


def pane_lines(entry: Any, *, named: bool) -> Iterator[LogLine | Gap]:
    """What one entry of the tail is on screen: a line, or what is told between lines."""
    match entry:
        case ReadLine(pod, container, _, text, is_cut):
            yield LogLine(f"{text}… (cut)" if is_cut else text, f"{pod}/{container}" if named else "")
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


def lines_of(entries: Sequence[Any], *, named: bool) -> list[LogLine | Gap]:
    return [line for entry in entries for line in pane_lines(entry, named=named)]
