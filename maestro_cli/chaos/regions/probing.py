"""Asks at the entrance, as callers do, and says since when they are served.

Invariant: they are served since the first of three good answers in a row, or more; a bad one ends that. What
was answered well before the loss was felt counts for nothing by that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from maestro_cli.core.clock import Clock

GOOD_IN_A_ROW = 3
EVERY_SECONDS = 0.2


class Prober:
    """`ails` says why whoever asks is not served, "" when they are; asked in a thread of its own."""

    def __init__(self, ails: Callable[[], str], clock: Clock, every_seconds: float = EVERY_SECONDS) -> None:
        self._ails, self._clock, self._every = ails, clock, every_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True, name="probes")
        self._since: float | None = None  # the first good answer after the last bad one, monotonic
        self._good = 0  # in a row
        self._changing = threading.Lock()  # of these two
        self.asked, self.bad = 0, 0
        self.last = "nobody asked yet"

    @property
    def served_since(self) -> float | None:
        """As the clock's monotonic time; None while they are not served."""
        return self.seen()[0]

    def seen(self) -> tuple[float | None, int, str]:
        """`served_since`, `bad` and `last`, of one moment."""
        with self._changing:
            since = self._since if self._good >= GOOD_IN_A_ROW else None
            return since, self.bad, self.last

    @property
    def is_stopped(self) -> bool:
        return self._stopped.is_set()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Nothing counts that is answered after this."""
        with self._changing:
            self._stopped.set()

    def _go_on(self) -> None:
        while not self._stopped.is_set():
            said = self._ails()
            with self._changing:
                if self._stopped.is_set():
                    return
                self.last = said
                self.asked += 1
                self.bad += bool(said)
                self._since = None if said else self._since or self._clock.monotonic()
                self._good = 0 if said else self._good + 1
            self._stopped.wait(self._every)
