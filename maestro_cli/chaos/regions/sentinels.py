"""Sentinels: numbered, timed records that a region gets while it is well, and that are looked for elsewhere.

Invariant: all times are of the one clock of whoever writes them, so that no skew is measured. One sentinel
takes the place of the one before it; whoever copies the object copies the newest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from maestro_cli.core.clock import Clock, from_rfc3339, to_rfc3339
from maestro_cli.core.errors import MaestroError

STOP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Sentinel:
    """The one of this number, of a run of an experiment, written at that time."""

    run: str
    number: int
    at: datetime

    def data(self) -> dict[str, str]:
        """As a config map keeps it."""
        return {"run": self.run, "number": str(self.number), "at": to_rfc3339(self.at)}


def sentinel_of(data: Mapping[str, str]) -> Sentinel | None:
    """The one that such data tells; None where it tells none."""
    try:
        return Sentinel(str(data["run"]), int(data["number"]), from_rfc3339(str(data["at"])))
    except (KeyError, ValueError):
        return None


class SentinelWriter:
    """Writes one after the other in a thread of its own until it is stopped; what fails is tried again."""

    def __init__(
        self, write: Callable[[Sentinel], None], run: str, clock: Clock, every_seconds: float
    ) -> None:
        self._write, self._run, self._clock, self._every = write, run, clock, every_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True, name="sentinels")
        self.written = 0
        self.problem = ""  # why the last one could not be written

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """None is begun after this; one that hangs, in a region that is lost, is not waited for long."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_SECONDS)

    def _go_on(self) -> None:
        number = 0
        while not self._stopped.is_set():
            number += 1
            try:
                self._write(Sentinel(self._run, number, self._clock.now()))
                self.written, self.problem = number, ""
            except MaestroError as error:
                self.problem = "; ".join(filter(None, (error.what, error.why)))
            self._stopped.wait(self._every)
