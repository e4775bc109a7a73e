"""Samples of a counter that only went up as increments by minute, many at once.

Invariant: what is worked out of the times of scrapes is the same for every series that has these; an
increment belongs to the minute of the later sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from maestro_cli.slo.measuring.pieces import gap_limit
from maestro_cli.slo.measuring.window import MINUTE

Numbers: TypeAlias = NDArray[np.float64]
_LOOKED_AT = 200  # steps between samples that tell how often a target is scraped
_TIMES_KNOWN = 128  # a month of three objectives, 25 KB a day: others of the same target have the same times


@dataclass(frozen=True, slots=True)
class Scrapes:
    """When a series has its samples. `step_seconds`: see SeriesPart; `minutes` since 1970 are in order.

    `last` are the places of the last sample of each of the minutes; None where each is one.
    """

    times: Numbers
    step_seconds: float
    has_gaps: bool
    minutes: NDArray[np.int64]
    last: NDArray[np.int64] | None

    def last_of(self, values: Numbers) -> Numbers:
        """The values that were reached in each of the minutes."""
        return values if self.last is None else values[self.last]


class Bins:
    """Increments by minute from `begin`, in seconds since 1970."""

    def __init__(self, begin: int, minutes: int) -> None:
        self._first = begin // MINUTE
        self._increments = np.zeros(minutes)

    @property
    def packed(self) -> bytes:
        """A little-endian double for each minute."""
        return self._increments.astype("<f8", copy=False).tobytes()

    def put(self, at: float, increase: float) -> None:
        self._increments[int(at) // MINUTE - self._first] += increase

    def add(self, minutes: NDArray[np.int64], increments: Numbers) -> None:
        """One for each of the minutes since 1970, none of which is there twice."""
        first, end = int(minutes[0]) - self._first, int(minutes[-1]) + 1 - self._first
        if end - first == len(minutes):
            self._increments[first:end] += increments
        else:
            self._increments[minutes - self._first] += increments


def increments_of(scrapes: Scrapes, values: Numbers) -> Numbers:
    """What a counter that only went up counted in each of the minutes of the scrapes."""
    reached = scrapes.last_of(values)
    found = np.empty_like(reached)
    found[0] = reached[0] - values[0]
    np.subtract(reached[1:], reached[:-1], out=found[1:])  # np.diff takes seven times as long for a day
    return found


def is_rising(values: Numbers) -> bool:
    """Whether none is smaller than the one before; of numbers alone."""
    return not (values[1:] < values[:-1]).any()


@lru_cache(maxsize=_TIMES_KNOWN)
def scrapes_at(times: bytes) -> Scrapes:
    """What follows from one or more times, doubles in seconds since 1970 and in order."""
    found = np.frombuffer(times)
    steps = np.diff(found)
    seen = np.sort(steps[:_LOOKED_AT])
    step = float(seen[len(seen) // 2]) if len(seen) else 0.0
    has_gaps = float(steps.max(initial=0.0)) > gap_limit(step)
    minutes = np.floor_divide(found, MINUTE).astype(np.int64)
    last = np.flatnonzero(np.append(minutes[1:] != minutes[:-1], True))
    is_one_each = len(last) == len(found)
    return Scrapes(found, step, has_gaps, minutes[last], None if is_one_each else last)
