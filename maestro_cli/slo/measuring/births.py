"""First values of series: what of them happened in the span.

Invariant: a first value counts where the process, or at least the series, certainly began in the span; any
other is a doubt: between nothing and all of it happened in the span.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from maestro_cli.slo.measuring.coverage import Coverage
from maestro_cli.slo.measuring.doubts import Doubt
from maestro_cli.slo.measuring.joining import Joining, Lived
from maestro_cli.slo.measuring.pieces import TOTAL, Carried, gap_limit

Starts = Mapping[str, list[tuple[float, float]]]  # by target: when a process began, and was last seen
_START_SECONDS = 120.0  # how long a process may run before it is first scraped
_TIMES = 10.0  # and how many times busier than later it may be then, or in the scrape of a birth
_SPARE = 10.0  # events that say nothing about a rate
_FRESH_SECONDS = 300.0  # so long after a target is first seen, a new series of it may be an old one
_ON_TIME = 0.9  # of the time between two scrapes


@dataclass(slots=True)
class Births:
    """How many first values were counted, and how many series were doubted; the doubts by minute."""

    counted: int = 0
    doubted: int = 0
    doubts: dict[int, Doubt] = field(default_factory=dict)


def first_seen(joining: Joining) -> dict[str, float]:
    """When each target had its first sample."""
    found: dict[str, float] = {}
    for one in joining.series.values():
        found[one.target] = min(one.first[0], found.get(one.target, one.first[0]))
    return found


def new_targets(seen: Iterable[tuple[str, float, float]], start: float) -> dict[str, float]:
    """When each target was first seen that was not there from the beginning, nor before `start`.

    `seen` has the target of each series, when it was first seen, and how often it is scraped.
    """
    firsts: dict[str, float] = {}
    limits: dict[str, float] = {}
    for target, at, step in seen:
        firsts[target] = min(at, firsts.get(target, at))
        limits[target] = max(gap_limit(step), limits.get(target, 0.0))
    beginning = min(firsts.values(), default=0.0)
    return {
        target: at for target, at in sorted(firsts.items()) if at > beginning + limits[target] and at >= start
    }


def count_births(joining: Joining, coverage: Coverage, starts: Starts | None = None) -> Births:
    """Count the first value of each series that was born in the span, and doubt those that may be older.

    The first values of a new target count if none of them is far above what the target counts afterwards in
    the time since its process began, as `starts` tells, and that was in the span: the process may be that of
    an exporter, and the counter older. Without starts a short time is taken. A new series of a target that
    was seen before counts from nothing, unless it came with more than can have happened since, or right after
    an old process was first seen. One that is there from the beginning is no birth.
    """
    rates = _rates(joining)
    firsts = first_seen(joining)
    told = ((one.target, one.first[0], one.step_seconds) for one in joining.series.values())
    fresh = new_targets(told, joining.start)
    own: dict[str, list[Lived]] = {}
    for one in joining.series.values():
        own.setdefault(one.target, []).append(one)
    old = {
        target
        for target, at in fresh.items()
        if _is_old(at, joining.start, own[target], rates[target], (starts or {}).get(target, ()))
    }
    found = Births()
    for key, one in sorted(joining.series.items()):
        at, value = one.first
        if at < joining.start:
            continue
        if at - firsts[one.target] < _ON_TIME * max(one.step_seconds, 1.0):  # it came with its target
            if one.target not in fresh:
                continue
            is_sure = one.target not in old
            since = at
        else:
            since = _since(coverage.seen.get(one.target, []), at, one.step_seconds)
            is_late = one.target in old and at - firsts[one.target] <= _FRESH_SECONDS
            is_sure = not is_late and _is_plausible(value, max(rates[one.target], one.rate), at - since)
        if not is_sure:
            found.doubted += 1
            minute = joining.minute(at)
            found.doubts[minute] = found.doubts.get(minute, Doubt()) + Doubt.of(one.role, value)
            continue
        found.counted += 1
        if at - since > gap_limit(one.step_seconds):
            joining.carried.append((key, Carried(since, at, value, False)))
        else:
            joining.put(at, one.role, value)
        one.increase += value
    return found


def _is_old(
    at: float, start: float, own: Sequence[Lived], rate: float, began: Iterable[tuple[float, float]]
) -> bool:
    """Whether what a target had counted when it was first seen may be from before the span."""
    begin = min((first for first, last in began if first <= at <= last), default=None)
    if begin is not None and begin < start:
        return True
    seconds = min(_START_SECONDS, 2 * (at - start) / _TIMES) if begin is None else at - begin
    return any(
        not _is_plausible(one.first[1], max(rate, one.rate), seconds + one.step_seconds)
        for one in own
        if one.first[0] - at < _ON_TIME * max(one.step_seconds, 1.0)
    )


def _rates(joining: Joining) -> dict[str, float]:
    """Events a second of each target, over all of its series that count every event."""
    found: dict[str, float] = {}
    for one in joining.series.values():
        found[one.target] = found.get(one.target, 0.0) + one.rate * bool(one.role & TOTAL)
    return found


def _is_plausible(value: float, rate: float, seconds: float) -> bool:
    return value <= _SPARE + _TIMES * rate * seconds


def _since(seen: list[tuple[float, float]], at: float, step_seconds: float) -> float:
    """When the target was last scraped before."""
    before = at
    for start, end in seen:
        if start < at <= end:
            return max(start, at - max(step_seconds, 1.0))
        if end < at:
            before = end
    return before
