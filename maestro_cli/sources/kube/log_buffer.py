"""Lines on their way from many readers to one who takes them.

Invariant: it holds at most MAX_LINES lines and MAX_CHARACTERS of text; what does not fit is dropped, the
oldest first, counted, and told before what follows. Notices are never dropped.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from operator import attrgetter

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.facts.logs import Dropped, LogLine, LogSeen

MAX_LINES, MAX_CHARACTERS = 20_000, 8 * 2**20
ROOM_SECONDS = 0.5  # a reader waits so long for room: what it reads waits on the node meanwhile
GATHER_SECONDS = 0.05  # so that lines of several containers come in the order of their instants


class LogBuffer:
    """Safe for many threads that put and one that takes."""

    def __init__(
        self, clock: Clock, *, max_lines: int = MAX_LINES, room_seconds: float = ROOM_SECONDS
    ) -> None:
        self._clock, self._max_lines, self._room_seconds = clock, max_lines, room_seconds
        self._changed = threading.Condition()
        self._held: list[LogSeen] = []
        self._lines = self._characters = 0
        self._is_stalled = self._is_over = False  # stalled: nobody took anything while a reader waited
        self._dropped, self._dropped_since = 0, datetime.min

    def put(self, line: LogLine) -> None:
        """Add a line; waits a moment for room, and then makes it."""
        with self._changed:
            if self._is_full() and not self._is_stalled:
                self._is_stalled = not self._changed.wait_for(self._has_room, self._room_seconds)
            if self._is_full():
                self._drop_older_half()
            self._held.append(line)
            self._lines += 1
            self._characters += len(line.text)
            self._changed.notify_all()

    def tell(self, notice: LogSeen) -> None:
        """Add what is no line."""
        with self._changed:
            self._held.append(notice)
            self._changed.notify_all()

    def finish(self) -> None:
        """Nothing more will come."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def batches(self, cancellation: Cancellation) -> Iterator[tuple[LogSeen, ...]]:
        """What came, until it is finished and empty, or cancelled; at most some twenty times a second."""
        with cancellation.calling(self._wake):
            while not cancellation.is_set:
                with self._changed:
                    self._changed.wait_for(lambda: self._held or self._is_over or cancellation.is_set)
                    if not self._held:
                        return
                cancellation.wait(GATHER_SECONDS)
                if batch := self._take():
                    yield batch

    def _take(self) -> tuple[LogSeen, ...]:
        with self._changed:
            held, dropped = self._held, self._dropped
            since = self._dropped_since
            self._held, self._lines, self._characters = [], 0, 0
            self._dropped, self._is_stalled = 0, False
            self._changed.notify_all()
        gap: list[LogSeen] = [Dropped(dropped, since)] if dropped else []
        return (*gap, *_in_order(held))

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _is_full(self) -> bool:
        return self._lines >= self._max_lines or self._characters >= MAX_CHARACTERS

    def _has_room(self) -> bool:
        return not self._is_full()

    def _drop_older_half(self) -> None:
        if not self._dropped:
            self._dropped_since = self._clock.now()
        middle = max(len(self._held) // 2, 1)
        older, newer = self._held[:middle], self._held[middle:]
        self._dropped += sum(isinstance(one, LogLine) for one in older)
        self._held = [*(one for one in older if not isinstance(one, LogLine)), *newer]
        lines = [one for one in newer if isinstance(one, LogLine)]
        self._lines, self._characters = len(lines), sum(len(one.text) for one in lines)


def _in_order(held: list[LogSeen]) -> list[LogSeen]:
    """Lines by their instants, between the notices."""
    ordered, run = list[LogSeen](), list[LogLine]()
    for one in held:
        if isinstance(one, LogLine):
            run.append(one)
            continue
        ordered += sorted(run, key=attrgetter("at"))
        run.clear()
        ordered.append(one)
    return ordered + sorted(run, key=attrgetter("at"))
