"""What PromQL would answer at equal steps, from samples as they were scraped.

`rate(x[step])` and `x` at every step of a subquery `[history:step]`, number for number. One pass over a
series here takes a tenth of what Prometheus needs for the four subqueries of a container.
Source: prometheus promql/engine.go (subqueries begin at whole steps; look-back of 5 minutes),
promql/functions.go (extrapolatedRate), promql/quantile.go.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from maestro_cli.cost.rightsizing.model import Vector

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Times: TypeAlias = "NDArray[np.int64]"

LOOKBACK_MS = 300_000
_NEAR = 1.1  # of the mean distance of samples: so near to its end a series is taken to go on


@dataclass(frozen=True, slots=True)
class Engine:
    """What PromQL means to a version of Prometheus.

    `is_closed`: a window counts a sample at its very beginning in, before 3.0. `is_zero_first`: whether a
    series began in a window is told by where it would have been zero, too, and not by its first sample alone,
    before 2.51.
    """

    is_closed: bool = False
    is_zero_first: bool = False


NEWEST = Engine()


def engine_of(version: str) -> Engine:
    """What is no version, as of a system that is compatible, is the newest."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    which = (int(found[1]), int(found[2])) if found and int(found[1]) else (3, 0)
    return Engine(is_closed=which < (3, 0), is_zero_first=which < (2, 51))


@dataclass(frozen=True)
class Grid:
    """Instants in milliseconds: the whole steps of a range that ends at one instant."""

    end_ms: int
    range_ms: int
    step_ms: int
    engine: Engine = NEWEST

    @cached_property
    def first_ms(self) -> int:
        begin = self.end_ms - self.range_ms
        first = -(-begin // self.step_ms) * self.step_ms
        return first if self.engine.is_closed or first > begin else first + self.step_ms

    @cached_property
    def count(self) -> int:
        return max(0, (self.end_ms - self.first_ms) // self.step_ms + 1)

    @cached_property
    def instants(self) -> Times:
        import numpy as np

        return self.first_ms + self.step_ms * np.arange(self.count, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Placed:
    """Samples of one series on a grid.

    `until` is how many of them are before each instant or at it, and one more instant before the first;
    `before` leaves those at it out.
    """

    grid: Grid
    times: Times
    values: Vector
    until: Times
    before: Times


def placed_on(grid: Grid, times: Times, values: Vector) -> Placed:
    """Find the samples' places, once for all that is asked of the grid."""
    since = times - (grid.first_ms - grid.step_ms)
    steps = since // grid.step_ms
    is_at = steps * grid.step_ms == since
    until = _counted(grid, steps + 1 - is_at)
    return Placed(grid, times, values, until, _counted(grid, steps + 1) if is_at.any() else until)


def _counted(grid: Grid, bins: Times) -> Times:
    import numpy as np

    bins = np.minimum(np.maximum(bins, 0), grid.count + 1)
    return np.cumsum(np.bincount(bins, minlength=grid.count + 2))[: grid.count + 1]


def rates_on(placed: Placed) -> Vector:
    """`rate(x[step])` at each instant, a second; NaN where fewer than two samples are in the step."""
    import numpy as np

    grid, times, values = placed.grid, placed.times, placed.values
    found = np.full(grid.count, np.nan)
    begins = placed.before if grid.engine.is_closed else placed.until
    first, last = begins[:-1], placed.until[1:] - 1
    at = np.flatnonzero(last > first)
    if not len(at):
        return found
    first, last, instants = first[at], last[at], grid.instants[at]
    risen = values[last] - values[first]
    is_less = values[1:] < values[:-1]
    if is_less.any():  # a counter began anew
        so_far = np.concatenate(([0.0], np.cumsum(np.where(is_less, values[:-1], 0.0))))
        risen = risen + (so_far[last] - so_far[first])
    to_start = (times[first] - (instants - grid.step_ms)) / 1000
    to_end = (instants - times[last]) / 1000
    sampled = (times[last] - times[first]) / 1000
    mean = sampled / (last - first)
    reach = _extrapolated(grid.engine, to_start, to_end, sampled, mean, values[first], risen)
    found[at] = risen * (reach / sampled / (grid.step_ms / 1000))
    return found


def latest_on(placed: Placed) -> Vector:
    """`x` at each instant: its latest sample of the five minutes before; NaN where there is none.

    Of a target that went, PromQL knows by its mark for that and looks back no further: it has up to four
    instants less of 75 s.
    """
    import numpy as np

    grid, last = placed.grid, placed.until[1:] - 1
    oldest = grid.instants - LOOKBACK_MS
    at = np.maximum(last, 0)
    seen = placed.times[at]
    is_there = (last >= 0) & ((seen >= oldest) if grid.engine.is_closed else (seen > oldest))
    return np.where(is_there, placed.values[at], np.nan)


def quantile_of(values: Vector, share: float) -> float:
    """`quantile_over_time` of the numbers among them; NaN when there are none."""
    import numpy as np

    known = values[~np.isnan(values)]
    if not len(known):
        return math.nan
    rank = share * (len(known) - 1)
    low = max(0, math.floor(rank))
    high = min(len(known) - 1, low + 1)
    sides = np.partition(known, (low, high))
    weight = rank - math.floor(rank)
    return float(sides[low] * (1 - weight) + sides[high] * weight)


def _extrapolated(
    engine: Engine,
    to_start: Vector,
    to_end: Vector,
    sampled: Vector,
    mean: Vector,
    first: Vector,
    risen: Vector,
) -> Vector:
    """The seconds that the rise is taken to stand for: to both ends of the step, and not below zero."""
    import numpy as np

    near = mean * _NEAR
    with np.errstate(divide="ignore", invalid="ignore"):
        to_zero = np.where((risen > 0) & (first >= 0), sampled * (first / risen), np.inf)
    if engine.is_zero_first:
        to_start = np.minimum(to_start, to_zero)
        to_start = np.where(to_start < near, to_start, mean / 2)
    else:
        to_start = np.minimum(np.where(to_start < near, to_start, mean / 2), to_zero)
    found: Vector = sampled + to_start + np.where(to_end < near, to_end, mean / 2)
    return found
