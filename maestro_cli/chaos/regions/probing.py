"""Asks at the entrance, as callers do, until they are served again.

Invariant: they are served again from the first of three good answers in a row, and not before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from maestro_cli.core.clock import Clock

GOOD_IN_A_ROW = 3
EVERY_SECONDS = 0.2


class Prober:
    """`ails` says why whoever asks is not served, "" when they are; asked in a thread of its own."""

    def __init__(self, ails: Callable[[], str], clock: Clock, every_seconds: float = EVERY_SECONDS) -> None:
        self._ails, self._clock, self._every = ails, clock, every_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True, name="probes")
        self.served_at: datetime | None = None
        self.asked = 0
        self.last = "nobody asked yet"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Nothing counts that is answered after this."""
        self._stopped.set()

    def _go_on(self) -> None:
        first: datetime | None = None
        good = 0
        while not self._stopped.is_set():
            self.last = self._ails()
            self.asked += 1
            if self.last:
                first, good = None, 0
            else:
                first, good = first or self._clock.now(), good + 1
            if good >= GOOD_IN_A_ROW and not self._stopped.is_set():
                self.served_at = first
                return
            self._stopped.wait(self._every)
