"""From counts to a ratio: by events, by slices of time, or by the mean of slices.

Invariant: the bounds hold the ratio. What was not seen is all bad in the low one and all good in the high
one; without events there is no ratio.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress

from maestro_cli.slo.measuring.adding import add_up, numbers
from maestro_cli.slo.measuring.counts import Counts
from maestro_cli.slo.measuring.doubts import Doubt
from maestro_cli.slo.measuring.model import Bounds, Measured, Minutes
from maestro_cli.slo.measuring.window import MINUTE
from maestro_cli.slo.objectives import Method, Objective, Slices

ROUNDING = 1e-12  # of a ratio: what adding up may be off; far less than one event
_MINUTE_SLICES = Slices(MINUTE, 1.0)  # of who says nothing of slices
CLAMPED = 1.001  # a ratio up to here is 1: two counters are not read at the same instant


@dataclass(frozen=True, slots=True)
class Ratio:
    """`good` and `total` are events; `value`, `bounds` by the method. `slices` is how many were judged."""

    value: float | None
    bounds: Bounds | None
    good: float
    total: float
    minutes: int
    covered_minutes: int
    slices: int = 0
    idle_slices: int = 0
    is_clamped: bool = False
    is_impossible: bool = False  # more good events than events

    @property
    def coverage(self) -> float:
        return self.covered_minutes / self.minutes if self.minutes else 0.0


@dataclass(frozen=True, slots=True)
class Cut:
    """Good and all events that are counted in a stretch by a guess, and the most that may have been in it."""

    good: float = 0.0
    total: float = 0.0
    most_good: float = 0.0
    most_bad: float = 0.0


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts with the meaning of what is counted, less what is excluded (0 in `kept`, a byte a minute)."""

    counts: Counts
    counts_bad: bool
    kept: bytes | None = None

    def both_in(self, first: int, end: int) -> tuple[float, float]:
        """Good and all events."""
        counted, total = self._sum(self.counts.counted, first, end), self._sum(self.counts.total, first, end)
        return (total - counted if self.counts_bad else counted), total

    def loose_in(self, first: int, end: int) -> tuple[float, float]:
        """Good and all events of the sums that are no more than a guess where they belong."""
        loose = self.counts.loose
        found = [loose[index] for index in self._among(loose, first, end)]
        counted, total = math.fsum(pair[0] for pair in found), math.fsum(pair[1] for pair in found)
        return (total - counted if self.counts_bad else counted), total

    def unknown_in(self, first: int, end: int) -> float:
        unknown = self.counts.unknown
        return math.fsum(unknown[index] for index in self._among(unknown, first, end))

    def doubt_in(self, first: int, end: int) -> Doubt:
        """What counters may have gone up, or not."""
        doubts, found = self.counts.doubts, Doubt()
        for index in self._among(doubts, first, end):
            found += doubts[index]
        return found.matched()

    def cut_in(self, first: int, end: int) -> Cut:
        """What bridges put into the stretch that are neither all in it nor all out of it."""
        loose, kept = self.counts.loose, self.kept
        found = Cut()
        for bridge in self.counts.bridges:
            low, high = max(bridge.first, first), min(bridge.end, end)
            inside = self.minutes_in(low, high) if low < high else 0
            if inside in (0, bridge.end - bridge.first):
                continue
            here = sum(
                low <= index < high and index not in loose and (kept is None or kept[index] == 1)
                for index in bridge.placed
            )
            share = here / len(bridge.placed)
            apart = bridge.total - bridge.counted
            good, bad = (apart, bridge.counted) if self.counts_bad else (bridge.counted, apart)
            found = Cut(
                found.good + share * good,
                found.total + share * bridge.total,
                found.most_good + max(good, 0.0),
                found.most_bad + max(bad, 0.0),
            )
        return found

    def minutes_in(self, first: int, end: int) -> int:
        return end - first if self.kept is None else self.kept.count(1, first, end)

    def covered_in(self, first: int, end: int) -> int:
        covered = self.counts.covered
        if self.kept is None:
            return covered.count(1, first, end)
        return sum(compress(covered[first:end], self.kept[first:end]))

    def _sum(self, values: Sequence[float], first: int, end: int) -> float:
        part = values if end - first == len(values) else values[first:end]
        return add_up(part, None if self.kept is None else self.kept[first:end])

    def _among(self, minutes: Mapping[int, object], first: int, end: int) -> Iterator[int]:
        """Those of the minutes, of which there are few or many, that are in the stretch and count."""
        shorter = range(first, end) if end - first < len(minutes) else minutes
        for index in shorter:
            if first <= index < end and index in minutes and (self.kept is None or self.kept[index]):
                yield index

    def bounds_of(self, good: float, total: float, first: int, end: int) -> Bounds | None:
        """By what was counted in the stretch; None without anything that happened or may have."""
        loose, unknown = self.loose_in(first, end), self.unknown_in(first, end)
        cut, doubt = self.cut_in(first, end), self.doubt_in(first, end)
        good, total = good - loose[0] - cut.good, total - loose[1] - cut.total + unknown
        alike = doubt.both - doubt.less_total  # where as much as possible of the counted happened
        if self.counts_bad:
            worst_good, worst = good - doubt.more_counted - doubt.less_total, total + alike
            best_good, best = good + doubt.more_total + doubt.less_counted, total + doubt.more_total
        else:
            worst_good, worst = good - doubt.less_counted, total + doubt.more_total
            best_good, best = good + doubt.both + doubt.more_counted, total + alike
        worst, best = worst + cut.most_bad, best + cut.most_good
        if max(worst, best) <= 0:
            return None
        low = worst_good / worst if worst > 0 else 1.0
        high = (best_good + unknown + cut.most_good) / best if best > 0 else 1.0
        return Bounds(min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0))


def ratio_of(tally: Tally, method: Method, slices: Slices | None) -> Ratio:
    """By the method; `slices` is how long one is and when it is good, a minute of 100 % where it is None."""
    end = tally.counts.minutes
    good, total = tally.both_in(0, end)
    value = good / total if total > 0 else None
    bounds = tally.bounds_of(good, total, 0, end)
    judged = idle = 0
    if method is not Method.OCCURRENCES:
        value, bounds, judged, idle = _by_slices(tally, method, slices or _MINUTE_SLICES)
    is_impossible = value is not None and not 0 <= value <= CLAMPED
    is_clamped = value is not None and not is_impossible and value > 1
    return Ratio(
        min(value, 1.0) if value is not None else None,
        None if is_impossible else bounds,
        good,
        total,
        tally.minutes_in(0, end),
        tally.covered_in(0, end),
        judged,
        idle,
        is_clamped,
        is_impossible,
    )


def budget_minutes(measured: Measured) -> Minutes | None:
    """The minutes in what the budget is of: events, or slices, each of which is one, spread over its minutes.

    A slice without events is none. None where there are no minutes.
    """
    minutes, objective = measured.minutes, measured.objective
    if minutes is None or objective.method is Method.OCCURRENCES:
        return minutes
    slices = objective.slices or _MINUTE_SLICES
    length, end = _minutes_of(slices), len(minutes.total)
    good, total = array("d", bytes(8 * end)), array("d", bytes(8 * end))
    places = [(first, min(first + length, end)) for first in range(0, end, length)]
    for (first, last), (of_good, of_all) in zip(places, minutes.both_in_each(places), strict=True):
        if of_all <= 0:
            continue
        share = of_good / of_all
        if objective.method is Method.TIMESLICES:
            (share,) = _judged([share], slices.target)
        for index in range(first, last):
            good[index], total[index] = share / (last - first), 1 / (last - first)
    return Minutes(minutes.start, good, total, minutes.covered, blind=minutes.blind)


def minute_target(objective: Objective) -> float:
    """The share of good events from which on a minute is not a bad one: of a good slice, or the target."""
    if objective.method is Method.TIMESLICES and objective.slices is not None:
        return objective.slices.target
    return objective.target


def count_bad_minutes(objective: Objective, minutes: Minutes, kept: bytes | None = None) -> int:
    """How many minutes had a share of good events under the `minute_target`, of those with events.

    `kept` has 0 for a minute that does not count.
    """
    import numpy as np

    counted, total = numbers(minutes.counted), numbers(minutes.total)
    bad = counted if minutes.counts_bad else total - counted
    found = bad > total * (1 - minute_target(objective) + ROUNDING)
    return int(np.count_nonzero(found if kept is None else found & np.frombuffer(kept, np.bool_)))


def _by_slices(tally: Tally, method: Method, slices: Slices) -> tuple[float | None, Bounds | None, int, int]:
    """The ratio and its bounds, and how many slices there were with events and without."""
    length = _minutes_of(slices)
    end = tally.counts.minutes
    seen: list[float] = []
    lows: list[float] = []
    highs: list[float] = []
    idle = 0
    for first in range(0, end, length):
        last = min(first + length, end)
        if not tally.minutes_in(first, last):
            continue
        good, total = tally.both_in(first, last)
        bounds = tally.bounds_of(good, total, first, last)
        is_covered = tally.covered_in(first, last) == tally.minutes_in(first, last)
        if total > 0:
            seen.append(good / total)
        if bounds is None and is_covered:
            idle += 1
            continue
        bounds = bounds or Bounds(0.0, 1.0)
        lows.append(bounds.low)
        highs.append(bounds.high)
    if not seen:
        return None, None, 0, idle
    if method is Method.TIMESLICES:
        seen, lows, highs = (_judged(each, slices.target) for each in (seen, lows, highs))
    return _mean(seen), Bounds(_mean(lows), _mean(highs)), len(seen), idle


def _minutes_of(slices: Slices) -> int:
    return max(round(slices.seconds / MINUTE), 1)


def _judged(ratios: Iterable[float], target: float) -> list[float]:
    return [1.0 if ratio >= target - ROUNDING else 0.0 for ratio in ratios]


def _mean(ratios: Sequence[float]) -> float:
    return math.fsum(ratios) / len(ratios)
