"""What nobody saw: minutes without samples, and what a counter took with it when it ended.

Invariant: what a counter went up over a gap is counted, spread over it, and remembered as a bridge: where in
the gap it happened nobody knows. What may have happened besides is estimated from what was counted elsewhere,
three standard deviations to the safe side.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from maestro_cli.slo.measuring.adding import add_up
from maestro_cli.slo.measuring.coverage import Coverage
from maestro_cli.slo.measuring.doubts import Doubt
from maestro_cli.slo.measuring.joining import Joining
from maestro_cli.slo.measuring.pieces import COUNTED, TOTAL, gap_limit
from maestro_cli.slo.measuring.restarts import Latest, lives_of
from maestro_cli.slo.measuring.window import MINUTE

BRIDGED_FROM = 0.95  # the share of minutes that must be covered before a counter's word for a gap is taken
_SURE = 3.0  # standard deviations of a count that is estimated


@dataclass(frozen=True, slots=True)
class Bridge:
    """What counters went up over a gap: somewhere in first <= minute < end, which may begin before the span.

    It is counted in the minutes of `placed`, in each as much.
    """

    first: int
    end: int
    placed: tuple[int, ...]
    counted: float
    total: float


@dataclass(slots=True)
class Unseen:
    """By minute of the span; see Counts."""

    unknown: dict[int, float] = field(default_factory=dict)
    loose: dict[int, tuple[float, float]] = field(default_factory=dict)
    bridged_minutes: int = 0
    bridges: tuple[Bridge, ...] = ()
    doubts: dict[int, Doubt] = field(default_factory=dict)


@dataclass(slots=True)
class _Gaps:
    """By minute: what was carried over it (counted, total), and whether a counter was (or may have
    been) reset or went on.

    `bridges` are, by first and end and the minutes where it is counted, what was carried (counted, total).
    """

    spread: dict[int, tuple[float, float]]
    bridged: bytearray
    broken: bytearray
    bridges: dict[tuple[int, int, tuple[int, ...]], tuple[float, float]] = field(default_factory=dict)

    def bridge(self, first: int, end: int, placed: Iterable[int], role: int, increase: float) -> None:
        place = first, end, tuple(placed)
        counted, total = self.bridges.get(place, (0.0, 0.0))
        self.bridges[place] = (
            counted + increase * bool(role & COUNTED),
            total + increase * bool(role & TOTAL),
        )


def find_unseen(joining: Joining, coverage: Coverage, latest: Latest | None = None) -> Unseen:
    """Also counts in `joining` what was carried over gaps. `latest` are starts of processes, by hour."""
    gaps = _spread(joining, coverage, latest or {})
    minutes = len(joining.total)
    watched = coverage.covered.count(1)
    is_trusted = watched >= BRIDGED_FROM * minutes
    seen = add_up(joining.total, coverage.covered)
    mean = seen / watched if watched else add_up(joining.total) / max(minutes, 1)
    expected = _expected(joining, coverage)
    found, latest_least = Unseen(), 0.0
    bridged = {index for place in gaps.bridges for index in place[-1]}
    for index in _without(coverage.covered):
        carried = gaps.spread.get(index, (0.0, 0.0))
        if not (is_trusted and gaps.bridged[index] and not gaps.broken[index]):
            least = max(mean - joining.total[index], expected.get(index, 0.0), carried[1], 0.0)
            if least != latest_least:  # else the same object: five years unseen are millions
                latest_least = least
            found.unknown[index] = latest_least
            if index in gaps.spread or index in bridged:  # the others say nothing
                found.loose[index] = carried
        joining.counted[index] += carried[0]
        joining.total[index] += carried[1]
    found.bridges = tuple(
        Bridge(*place, *carried)
        for place, carried in sorted(gaps.bridges.items())
        if not found.loose.keys() >= set(place[-1])  # else it is all among what is not known
    )
    found.bridged_minutes = minutes - watched - len(found.unknown)
    _add_doubt(found.unknown)
    for at, many in _lost(joining):
        index = joining.minute(at)
        if many > 0 and 0 <= index < minutes:
            found.unknown[index] = found.unknown.get(index, 0.0) + many + _SURE * math.sqrt(many) + 1
    found.doubts = _counted_elsewhere(joining, coverage, gaps, found.unknown)
    return found


def _spread(joining: Joining, coverage: Coverage, latest: Latest) -> _Gaps:
    """Where what was carried belongs; what is no gap of its target is counted at once, and may be a reset."""
    minutes = len(joining.total)
    gaps = _Gaps({}, bytearray(minutes), bytearray(minutes))
    lives = lives_of(joining)
    for key, gap in joining.carried:
        one = joining.series[key]
        missed = coverage.missed(one.target, gap.start, gap.end)
        first, end = joining.minute(gap.start), joining.minute(gap.end) + 1
        if not missed:  # only this series was not there, or for less than a minute
            joining.put(gap.end, one.role, gap.increase)
            gaps.bridge(first, end, (end - 1,), one.role, gap.increase)
            if gap.is_broken:
                longest = gap.start + gap_limit(one.step_seconds) + one.step_seconds
                joining.resets.append((key, gap.start, min(gap.end, longest)))
            continue
        is_broken = gap.is_broken or lives.may_hide_restart(one.target, gap.start, gap.end, latest)
        mark = gaps.broken if is_broken else gaps.bridged
        if not is_broken:
            gaps.bridge(first, end, missed, one.role, gap.increase)
        share = gap.increase / len(missed)
        for index in missed:
            mark[index] |= one.role & TOTAL or is_broken
            counted, total = gaps.spread.get(index, (0.0, 0.0))
            gaps.spread[index] = (
                counted + share * bool(one.role & COUNTED),
                total + share * bool(one.role & TOTAL),
            )
    return gaps


def _expected(joining: Joining, coverage: Coverage) -> Mapping[int, float]:
    """By minute, what the targets that were not seen in it would have counted at their own rates."""
    rates: dict[str, float] = {}
    for one in joining.series.values():
        if one.role & TOTAL:
            rates[one.target] = rates.get(one.target, 0.0) + one.rate
    usual = math.fsum(rates.values()) / len(rates) if rates else 0.0  # of one that was not seen at all
    found: dict[int, float] = {}
    for target, own in coverage.gaps.items():
        for low, high, seconds in own:
            many = rates.get(target, 0.0 if target in coverage.seen else usual) * seconds / (high - low)
            for index in range(max(low, 0), min(high, len(joining.total))):
                found[index] = found.get(index, 0.0) + many
    return found


def _counted_elsewhere(
    joining: Joining, coverage: Coverage, gaps: _Gaps, unknown: Mapping[int, float]
) -> dict[int, Doubt]:
    """Where one target counts all events and another the bad (or good) ones, which was not seen: any were.

    In its minutes the traffic is known, and nothing of it.
    """
    apart = {one.target for one in joining.series.values() if one.role == COUNTED}
    apart -= {one.target for one in joining.series.values() if one.role & TOTAL}
    minutes = {
        index
        for target in apart
        for low, high, _ in coverage.gaps.get(target, ())
        for index in range(max(low, 0), min(high, len(joining.total)))
    }
    doubts: dict[int, Doubt] = {}
    for index in sorted(minutes & unknown.keys()):
        carried, _ = gaps.spread.get(index, (0.0, 0.0))
        rest = joining.total[index] - joining.counted[index] + carried
        doubts[index] = Doubt(more_counted=max(rest, carried))
    return doubts


def _add_doubt(unknown: dict[int, float]) -> None:
    """Traffic varies: all of it together may be three standard deviations more."""
    whole = math.fsum(unknown.values())
    if whole > 0:
        more = 1 + _SURE / math.sqrt(whole)
        before = after = 0.0
        for index, least in unknown.items():
            if least != before:
                before, after = least, least * more
            unknown[index] = after


def _lost(joining: Joining) -> Iterator[tuple[float, float]]:
    """When and how much a counter may have taken with it: before a reset, and after its last sample."""
    end = joining.start + len(joining.total) * MINUTE
    for key, before, at in joining.resets:
        one = joining.series[key]
        if one.role & TOTAL:
            yield at, one.rate * (at - before)
    for one in joining.series.values():
        at = one.last[0] + one.step_seconds
        if one.role & TOTAL and at + gap_limit(one.step_seconds) < end:
            yield at, one.rate * one.step_seconds


def _without(covered: bytearray) -> Iterator[int]:
    index = covered.find(0)
    while index >= 0:
        yield index
        index = covered.find(0, index + 1)
