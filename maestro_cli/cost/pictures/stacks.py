"""What things cost by hour, day or week, of what they cost in each hour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from maestro_cli.cost.metering.model import HOUR, Hours, Matrix

_STEPS = (HOUR, timedelta(days=1), timedelta(weeks=1))
_MONDAY = timedelta(days=4)  # from the first day of 1970, a Thursday


@dataclass(frozen=True, slots=True)
class Bin:
    """From `start` so many hours, fewer at the ends of the window; one amount a row.

    `coverage` is the share of it that was measured; where it is 0, amounts say nothing. `seen_hours` are
    those of which anything was measured.
    """

    start: datetime
    hours: int
    coverage: float
    amounts: tuple[float, ...]
    seen_hours: int

    @property
    def total(self) -> float:
        return sum(self.amounts)


@dataclass(frozen=True, slots=True)
class Stacks:
    """Bins of `step`, that of the last ones included; days and weeks are those of UTC, weeks from Monday."""

    step: timedelta
    bins: tuple[Bin, ...]

    @property
    def word(self) -> str:
        return {1: "hour", 24: "day"}.get(self.step // HOUR, "week")


def stacks(hours: Hours, costs: Matrix, coverage: Matrix, most: int = 62) -> Stacks:
    """`costs`: one row a thing, one column an hour; in the shortest step that makes at most `most` bins."""
    for step in _STEPS[:-1]:
        found = tuple(_bins(hours, costs, coverage, step))
        if len(found) <= most:
            return Stacks(step, found)
    return Stacks(_STEPS[-1], tuple(_bins(hours, costs, coverage, _STEPS[-1])))


def _bins(hours: Hours, costs: Matrix, coverage: Matrix, step: timedelta) -> Iterator[Bin]:
    first = 0
    while first < hours.count:
        at = hours.beginning(first)
        end = min(first + (_floor(at, step) + step - at) // HOUR, hours.count)
        amounts = tuple(float(one) for one in costs[:, first:end].sum(axis=1))
        measured = coverage[first:end]
        yield Bin(at, end - first, float(measured.mean()), amounts, int((measured > 0).sum()))
        first = end


def _floor(at: datetime, step: timedelta) -> datetime:
    epoch = datetime.fromtimestamp(0, at.tzinfo)
    shift = _MONDAY if step == _STEPS[-1] else timedelta(0)
    return at - (at - epoch - shift) % step
