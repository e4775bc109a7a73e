"""Watches an experiment while its faults are in force, and says when it has to end.

Invariant: it ends for a stop condition that is met, for a budget that burns away, and for not seeing: three
looks in a row without an answer are as good a reason as a bad one, and so is waiting as long for one. A look
that began before the end counts. Without traffic there is nothing to burn.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from maestro_cli.chaos.model import Guarded, Kind, Stop, StopCondition, Watched
from maestro_cli.chaos.verdict import Steady
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import MaestroError, defect
from maestro_cli.slo.burn import burn_rate
from maestro_cli.slo.burning import ratio_query
from maestro_cli.slo.objectives import Objective

EVERY_SECONDS = 1.0
LATE_SECONDS = 2.0  # what a look may take beyond the time of the next one
LAST_SECONDS = 10.0  # for what was asked before the end
BLIND_AFTER = 3  # looks in a row
BURN_FACTOR = 14.4  # the page of a 30 day window: 2 % of the budget in an hour
LEAST_BAD = 10.0  # events; fewer are an accident
SPAN = "1m"
STEADY = "the steady state"


@dataclass
class _Eye:
    """One thing that is looked at, and what became of the looks; those `in force` are for the verdict."""

    what: str
    look: Callable[[], bool]  # whether there was an answer
    began: float | None = None  # the look that is under way, by the monotonic clock
    in_force: bool = False  # whether that one is
    owed: bool = False  # one that is
    is_first: bool = True
    unanswered: int = 0  # in a row, of all
    answers: int = 0
    gaps: int = 0
    tail: int = 0

    @property
    def watched(self) -> Watched:
        """With the look that is under way as one that was not answered."""
        more = self.in_force or self.owed
        return Watched(self.what, self.answers, self.gaps + more, self.tail + more)


class Watch:
    """Looks until it is ended; `stop` is what it found."""

    def __init__(
        self,
        guarded: Guarded,
        objectives: Sequence[Objective],
        value: Callable[[str], float | None],
        clock: Clock,
        *,
        elsewhere: Callable[[str], float | None] | None = None,
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        """`value` gives the one value of a query, `elsewhere` that in the region that takes over."""
        self._elsewhere = elsewhere or value
        self._value, self._clock, self._every = value, clock, every_seconds
        self._patience = every_seconds + LATE_SECONDS
        self._changed = threading.Condition()  # of all that follows
        self._eyes = [
            *(_Eye(str(one), lambda one=one: self._condition(one)) for one in guarded.stop),  # type: ignore[misc]
            *(_Eye(f"the burn of {one.name}", lambda one=one: self._burn(one)) for one in objectives),  # type: ignore[misc]
        ]
        self._looking = 0
        self._is_in_force, self._is_over = False, False
        self._steady_unanswered = 0
        self._steady_at: float | None = None  # when a look at it was told, or had to be
        self._steady_seconds = math.inf
        self.stop: Stop | None = None

    def begin(self, steady_seconds: float | None = None) -> None:
        """With the method; `steady_seconds` is how long a look at the steady state may take, at which another
        looks.
        """
        with self._changed:
            if self._is_over:
                return
            self._steady_at, self._steady_seconds = self._clock.monotonic(), steady_seconds or math.inf
            self._looking = len(self._eyes)
        for eye in self._eyes:
            threading.Thread(target=self._watch, args=(eye,), daemon=True, name="watch").start()

    def in_force(self) -> None:
        """A fault has its effect: everything is looked at now, and for the verdict."""
        with self._changed:
            self._is_in_force = True
            for eye in self._eyes:
                eye.owed = True
            self._changed.notify_all()

    def taken_back(self) -> None:
        """Nothing is in force any more."""
        with self._changed:
            self._is_in_force = False

    def end(self) -> None:
        """No look begins after this."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def concluded(self) -> tuple[Watched, ...]:
        """After `end`: what was seen while faults were in force, once all looks are done, or it takes too
        long.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._looking, LAST_SECONDS)
            return tuple(eye.watched for eye in self._eyes)

    def steady(self, seen: Steady) -> None:
        """A look at the steady state: misses are judged in the end, blindness ends it."""
        with self._changed:
            if self._is_over:
                return
            self._steady_at = self._clock.monotonic()
            self._steady_unanswered = self._steady_unanswered + 1 if seen is Steady.NO_DATA else 0
            if self._steady_unanswered >= BLIND_AFTER:
                self._blind(STEADY)

    def notice_silence(self) -> None:
        """Called all the while: three times as long as a look may take is three looks without an answer."""
        now = self._clock.monotonic()
        with self._changed:
            if self._is_over:
                return
            for eye in self._eyes:
                late = 0 if eye.began is None else int((now - eye.began) / self._patience)
                if eye.unanswered + late >= BLIND_AFTER:
                    self._blind(eye.what)
            if self._steady_at is not None and now - self._steady_at > BLIND_AFTER * self._steady_seconds:
                self._found(Kind.BLIND, f"nobody looked at {STEADY} for {now - self._steady_at:.0f} s")

    def _watch(self, eye: _Eye) -> None:
        try:
            while self._is_due(eye):
                self._looked(eye, eye.look())
        except Exception as error:  # noqa: BLE001 - a watch that ended sees nothing, whatever ended it
            self._found(Kind.BLIND, f"the watch itself failed: {defect(error)}")
        finally:
            with self._changed:
                self._looking -= 1
                self._changed.notify_all()

    def _is_due(self, eye: _Eye) -> bool:
        """Wait for the time of its next look, and begin it; False after the end."""
        with self._changed:
            if not eye.is_first:
                self._changed.wait_for(lambda: self._is_over or eye.owed, self._every)
            if self._is_over and not eye.owed:
                return False
            eye.began, eye.is_first = self._clock.monotonic(), False
            eye.in_force, eye.owed = self._is_in_force or eye.owed, False
            return True

    def _looked(self, eye: _Eye, is_answered: bool) -> None:
        """What is answered too late tells nothing of the time in between."""
        with self._changed:
            began = eye.began or 0.0
            is_answered = is_answered and self._clock.monotonic() - began <= self._patience
            eye.unanswered = 0 if is_answered else eye.unanswered + 1
            if eye.in_force:
                eye.answers += is_answered
                eye.gaps += not is_answered
                eye.tail = 0 if is_answered else eye.tail + 1
            eye.began, eye.in_force = None, False
            if eye.unanswered >= BLIND_AFTER:
                self._blind(eye.what)

    def _condition(self, condition: StopCondition) -> bool:
        value, _ = self._asked(condition.query, self._elsewhere if condition.elsewhere else self._value)
        if value is not None and condition.is_met(value):
            bound = f"{condition.sign} {condition.bound:g}"
            self._found(Kind.CONDITION, f"{condition.query} is {value:g}, and stops it at {bound}")
        return value is not None

    def _burn(self, objective: Objective) -> bool:
        """By the share of bad events, and how many they are where they can be counted.

        An answer without a value is no traffic; no answer is blindness.
        """
        ratio, is_answered = self._asked(ratio_query(objective, SPAN))
        rate = burn_rate(ratio, objective)
        bad: float | None = math.inf
        if rate is not None and rate >= BURN_FACTOR and bad_query(objective):
            bad, is_answered = self._asked(bad_query(objective))
        if rate is not None and rate >= BURN_FACTOR and bad is not None and bad >= LEAST_BAD:
            why = f"{objective.name} burns its budget at {rate:.1f} times its rate ({ratio:.1%} bad)"
            self._found(Kind.BURN, why)
        return is_answered

    def _asked(
        self, query: str, value: Callable[[str], float | None] | None = None
    ) -> tuple[float | None, bool]:
        """The value, and whether there was an answer at all."""
        try:
            return (value or self._value)(query), True
        except MaestroError:
            return None, False

    def _blind(self, what: str) -> None:
        self._found(Kind.BLIND, f"{BLIND_AFTER} looks in a row told nothing: {what}")

    def _found(self, kind: Kind, why: str) -> None:
        """The first thing alone."""
        with self._changed:
            if self.stop is None:
                self.stop = Stop(kind, why)


def bad_query(objective: Objective) -> str:
    """PromQL for how many bad events there were in SPAN; "" where no counters tell."""
    counters = objective.counters
    if counters is None:
        return ""
    if counters.bad is not None:
        return f"sum(increase({counters.bad}[{SPAN}]))"
    return f"sum(increase({counters.total}[{SPAN}])) - sum(increase({counters.good}[{SPAN}]))"
