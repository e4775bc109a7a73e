"""What runs where, for rules that group signals by it.

Invariant: it never raises: what cannot be read now is as it was read last, or unknown, and that is said once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import MaestroError
from maestro_cli.core.facts.cluster import Pod
from maestro_cli.incidents.intake.topology import Topology, topology_of

FRESH_FOR = timedelta(seconds=30)


class ReadTopology:
    """Reads the pods of a cluster when asked, at most every half a minute; threads may share it."""

    def __init__(
        self, pods: Callable[[], tuple[Pod, ...]], clock: Clock, tell: Callable[[str], None]
    ) -> None:
        self._pods, self._clock, self._tell = pods, clock, tell
        self._lock = threading.Lock()
        self._read_at: datetime | None = None
        self._known = Topology()
        self._is_blind = False

    def __call__(self) -> Topology:
        with self._lock:
            now = self._clock.now()
            if self._read_at is None or now - self._read_at >= FRESH_FOR:
                self._read_at = now
                self._read()
            return self._known

    def _read(self) -> None:
        try:
            self._known = topology_of(self._pods())
            self._is_blind = False
        except MaestroError as error:
            if not self._is_blind:
                self._tell(
                    f"what runs where cannot be read, so signals are grouped by their labels: {error.what}"
                )
            self._is_blind = True
