"""How a running use case learns that it should stop. Invariant: set once, never unset."""

from __future__ import annotations

import threading

from maestro_cli.core.errors import Interrupted


class Cancellation:
    """Set by a signal handler; long work asks it, and waits on it instead of sleeping."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.terminated = False

    def cancel(self, *, terminated: bool = False) -> None:
        self.terminated = self.terminated or terminated
        self._event.set()

    @property
    def is_set(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait up to that long; True when cancelled."""
        return self._event.wait(seconds)

    def raise_if_set(self) -> None:
        """Raises Interrupted once cancelled."""
        if self.is_set:
            raise Interrupted(terminated=self.terminated)

    def pause(self, seconds: float) -> None:
        """Wait that long; raises Interrupted at once when cancelled."""
        self._event.wait(seconds)
        self.raise_if_set()
