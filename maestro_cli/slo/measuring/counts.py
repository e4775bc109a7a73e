"""Pieces of time put together: what was counted in each minute of a span, and what nobody saw.

Invariant: what the counters went up is counted once, in the minute it was seen or spread over the gap that it
bridges. `unknown` is the most that can have happened unseen, so that the truth is between all of it bad and
all of it good.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from maestro_cli.slo.measuring.coverage import Coverage, read_coverage
from maestro_cli.slo.measuring.samples import COUNTED, TOTAL, Carried, Piece, SeriesPart, doubles, gap_limit
from maestro_cli.slo.measuring.window import MINUTE, Span

LOOK_BACK_SECONDS = (
    300  # how long before a span the sample is looked for that its first increment starts from
)
BRIDGED_FROM = 0.95  # the share of minutes that must be covered before a counter's word for a gap is taken
_START_SECONDS = 120.0  # how long a process may run before it is first scraped
_START_TIMES = 10.0  # and how many times busier than later it may be then
_SURE = 3.0  # standard deviations of a count that is estimated


@dataclass(frozen=True, slots=True)
class Counts:
    """By minute from `start` (seconds since 1970): all events, the counted ones, and whether it is covered.

    `unknown` is, by minute, how many events may have happened that no counter shows; `loose` is what counters
    went up in minutes that are not known, as (counted, total): part of the sums, not of what is sure.
    """

    start: int
    counted: array[float]
    total: array[float]
    covered: bytes
    unknown: dict[int, float]
    loose: dict[int, tuple[float, float]]
    bridged_minutes: int = 0
    resets: int = 0
    births: int = 0
    refused_births: int = 0
    first_seen: float | None = None
    is_exact: bool = True

    @property
    def minutes(self) -> int:
        return len(self.total)


@dataclass(slots=True)
class _Series:
    """One series so far, while pieces are put together."""

    last: tuple[float, float]
    first: tuple[float, float]
    role: int
    target: str
    step_seconds: float
    increase: float
    born: tuple[float, float] | None = None


@dataclass(slots=True)
class _Joining:
    span: Span
    counted: array[float]
    total: array[float]
    series: dict[str, _Series] = field(default_factory=dict)
    carried: list[tuple[str, Carried]] = field(default_factory=list)
    resets: list[tuple[str, float, float]] = field(default_factory=list)

    @property
    def start(self) -> int:
        return round(self.span.start.timestamp())

    def minute(self, at: float) -> int:
        return int((at - self.start) // MINUTE)

    def put(self, at: float, role: int, increase: float) -> None:
        """Count in the minute of that time; what is outside of the span is not counted."""
        index = self.minute(at)
        if at < self.start or index >= len(self.total):
            return
        if role & TOTAL:
            self.total[index] += increase
        if role & COUNTED:
            self.counted[index] += increase


def counts_of(pieces: Sequence[Piece], span: Span) -> Counts:
    """Put pieces together that follow each other, the first of which may begin before the span."""
    joining = _Joining(span, array("d", bytes(8 * span.minutes)), array("d", bytes(8 * span.minutes)))
    for piece in pieces:
        _copy(piece, joining)
        for part in piece.series:
            _join(part, joining)
    coverage = read_coverage(pieces, span)
    births, refused = _births(joining, pieces)
    unknown, loose, bridged = _gaps(joining, coverage)
    _lost(joining, coverage, unknown)
    firsts = [stretch[0][0] for piece in pieces for stretch in piece.covered.values() if stretch]
    return Counts(
        joining.start,
        joining.counted,
        joining.total,
        bytes(coverage.covered),
        unknown,
        loose,
        bridged,
        len(joining.resets),
        births,
        refused,
        min(firsts, default=None),
        all(piece.is_counters for piece in pieces),
    )


def _copy(piece: Piece, joining: _Joining) -> None:
    """The minutes of a piece that are in the span."""
    skip = max((joining.start - piece.start) // MINUTE, 0)
    at = max((piece.start - joining.start) // MINUTE, 0)
    many = min(piece.minutes - skip, len(joining.total) - at)
    if many > 0:
        joining.counted[at : at + many] = doubles(piece.counted)[skip : skip + many]
        joining.total[at : at + many] = doubles(piece.total)[skip : skip + many]


def _join(part: SeriesPart, joining: _Joining) -> None:
    """What the series went up since the piece before; one that is new is remembered with its first value."""
    known = joining.series.get(part.key)
    for gap in part.carried:
        joining.carried.append((part.key, gap))
    joining.resets += [(part.key, *reset) for reset in part.resets]
    if known is None:
        joining.series[part.key] = _Series(
            part.last, part.first, part.role, part.target, part.step_seconds, part.increase, part.first
        )
        return
    (before, low), (at, high) = known.last, part.first
    is_reset = high < low
    increase = high if is_reset else high - low
    step = part.step_seconds or known.step_seconds
    if at - before > gap_limit(step):
        joining.carried.append((part.key, Carried(before, at, increase, is_reset)))
    else:
        joining.put(at, part.role, increase)
        if is_reset:
            joining.resets.append((part.key, before, at))
    known.last, known.step_seconds = part.last, step
    known.increase += part.increase + increase


def _births(joining: _Joining, pieces: Sequence[Piece]) -> tuple[int, int]:
    """Count the first value of each series that was born in the span; gives how many were, and were doubted.

    One that is there from the beginning is no birth. A new series of a target that was seen before counts
    from nothing; a new target does, if its first value is not far above what it counts afterwards: what is
    is a counter from before, that was not seen.
    """
    firsts: dict[str, float] = {}
    for one in joining.series.values():
        firsts[one.target] = min(one.first[0], firsts.get(one.target, one.first[0]))
    beginning = min(firsts.values(), default=0.0)
    births = refused = 0
    for one in joining.series.values():
        at, value = one.first
        limit = gap_limit(one.step_seconds)
        if at <= beginning + limit or at < joining.start:
            continue
        if firsts[one.target] < at or _is_plausible(one, value):
            births += 1
            joining.put(at, one.role, value)
            one.increase += value
        else:
            refused += one.role & TOTAL
    return births, refused


def _is_plausible(one: _Series, value: float) -> bool:
    lived = one.last[0] - one.first[0]
    rate = one.increase / lived if lived > 0 else 0.0
    return value <= 10 + _START_TIMES * rate * (_START_SECONDS + one.step_seconds)


def _gaps(
    joining: _Joining, coverage: Coverage
) -> tuple[dict[int, float], dict[int, tuple[float, float]], int]:
    """Spread what was carried over gaps; give the unknown events, what is loose, and the bridged minutes."""
    minutes = len(joining.total)
    bridged, broken = bytearray(minutes), bytearray(minutes)
    spread: dict[int, tuple[float, float]] = {}
    for key, gap in joining.carried:
        one = joining.series[key]
        missed = coverage.missed(one.target, gap.start, gap.end)
        if not missed:  # only this series was not there: its target was, and so is what it counts
            joining.put(gap.end, one.role, gap.increase)
            continue
        mark = broken if gap.is_broken else bridged
        for index in missed:
            mark[index] |= one.role & TOTAL
            counted, total = spread.get(index, (0.0, 0.0))
            share = gap.increase / len(missed)
            spread[index] = (
                counted + share * bool(one.role & COUNTED),
                total + share * bool(one.role & TOTAL),
            )
    covered_minutes = sum(coverage.covered)
    is_trusted = covered_minutes >= BRIDGED_FROM * minutes
    seen = sum(total for total, is_covered in zip(joining.total, coverage.covered, strict=True) if is_covered)
    mean = seen / covered_minutes if covered_minutes else 0.0
    unknown: dict[int, float] = {}
    loose: dict[int, tuple[float, float]] = {}
    for index in _without(coverage.covered):
        carried = spread.get(index, (0.0, 0.0))
        if not (is_trusted and bridged[index] and not broken[index]):
            unknown[index] = max(mean - joining.total[index], carried[1], 0.0)
            loose[index] = carried
        joining.counted[index] += carried[0]
        joining.total[index] += carried[1]
    return unknown, loose, minutes - covered_minutes - len(unknown)


def _without(covered: bytearray) -> Iterable[int]:
    index = covered.find(0)
    while index >= 0:
        yield index
        index = covered.find(0, index + 1)


def _lost(joining: _Joining, coverage: Coverage, unknown: dict[int, float]) -> None:
    """What a counter may have counted and taken with it: before a reset, and after its last sample."""
    rates = {
        key: one.increase / lived
        for key, one in joining.series.items()
        if one.role & TOTAL and (lived := one.last[0] - one.first[0]) > 0
    }
    ends = [(key, before, at) for key, before, at in joining.resets]
    for key, one in joining.series.items():
        at = one.last[0] + one.step_seconds
        if at + gap_limit(one.step_seconds) < joining.start + len(joining.total) * MINUTE:
            ends.append((key, one.last[0], at))
    for key, before, at in ends:
        index = joining.minute(at)
        expected = rates.get(key, 0.0) * (at - before)
        if expected > 0 and 0 <= index < len(joining.total):
            unknown[index] = unknown.get(index, 0.0) + expected + _SURE * math.sqrt(expected) + 1
