"""How one objective is kept: what was measured of it, how it burns, and what follows.

Invariant: one that could not be measured says why, and what is left of it is not known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from maestro_cli.core.errors import MaestroError
from maestro_cli.slo.burning import Burning
from maestro_cli.slo.measuring.distribution import Distribution
from maestro_cli.slo.measuring.model import Measured
from maestro_cli.slo.measuring.target import left_bounds
from maestro_cli.slo.objectives import Objective
from maestro_cli.slo.policy import Consequence, consequence_between


@dataclass(frozen=True, slots=True)
class Kept:
    """How one objective is kept. `measured` is None where it could not be; then `error` says why.

    `distribution` is how long events took, where that was asked for, and a histogram tells.
    """

    objective: Objective
    measured: Measured | None
    burning: Burning | None
    error: MaestroError | None = None
    distribution: Distribution | None = None

    @property
    def promise(self) -> str:
        """Said in time of the window that was measured."""
        return self.objective.echo if self.measured is None else self.measured.promise

    @property
    def left(self) -> float | None:
        return self.measured.budget_left if self.measured is not None else None

    @property
    def seen_left(self) -> float | None:
        """What is left where gaps count for nothing: all of it where it was watched, and nothing happened."""
        return 1.0 if self.measured is not None and self.measured.is_idle else self.left

    @property
    def left_bounds(self) -> tuple[float, float] | None:
        return left_bounds(self.measured) if self.measured is not None else None

    def with_burn(self, burning: Burning) -> Kept:
        """The same with how it burns by a later look; what is left, and of which window, stays."""
        window = burning.window_seconds if self.burning is None else self.burning.window_seconds
        return replace(self, burning=replace(burning, window_seconds=window))

    @property
    def burning_of_left(self) -> Burning | None:
        """How it burns, of what was measured to be left: so that what is told of both never differs."""
        if self.burning is None:
            return None
        at_most = None if self.left_bounds is None else self.left_bounds[1]
        is_between = self.measured is not None and bool(self.measured.no_bucket) and (at_most or 0.0) > 0
        left = None if is_between else self.left  # one end of a bracket is no budget that is spent
        return replace(self.burning, left=left, left_at_most=at_most)

    @property
    def has_budget(self) -> bool:
        """Whether there is an error budget to spend: what drills and incidents measure has none."""
        return self.objective.is_of_metrics

    @property
    def consequence(self) -> Consequence:
        """What follows from what is left at least."""
        return consequence_between(*(self.left_bounds or (self.left, self.left)))
