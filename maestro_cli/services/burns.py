"""How the objectives of a context burn, asked once for all who look.

Invariant: whoever looks within FRESH_SECONDS of another gets what that one was told, so that several feeds
cost one. One objective that Prometheus cannot evaluate is told with why, and hides no other. A budget spans
weeks: it is asked for each BUDGET_SECONDS.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from maestro_cli.core.errors import InvalidQuery, MaestroError
from maestro_cli.slo.burning import Burning, burn_query, read_rates

if TYPE_CHECKING:
    from maestro_cli.changes.left import Left
    from maestro_cli.changes.ports import World
    from maestro_cli.core.clock import Clock
    from maestro_cli.slo.objectives import Objective

FRESH_SECONDS = 9.0  # a little less than the time between two looks of one feed
BUDGET_SECONDS = 60.0


class Burns:
    """Thread-safe; of those who ask at once one asks Prometheus, and the others wait for it."""

    def __init__(self, world: World, clock: Clock) -> None:
        self._world, self._clock = world, clock
        self._asking = threading.Lock()
        self._read: tuple[Burning, ...] = ()
        self._read_at: float | None = None
        self._failure: tuple[int, MaestroError | None] = 0, None  # how many there were, and the last one
        self._left: dict[str, tuple[float, Left]] = {}  # by objective, and when it was asked for

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
        left = self._budget(objective)
        rates = read_rates(answer.samples, objective)
        return Burning(objective, rates, left.share, window_seconds=left.seconds)

    def _budget(self, objective: Objective) -> Left:
        """What is left, as `slo budget` tells it."""
        now = self._clock.monotonic()
        known = self._left.get(objective.name)
        if known is None or now - known[0] >= BUDGET_SECONDS:
            self._left[objective.name] = known = (now, self._world.budget_left(objective))
        return known[1]
