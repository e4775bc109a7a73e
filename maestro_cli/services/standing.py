"""What is left of an error budget, for whoever asks: rules of a policy, previews of changes, the console.

Invariant: the figure, its window and its bounds are those of `slo budget`, read the same way by all, and read
once for all who ask within FRESH_SECONDS: a budget spans weeks. Why nothing is known is soon asked again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maestro_cli.changes.left import Left
from maestro_cli.core.errors import MaestroError
from maestro_cli.slo.measuring.keeping import KeptInMemory
from maestro_cli.slo.measuring.measure import Outside, measure, span_of
from maestro_cli.slo.measuring.target import left_bounds
from maestro_cli.sources.deadline import started

if TYPE_CHECKING:
    from datetime import datetime

    from maestro_cli.core.clock import Clock
    from maestro_cli.services.changing import ChangeServices
    from maestro_cli.slo.objectives import Objective

FRESH_SECONDS = 60.0
UNKNOWN_SECONDS = 10.0  # as long as nothing is known is believed


def budget_left(
    services: ChangeServices,
    objective: Objective,
    memory: KeptInMemory | None = None,
    *,
    at: datetime | None = None,
) -> Left:
    """By what was seen, and at least and at most by what was not; None with why where nothing is known.

    `memory` keeps what was measured of days that are over where it cannot be kept on disk. `at` is when the
    window ends, by default now.
    """
    from maestro_cli.services.measuring import MeasureWanted, store_of

    if not objective.is_of_metrics:
        return Left(None, "no metric tells it: drills and incidents do")
    now = at or services.clock.now()
    try:
        source = services.raw_prometheus
        zones = [objective.calendar.zone] if objective.calendar is not None else []
        store = store_of(services, MeasureWanted(), source, zones, memory)
        measured = measure(objective, span_of(objective, now), Outside(source, now, store, at=now))
    except MaestroError as error:
        return Left(None, error.what)
    bounds = left_bounds(measured)
    if bounds is None or measured.budget_left is None:
        return Left(
            None, measured.judgement.reason, is_untold=measured.is_untold, is_idle=measured.is_idle,
            no_bucket=measured.no_bucket, coverage=measured.coverage,
        )  # fmt: skip
    why = "" if bounds[0] == bounds[1] else f"{measured.coverage:.1%} of its window was seen"
    return Left(
        measured.budget_left, why, *bounds, measured.span.label, measured.span.seconds,
        no_bucket=measured.no_bucket, coverage=measured.coverage,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """What is left of one objective, and when that was found, in seconds of a clock that never jumps."""

    objective: Objective
    left: Left
    at: float


_Key = tuple[str, float, bool]


def _key(objective: Objective) -> _Key:
    """One may be asked for over several windows."""
    return objective.name, objective.window_seconds, objective.calendar is None


class Standing:
    """What is left of each objective. Thread-safe: of those who ask at once one measures, the others wait."""

    def __init__(
        self,
        find: Callable[[Objective], Left],
        clock: Clock,
        start: Callable[[Callable[[], None]], object] = started,
    ) -> None:
        self._find, self._clock, self._start = find, clock, start
        self._lock = threading.Lock()  # of what follows; held over no measuring
        self._told: dict[_Key, Told] = {}
        self._finding: dict[_Key, threading.Lock] = {}
        self._wanted: dict[_Key, Objective] = {}  # to be found in the background, the first first
        self._is_at_work = False

    def left(self, objective: Objective) -> Left:
        """What is left now; waits until it was measured."""
        with self._lock:
            finding = self._finding.setdefault(_key(objective), threading.Lock())
        with finding:
            told = self._known(objective)
            if told is None or not self._is_fresh(told):
                told = Told(objective, self._find(objective), self._clock.monotonic())
                self._told[_key(objective)] = told
            return told.left

    def last(self, objective: Objective) -> tuple[Left | None, float]:
        """What was left when it was last measured, and the age of that in seconds; waits for nothing.

        None where nothing was measured yet. What is no longer fresh is measured anew in the background.
        """
        told = self._known(objective)
        if told is None or not self._is_fresh(told):
            self._want(objective)
            told = self._known(objective)
        return (None, 0.0) if told is None else (told.left, self._clock.monotonic() - told.at)

    def _known(self, objective: Objective) -> Told | None:
        told = self._told.get(_key(objective))
        return told if told is not None and told.objective == objective else None

    def _is_fresh(self, told: Told) -> bool:
        limit = UNKNOWN_SECONDS if told.left.share is None else FRESH_SECONDS
        return self._clock.monotonic() - told.at < limit

    def _want(self, objective: Objective) -> None:
        with self._lock:
            self._wanted.setdefault(_key(objective), objective)
            if self._is_at_work:
                return
            self._is_at_work = True
        self._start(self._work)

    def _work(self) -> None:
        """Find what is wanted, one after the other: who looks all day is not to load a Prometheus."""
        while (objective := self._next()) is not None:
            try:
                self.left(objective)
            except BaseException:
                self._is_at_work = False  # the next who looks begins again
                raise
            finally:
                with self._lock:
                    self._wanted.pop(_key(objective), None)

    def _next(self) -> Objective | None:
        with self._lock:
            found = next(iter(self._wanted.values()), None)
            self._is_at_work = found is not None
            return found
