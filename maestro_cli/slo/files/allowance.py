"""How much maintenance is taken out of a month on one person's word: a tenth of it, whatever it is cut into.

Invariant: whether a time counts rests on what was declared before it and lies within thirty days of it, and
not on the period that is looked at. So what waits for approval takes up the allowance as what counts does: it
could otherwise rest on a chain of others without an end.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from operator import sub

MONTH = timedelta(days=30)
MOST_OF_A_MONTH = MONTH / 10  # what takes more of one is approved by a second person, or not taken out


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """A time of an objective that one person said is to be taken out."""

    declared_at: datetime
    start: datetime
    end: datetime
    id: str


def too_much(claims: Iterable[Claim]) -> Iterator[Claim]:
    """Those of one objective which, with what was declared before, take over a tenth of some thirty days."""
    found = sorted(claims)
    union = _Union()
    for one in found:
        union.add(one)
    if not found or not union.is_over(min(one.start for one in found), max(one.start for one in found)):
        return  # as most often: all of it together is not too much
    union = _Union()
    for one in found:
        union.add(one)
        if union.is_over(one.end - MONTH, one.start):
            yield one


class _Union:
    """Times in their order, where what several take counts once."""

    def __init__(self) -> None:
        self._starts: list[datetime] = []
        self._ends: list[datetime] = []

    def add(self, one: Claim) -> None:
        """Together with those that it touches it is one time."""
        first, last = bisect_left(self._ends, one.start), bisect_right(self._starts, one.end)
        start = min((one.start, *self._starts[first : min(first + 1, last)]))
        end = max((one.end, *self._ends[max(first, last - 1) : last]))
        self._starts[first:last], self._ends[first:last] = [start], [end]

    def is_over(self, first: datetime, last: datetime) -> bool:
        """Whether they take too much of thirty days which begin between two instants."""
        near = slice(bisect_right(self._ends, first), bisect_left(self._starts, last + MONTH))
        starts, ends = self._starts[near], self._ends[near]
        before = list(accumulate(map(sub, ends, starts), initial=timedelta()))  # of all before each

        def until(instant: datetime) -> timedelta:
            index = bisect_left(starts, instant) - 1
            return before[index] + min(instant, ends[index]) - starts[index] if index >= 0 else timedelta()

        if before[-1] <= MOST_OF_A_MONTH:
            return False
        begins = (first, *starts[bisect_right(starts, first) : bisect_right(starts, last)])
        return any(until(begin + MONTH) - until(begin) > MOST_OF_A_MONTH for begin in begins)
