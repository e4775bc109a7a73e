"""How much maintenance is taken out of a month on one person's word: a tenth of it, whatever it is cut into.

Invariant: whether a time counts rests on what was declared before it and lies within thirty days of it, and
not on the period that is looked at.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

MONTH = timedelta(days=30)
MOST_OF_A_MONTH = MONTH / 10  # what takes more of one is approved by a second person, or not taken out


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """A time that one person said is to be taken out; without `objectives` of all of them."""

    declared_at: datetime
    start: datetime
    end: datetime
    id: str
    objectives: tuple[str, ...] = ()

    def concerns(self, other: Claim) -> bool:
        """Whether both are of one objective."""
        if not self.objectives or not other.objectives:
            return True
        return not set(self.objectives).isdisjoint(other.objectives)


def too_much(claims: Iterable[Claim]) -> Iterator[Claim]:
    """Those which, with what was declared before them, take more than a tenth of some thirty days."""
    found = sorted(claims, key=lambda one: one.start)
    starts = [one.start for one in found]
    longest = max((one.end - one.start for one in found), default=timedelta())
    for one in found:
        near = found[bisect_left(starts, one.end - MONTH - longest) : bisect_right(starts, one.start + MONTH)]
        before = [other for other in near if other <= one and other.concerns(one)]
        if _is_over(one, before):
            yield one


def _is_over(one: Claim, before: Sequence[Claim]) -> bool:
    """`before` is in the order of time, and holds the one itself."""
    if sum((other.end - other.start for other in before), timedelta()) <= MOST_OF_A_MONTH:
        return False
    union = _Union(before)
    first = one.end - MONTH
    begins = (first, *(other.start for other in before if first < other.start <= one.start))
    return any(union.taken(begin) > MOST_OF_A_MONTH for begin in begins)


class _Union:
    """Times in their order, where what several take counts once."""

    def __init__(self, claims: Iterable[Claim]) -> None:
        self._starts: list[datetime] = []
        self._ends: list[datetime] = []
        for one in claims:
            if self._ends and one.start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], one.end)
            else:
                self._starts.append(one.start)
                self._ends.append(one.end)
        lengths = (end - start for start, end in zip(self._starts, self._ends, strict=True))
        self._before = list(accumulate(lengths, initial=timedelta()))  # of those that begin before each

    def taken(self, begin: datetime) -> timedelta:
        """How much of the thirty days from then on they take."""
        return self._until(begin + MONTH) - self._until(begin)

    def _until(self, instant: datetime) -> timedelta:
        index = bisect_left(self._starts, instant) - 1
        if index < 0:
            return timedelta()
        return self._before[index] + min(instant, self._ends[index]) - self._starts[index]
