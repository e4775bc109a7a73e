"""Counts both arms while a fault is in force, by the queries that an experiment declares.

Invariant: asked in a thread of its own, each second for whoever watches, and once when the fault is about to
be taken back, which is what is judged: no undo waits for it.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Iterator, Sequence

from maestro_cli.chaos.arms import Arm, Comparison, compare
from maestro_cli.chaos.guard.check import Proposal
from maestro_cli.chaos.model import Candidate
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import MaestroError

PODS, WINDOW = "$PODS", "$WINDOW"
EVERY_SECONDS = 1.0
PATIENCE_SECONDS = 10.0  # for the answers


class Measuring:
    """`begin` when a fault has its effect, `end` when it is taken back, `comparison` at the run's end."""

    def __init__(self, proposal: Proposal, value: Callable[[str], float | None], clock: Clock) -> None:
        guarded = proposal.experiment.guarded
        self._asked = guarded.arms if guarded is not None else None
        self._value, self._clock = value, clock
        treated = {name for one in proposal.chosen for name in _pods_of(one.targets)}
        left = {name for one in proposal.chosen for name in _pods_of(one.control)}
        self._treated, self._control = tuple(sorted(treated)), tuple(sorted(left - treated))
        self._lock, self._over = threading.Lock(), threading.Event()
        self._since: float | None = None
        self._seconds: float | None = None  # from the begin to the end
        self._counting: threading.Thread | None = None
        self._found: Comparison | None = None
        self._so_far: Comparison | None = None

    @property
    def so_far(self) -> str:
        """Both arms by the last look at them, in words; "" before there was one."""
        found = self._so_far
        return "" if found is None else f"treated {found.treated.counts}; left alone {found.control.counts}"

    def begin(self) -> None:
        with self._lock:
            if self._asked is not None and self._since is None:
                self._since = self._clock.monotonic()
                self._counting = threading.Thread(target=self._follow, daemon=True, name="arms")
                self._counting.start()

    def end(self) -> None:
        with self._lock:
            if self._since is not None and self._seconds is None:
                self._seconds = self._spent(self._since)
                self._over.set()

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

    def _follow(self) -> None:
        assert self._since is not None
        while not self._over.wait(EVERY_SECONDS):
            self._so_far = self._count(self._spent(self._since))
        assert self._seconds is not None  # the end is told after it is known
        self._found = self._so_far = self._count(self._seconds)

    def _spent(self, since: float) -> float:
        return max(1.0, self._clock.monotonic() - since)

    def _count(self, seconds: float) -> Comparison:
        assert self._asked is not None
        arms = [self._arm(pods, seconds) for pods in (self._treated, self._control)]
        return compare(arms[0], arms[1], self._asked.most, round(seconds, 3))

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


def _pods_of(candidates: Sequence[Candidate]) -> Iterator[str]:
    """Those that are pods, and those of the target rule that a node or a zone runs."""
    for one in candidates:
        yield from (ref.name for ref in (one.ref, *one.parts) if ref.kind == "Pod")


def filled(query: str, pods: tuple[str, ...], seconds: float) -> str:
    """The query about these pods (names are DNS labels, `.` apart) and so many seconds, rounded up."""
    names = "|".join(re.escape(one).replace("\\-", "-").replace("\\", "\\\\") for one in pods)
    return query.replace(PODS, names).replace(WINDOW, f"{math.ceil(seconds)}s")
