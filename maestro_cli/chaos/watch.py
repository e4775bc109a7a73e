"""Watches an experiment while its faults are in force, and says when it has to end.

Invariant: it ends for a stop condition that is met, for a budget that burns away, and for not seeing: three
looks in a row without an answer are as good a reason as a bad one. Without traffic there is nothing to burn.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence

from maestro_cli.chaos.model import Guarded, Kind, Stop, StopCondition
from maestro_cli.chaos.verdict import Steady
from maestro_cli.core.errors import MaestroError, defect
from maestro_cli.slo.burn import burn_rate
from maestro_cli.slo.burning import ratio_query
from maestro_cli.slo.objectives import Objective

EVERY_SECONDS = 1.0
BLIND_AFTER = 3  # looks in a row
BURN_FACTOR = 14.4  # the page of a 30 day window: 2 % of the budget in an hour
LEAST_BAD = 10.0  # events; fewer are an accident
SPAN = "1m"


class Watch:
    """Looks until it is ended; `stop` is what it found, for whoever waits on `found`."""

    def __init__(
        self,
        guarded: Guarded,
        objectives: Sequence[Objective],
        value: Callable[[str], float | None],
        *,
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        self._guarded, self._objectives, self._value = guarded, objectives, value
        self._every = every_seconds
        self._blind: dict[str, int] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self.stop: Stop | None = None

    def begin(self) -> None:
        if not self._over.is_set() and (self._guarded.stop or self._objectives):
            threading.Thread(target=self._watch, daemon=True, name="watch").start()

    def end(self) -> None:
        self._over.set()

    def steady(self, seen: Steady) -> None:
        """A look at the steady state: misses are judged in the end, blindness ends it."""
        self._saw("the steady state", seen is not Steady.NO_DATA)

    def _watch(self) -> None:
        try:
            self._look_on()
        except Exception as error:  # noqa: BLE001 - a watch that ended sees nothing, whatever ended it
            self._found(Kind.BLIND, f"the watch itself failed: {defect(error)}")

    def _look_on(self) -> None:
        while not self._over.is_set():
            for condition in self._guarded.stop:
                self._condition(condition)
            for objective in self._objectives:
                self._burn(objective)
            self._over.wait(self._every)

    def _condition(self, condition: StopCondition) -> None:
        value, _ = self._asked(condition.query)
        self._saw(str(condition), value is not None)
        if value is not None and condition.is_met(value):
            bound = f"{condition.sign} {condition.bound:g}"
            self._found(Kind.CONDITION, f"{condition.query} is {value:g}, and stops it at {bound}")

    def _burn(self, objective: Objective) -> None:
        """By the share of bad events, and how many they are where they can be counted.

        An answer without a value is no traffic; no answer is blindness.
        """
        ratio, is_answered = self._asked(ratio_query(objective, SPAN))
        rate = burn_rate(ratio, objective)
        bad: float | None = math.inf
        if rate is not None and rate >= BURN_FACTOR and bad_query(objective):
            bad, is_answered = self._asked(bad_query(objective))
        self._saw(f"the burn of {objective.name}", is_answered)
        if rate is not None and rate >= BURN_FACTOR and bad is not None and bad >= LEAST_BAD:
            why = f"{objective.name} burns its budget at {rate:.1f} times its rate ({ratio:.1%} bad)"
            self._found(Kind.BURN, why)

    def _asked(self, query: str) -> tuple[float | None, bool]:
        """The value, and whether there was an answer at all."""
        try:
            return self._value(query), True
        except MaestroError:
            return None, False

    def _saw(self, what: str, seen: bool) -> None:
        with self._lock:
            self._blind[what] = 0 if seen else self._blind.get(what, 0) + 1
            is_blind = self._blind[what] >= BLIND_AFTER
        if is_blind:
            self._found(Kind.BLIND, f"{BLIND_AFTER} looks in a row told nothing: {what}")

    def _found(self, kind: Kind, why: str) -> None:
        with self._lock:
            if self.stop is None and not self._over.is_set():
                self.stop = Stop(kind, why)


def bad_query(objective: Objective) -> str:
    """PromQL for how many bad events there were in SPAN; "" where no counters tell."""
    counters = objective.counters
    if counters is None:
        return ""
    if counters.bad is not None:
        return f"sum(increase({counters.bad}[{SPAN}]))"
    return f"sum(increase({counters.total}[{SPAN}])) - sum(increase({counters.good}[{SPAN}]))"
