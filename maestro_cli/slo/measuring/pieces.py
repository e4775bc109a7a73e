"""A piece of time: what was counted in each of its minutes, and where each series begins and ends."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from maestro_cli.slo.measuring.window import MINUTE

TOTAL, COUNTED = 1, 2  # what a series counts: all events, the bad (or good) ones, or both
UNCOUNTABLE = 2.0**53  # from here on one more is not counted; a counter is neither negative nor NaN
_LATE = 1.5  # a sample may be late by half the time between two
TARGET_LABELS = ("job", "namespace", "pod", "instance")

Roles = Callable[[Mapping[str, str]], int]


class Carried(msgspec.Struct, frozen=True, array_like=True):
    """What a counter went up between two samples that are too far apart; `is_broken`: it was reset there."""

    start: float
    end: float
    increase: float
    is_broken: bool


class SeriesPart(msgspec.Struct, frozen=True, array_like=True):
    """One series within one piece of time; times in seconds since 1970."""

    key: str
    target: str
    role: int
    first: tuple[float, float]
    last: tuple[float, float]
    step_seconds: float  # how often it is scraped; 0 when that does not show
    increase: float
    carried: list[Carried]
    resets: list[tuple[float, float]]  # the samples around each reset


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """One piece of time: what was counted in each of its minutes, and where each series begins and ends.

    `covered` has, for each target, the stretches with a sample in every minute. `total` and `counted` hold a
    little-endian double for each minute.
    """

    start: int
    minutes: int
    counted: bytes
    total: bytes
    series: list[SeriesPart]
    covered: dict[str, list[tuple[float, float]]]
    is_counters: bool = True
    unreadable: list[str] = []  # keys of series with values that no counter has
    doubts: dict[int, tuple[float, ...]] = {}  # by minute: see Doubt

    @property
    def end(self) -> int:
        return self.start + self.minutes * MINUTE


def doubles(data: bytes) -> array[float]:
    found = array("d")
    found.frombytes(data)
    return found


def key_of(labels: Mapping[str, str]) -> str:
    return "\x00".join(f"{name}\x01{value}" for name, value in sorted(labels.items()))


def merged(stretches: Iterable[tuple[float, float]], apart: float = 0.0) -> list[tuple[float, float]]:
    """The union of stretches of time, in order; those no further apart than that many seconds are one."""
    found: list[tuple[float, float]] = []
    for start, end in sorted(stretches):
        if found and start <= found[-1][1] + apart:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def stretches_of_part(part: SeriesPart) -> Iterator[tuple[float, float]]:
    """When the series had its samples: from its first to its last, less the gaps."""
    start = part.first[0]
    for gap in part.carried:
        yield start, gap.start
        start = gap.end
    yield start, part.last[0]


def gap_limit(step_seconds: float) -> float:
    """Two samples further apart than this left something out: a whole minute, or a scrape."""
    return max(float(MINUTE), _LATE * step_seconds)
