"""Counts both arms while a fault is in force, by the queries that an experiment declares.

Invariant: asked once, in a thread of its own, when the fault is about to be taken back: no undo waits for it.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable

from maestro_cli.chaos.arms import Arm, Comparison, compare
from maestro_cli.chaos.guard.check import Proposal
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import MaestroError

PODS, WINDOW = "$PODS", "$WINDOW"
PATIENCE_SECONDS = 10.0  # for the answers


class Measuring:
    """`begin` when a fault has its effect, `end` when it is taken back, `comparison` at the run's end."""

    def __init__(self, proposal: Proposal, value: Callable[[str], float | None], clock: Clock) -> None:
        guarded = proposal.experiment.guarded
        self._asked = guarded.arms if guarded is not None else None
        self._value, self._clock = value, clock
        treated = {t.ref.name for one in proposal.chosen for t in one.targets if t.ref.kind == "Pod"}
        left = {c.ref.name for one in proposal.chosen for c in one.control if c.ref.kind == "Pod"}
        self._treated, self._control = tuple(sorted(treated)), tuple(sorted(left - treated))
        self._lock = threading.Lock()
        self._since: float | None = None
        self._counting: threading.Thread | None = None
        self._found: Comparison | None = None

    def begin(self) -> None:
        with self._lock:
            self._since = self._clock.monotonic() if self._since is None else self._since

    def end(self) -> None:
        with self._lock:
            if self._asked is None or self._since is None or self._counting is not None:
                return
            seconds = max(1.0, self._clock.monotonic() - self._since)
            self._counting = threading.Thread(target=self._count, args=(seconds,), daemon=True, name="arms")
            self._counting.start()

    def comparison(self) -> Comparison | None:
        """None where none was declared, or no fault had an effect."""
        self.end()
        if self._asked is None or self._counting is None:
            return None
        self._counting.join(PATIENCE_SECONDS)
        silent = compare(
            Arm(self._treated, None, None), Arm(self._control, None, None), self._asked.most, 0.0
        )
        return self._found or silent

    def _count(self, seconds: float) -> None:
        assert self._asked is not None
        arms = [self._arm(pods, seconds) for pods in (self._treated, self._control)]
        self._found = compare(arms[0], arms[1], self._asked.most, round(seconds, 3))

    def _arm(self, pods: tuple[str, ...], seconds: float) -> Arm:
        assert self._asked is not None
        if not pods:
            return Arm(pods, None, None)
        bad, of = (self._told(query, pods, seconds) for query in (self._asked.bad, self._asked.all))
        return Arm(pods, bad, of)

    def _told(self, query: str, pods: tuple[str, ...], seconds: float) -> float | None:
        try:
            return self._value(filled(query, pods, seconds))
        except MaestroError:
            return None


def filled(query: str, pods: tuple[str, ...], seconds: float) -> str:
    """The query about these pods (names are DNS labels, `.` apart) and so many seconds, rounded up."""
    names = "|".join(re.escape(one).replace("\\-", "-").replace("\\", "\\\\") for one in pods)
    return query.replace(PODS, names).replace(WINDOW, f"{math.ceil(seconds)}s")
