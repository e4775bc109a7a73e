"""Raw samples of counters as what happened in each minute.

Invariant: an increment is what the counter went up, or all of it after a reset, and belongs to the minute of
the later sample; what a counter went up while nobody looked is kept apart as carried, not put into a minute.
All increments of a series together are its exact increase between its first sample and its last.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from operator import itemgetter, lt

import msgspec

from maestro_cli.slo.measuring.binning import Bins, Scrapes, gap_limit, increments_of, is_rising, scrapes_at
from maestro_cli.slo.measuring.window import MINUTE
from maestro_cli.slo.ports import RawSeries

TOTAL, COUNTED = 1, 2  # what a series counts: all events, the bad (or good) ones, or both
UNCOUNTABLE = 2.0**53  # from here on one more is not counted; a counter is neither negative nor NaN
TARGET_LABELS = ("job", "namespace", "pod", "instance")
_NONE: array[float] = array("d")


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


Roles = Callable[[Mapping[str, str]], int]


def piece_of(series: Iterable[RawSeries], roles: Roles, start: datetime, end: datetime) -> Piece:
    """The samples with start <= time < end, both on whole minutes, as one piece; others are not looked at."""
    begin, minutes = round(start.timestamp()), round((end - start).total_seconds()) // MINUTE
    total, counted = Bins(begin, minutes), Bins(begin, minutes)
    parts: list[SeriesPart] = []
    unreadable: list[str] = []
    covered: dict[str, list[tuple[float, float]]] = {}
    for one in series:
        role = roles(one.labels)
        times, values = _within(one, begin, begin + minutes * MINUTE) if role else (_NONE, [])
        if role and len(values) < _many(one, begin, begin + minutes * MINUTE):
            unreadable.append(key_of(one.labels))
        if not times:
            continue
        bins = [place for bit, place in ((TOTAL, total), (COUNTED, counted)) if role & bit]
        part = _part(one.labels, role, scrapes_at(times.tobytes()), values, bins)
        parts.append(part)
        covered.setdefault(part.target, []).extend(stretches_of_part(part))
    for target, stretches in covered.items():
        covered[target] = merged(stretches)
    parts.sort(key=lambda part: part.key)
    return Piece(
        begin,
        minutes,
        counted.packed,
        total.packed,
        parts,
        dict(sorted(covered.items())),
        unreadable=sorted(unreadable),
    )


def doubles(data: bytes) -> array[float]:
    found = array("d")
    found.frombytes(data)
    return found


def in_order(one: RawSeries) -> RawSeries:
    """The same in the order of time; of samples of one time the last counts."""
    if _is_in_order(array("d", one.times).tobytes()):
        return one
    known = dict(sorted(zip(one.times, one.values, strict=True), key=itemgetter(0)))
    return RawSeries(one.labels, array("d", known), array("d", known.values()))


@lru_cache(maxsize=8)  # series of one target have the same times
def _is_in_order(times: bytes) -> bool:
    found = doubles(times)
    return all(map(lt, found, found[1:]))


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


def _many(one: RawSeries, start: int, end: int) -> int:
    return bisect_left(one.times, end) - bisect_left(one.times, start)


def _within(one: RawSeries, start: int, end: int) -> tuple[array[float], list[float]]:
    first, last = bisect_left(one.times, start), bisect_left(one.times, end)
    times, values = array("d", one.times[first:last]), list(one.values[first:last])
    if not values or (min(values) >= 0 and sum(values) < UNCOUNTABLE):  # so each of them is, and none is NaN
        return times, values
    kept = [(at, value) for at, value in zip(times, values, strict=True) if 0 <= value < UNCOUNTABLE]
    return array("d", [at for at, _ in kept]), [value for _, value in kept]


def _part(
    labels: Mapping[str, str], role: int, scrapes: Scrapes, values: list[float], bins: Sequence[Bins]
) -> SeriesPart:
    carried: list[Carried] = []
    resets: list[tuple[float, float]] = []
    if not scrapes.has_gaps and is_rising(values):
        increase = values[-1] - values[0]
        increments = increments_of(scrapes, values)
        for place in bins:
            place.add(scrapes.minutes, increments)
    else:
        increase = _fill_rough(scrapes, values, bins, carried, resets)
    target = "\x00".join(labels.get(name, "") for name in TARGET_LABELS)
    ends = (scrapes.times[0], values[0]), (scrapes.times[-1], values[-1])
    return SeriesPart(key_of(labels), target, role, *ends, scrapes.step_seconds, increase, carried, resets)


def _fill_rough(
    scrapes: Scrapes,
    values: Sequence[float],
    bins: Sequence[Bins],
    carried: list[Carried],
    resets: list[tuple[float, float]],
) -> float:
    """A counter with resets or gaps, sample by sample; gives its whole increase."""
    whole, limit = 0.0, gap_limit(scrapes.step_seconds)
    for (before, low), (at, high) in pairwise(zip(scrapes.times, values, strict=True)):
        is_reset = high < low
        increase = high if is_reset else high - low
        whole += increase
        if at - before > limit:
            carried.append(Carried(before, at, increase, is_reset))
            continue
        if is_reset:
            resets.append((before, at))
        for place in bins:
            place.put(at, increase)
    return whole


def stretches_of_part(part: SeriesPart) -> Iterator[tuple[float, float]]:
    """When the series had its samples: from its first to its last, less the gaps."""
    start = part.first[0]
    for gap in part.carried:
        yield start, gap.start
        start = gap.end
    yield start, part.last[0]
