"""How the objectives of a context burn, asked once for all who look.

Invariant: whoever looks within FRESH_SECONDS of another gets what that one was told, so that several feeds
cost one. One objective that Prometheus cannot evaluate is told with why, and hides no other. What is left of
a budget, which spans weeks, is never waited for: the rates are told before, and an old figure with its age.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from maestro_cli.core.errors import InvalidQuery, MaestroError
from maestro_cli.slo.burning import Burning, burn_query, read_rates, unanswered

if TYPE_CHECKING:
    from maestro_cli.changes.ports import World
    from maestro_cli.core.clock import Clock
    from maestro_cli.services.standing import Standing
    from maestro_cli.slo.objectives import Objective

FRESH_SECONDS = 9.0  # a little less than the time between two looks of one feed
OLD_SECONDS = 120.0  # what is older shows its age: twice what a figure is good for


class Burns:
    """Thread-safe; of those who ask at once one asks Prometheus, and the others wait for it."""

    def __init__(self, world: World, standing: Standing, clock: Clock) -> None:
        self._world, self._standing, self._clock = world, standing, clock
        self._asking = threading.Lock()
        self._read: tuple[Burning, ...] = ()
        self._read_at: float | None = None
        self._failure: tuple[int, MaestroError | None] = 0, None  # how many there were, and the last one

    def read(self) -> tuple[Burning, ...]:
        """Every objective that metrics tell; raises Unreachable and Refused of Prometheus.

        Who waited while it failed is told the same, and asks no dead Prometheus again.
        """
        before, _ = self._failure
        with self._asking:
            now = self._clock.monotonic()
            if self._read_at is not None and now - self._read_at < FRESH_SECONDS:
                return self._read
            failures, error = self._failure
            if error is not None and failures > before:
                raise error
            try:
                watched = [one for one in self._world.objectives.values() if one.is_watched]
                self._read = tuple(self._burning(one) for one in watched)
            except MaestroError as problem:
                self._failure = failures + 1, problem
                raise
            self._read_at = self._clock.monotonic()
            return self._read

    def _burning(self, objective: Objective) -> Burning:
        try:
            answer = self._world.metrics.query(burn_query(objective))
        except InvalidQuery as error:
            return Burning(objective, {}, None, why=f"{error.what}: {error.why}".rstrip(": "))
        left, age = self._standing.last(objective)
        if left is not None and left.is_untold:
            return Burning(objective, {}, None, why=left.why)
        share, seconds, most = (None,) * 3 if left is None else (left.share, left.seconds, left.high)
        is_told = share is not None
        missing = unanswered(answer.samples, objective, is_told=is_told)
        return Burning(
            objective,
            read_rates(answer.samples, objective, is_told=is_told),
            share,
            why=(left.no_bucket if left is not None and missing else "") or missing,
            window_seconds=seconds,
            left_age_seconds=age if age >= OLD_SECONDS else None,
            left_at_most=most,
        )
