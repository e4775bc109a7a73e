"""Samples of a counter that only went up as increments by minute, many at once.

Invariant: what is worked out of the times of scrapes is the same for every series that has these; an
increment belongs to the minute of the later sample. Loops over samples run in C: `map`, slices of arrays.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, repeat
from operator import add, floordiv, sub

from maestro_cli.slo.measuring.window import MINUTE

_LOOKED_AT = 200  # steps between samples that tell how often a target is scraped
_TIMES_KNOWN = 128  # a month of three objectives, 25 KB a day: others of the same target have the same times
_LATE = 1.5  # a sample may be late by half the time between two


def gap_limit(step_seconds: float) -> float:
    """Two samples further apart than this left something out: a whole minute, or a scrape."""
    return max(float(MINUTE), _LATE * step_seconds)


@dataclass(frozen=True, slots=True)
class Scrapes:
    """When a series has its samples. `step_seconds`: see SeriesPart; `minutes` since 1970 are in order.

    `last` are the places of the last sample of each of the minutes; None where each is one.
    """

    times: array[float]
    step_seconds: float
    has_gaps: bool
    minutes: Sequence[int]
    last: tuple[int, ...] | None

    def last_of(self, values: list[float]) -> Sequence[float]:
        """The values that were reached in each of the minutes."""
        return values if self.last is None else list(map(values.__getitem__, self.last))


class Bins:
    """Increments by minute from `begin`, in seconds since 1970."""

    def __init__(self, begin: int, minutes: int) -> None:
        self._first = begin // MINUTE
        self._increments = [0.0] * minutes
        self._is_empty = True

    @property
    def packed(self) -> bytes:
        """A little-endian double for each minute."""
        return array("d", self._increments).tobytes()

    def put(self, at: float, increase: float) -> None:
        self._increments[int(at) // MINUTE - self._first] += increase
        self._is_empty = False

    def add(self, minutes: Sequence[int], increments: list[float]) -> None:
        """One for each of the minutes since 1970."""
        if isinstance(minutes, range):
            place = slice(minutes.start - self._first, minutes.stop - self._first)
            if not self._is_empty:
                increments = list(map(add, self._increments[place], increments))
            self._increments[place] = increments
        else:
            for minute, increase in zip(minutes, increments, strict=True):
                self._increments[minute - self._first] += increase
        self._is_empty = False


def increments_of(scrapes: Scrapes, values: list[float]) -> list[float]:
    """What a counter that only went up counted in each of the minutes of the scrapes."""
    reached = scrapes.last_of(values)
    return list(map(sub, reached, chain(values[:1], reached)))


def is_rising(values: list[float]) -> bool:
    """Whether none is smaller than the one before; of numbers alone."""
    return sorted(values) == values  # in order already: one comparison each, and the same objects are equal


@lru_cache(maxsize=_TIMES_KNOWN)
def scrapes_at(times: bytes) -> Scrapes:
    """What follows from one or more times, doubles in seconds since 1970 and in order."""
    packed = array("d", times)
    found = packed.tolist()
    steps = list(map(sub, found[1:], found))
    seen = sorted(steps[:_LOOKED_AT])
    step = seen[len(seen) // 2] if seen else 0.0
    has_gaps = max(steps, default=0.0) > gap_limit(step)
    places = dict(zip(map(floordiv, found, repeat(float(MINUTE))), range(len(found)), strict=True))
    first, end = int(found[0]) // MINUTE, int(found[-1]) // MINUTE + 1
    minutes = range(first, end) if end - first == len(places) else tuple(map(int, places))
    last = None if len(places) == len(found) else tuple(places.values())
    return Scrapes(packed, step, has_gaps, minutes, last)
