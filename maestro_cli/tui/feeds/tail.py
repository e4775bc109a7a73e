"""The newest of what never ends, such as a log.

Invariant: at most `limit` entries are kept; each has a number for good, so that whoever shows them adds what
is new and knows what was left out.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from maestro_cli.tui.feeds.model import Hearer

LIMIT = 10_000
SHORTEST_SECONDS = 0.15  # between two tellings


@dataclass(frozen=True, slots=True)
class Tail:
    """`entries` begin with number `first`; `total` is how many there ever were. `is_over`: no more will come.

    `reading` is another object for each time that it was begun anew: numbers count within one.
    """

    first: int
    entries: tuple[Any, ...]
    reading: object = field(default=None, compare=False, repr=False)
    is_over: bool = False

    @property
    def total(self) -> int:
        return self.first + len(self.entries)

    def since(self, number: int) -> tuple[int, Sequence[Any]]:
        """How many of those from a number on are gone, and the others."""
        gone = max(self.first - number, 0)
        return gone, self.entries[max(number - self.first, 0) :]


class TailKeeper:
    """Takes batches from one thread, and tells the hearer soon."""

    def __init__(self, hearer: Hearer[Tail], limit: int = LIMIT) -> None:
        self._hearer = hearer
        self._entries: deque[Any] = deque(maxlen=limit)
        self._total, self._is_over = 0, False
        self._lock = threading.Lock()
        self._telling = threading.Lock()  # an older tail is never told after a newer one
        self._timer: threading.Timer | None = None

    def add(self, batch: Sequence[Any]) -> None:
        with self._lock:
            self._entries.extend(batch)
            self._total += len(batch)
            if self._timer is None:
                self._timer = threading.Timer(SHORTEST_SECONDS, self.tell)
                self._timer.daemon = True
                self._timer.start()

    def tell(self) -> None:
        with self._telling:
            with self._lock:
                self._timer = None
                tail = Tail(self._total - len(self._entries), tuple(self._entries), self, self._is_over)
            self._hearer.read(tail)

    def end(self) -> None:
        """Tell all of it, and that no more will come."""
        with self._lock:
            self._is_over, timer, self._timer = True, self._timer, None
        if timer is not None:
            timer.cancel()
        self.tell()

    def close(self) -> None:
        """Tell what was not told yet."""
        with self._lock:
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            self.tell()
