"""Queries evaluated in steps as pieces: for what is no plain counter.

Invariant: a point speaks for the step that ends with it; a step without a point is not covered, nor is one
with a value that cannot be counted; a share that is NaN is of a step in which nothing happened.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from maestro_cli.core.promql import promql_string
from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.slo.measuring.asking import Wanted, stepped
from maestro_cli.slo.measuring.doubts import Doubt, added
from maestro_cli.slo.measuring.pieces import UNCOUNTABLE, Piece, merged
from maestro_cli.slo.measuring.silence import counts_none
from maestro_cli.slo.measuring.window import MINUTE, STEP_SECONDS
from maestro_cli.slo.objectives import WINDOW, ErrorRatio, Indicator, Latency, Queries, Threshold
from maestro_cli.slo.ports import RawMetrics, RawSeries

PART = "maestro_part"
_PARTS = ("counted", "total")
_WIDE = "_wide"  # the same over two steps
_RATE, _INCREASE = re.compile(r"\brate\s*\("), re.compile(r"\bincrease\s*\(")
Point = tuple[float, float]  # counted and all events of a step
Reader = Callable[[Sequence[RawSeries]], dict[float, Point]]
_HOLDS: dict[str, Callable[[float, float], bool]] = {
    "lt": lambda value, limit: value < limit,
    "lte": lambda value, limit: value <= limit,
    "gt": lambda value, limit: value > limit,
    "gte": lambda value, limit: value >= limit,
}


def step_of(kind: Indicator) -> int:
    return MINUTE if isinstance(kind, Threshold) else STEP_SECONDS


def counts_bad(kind: Indicator) -> bool:
    """Whether what is counted are the bad events."""
    return isinstance(kind, ErrorRatio) or (isinstance(kind, Queries) and kind.good is None)


def query_of(kind: Indicator) -> str:
    """The one query; its answers have their part in PART, but for a threshold, which is one.

    Raises ValueError for what is not evaluated in steps.
    """
    if isinstance(kind, Threshold):
        return kind.query
    wide = [f"{part}{_WIDE}" for part in _additive(kind)]
    found = _parts(kind, STEP_SECONDS) | {
        f"{part}{_WIDE}": query for part, query in _parts(kind, 2 * STEP_SECONDS).items()
    }
    return " or ".join(
        f'label_replace({query}, "{PART}", {promql_string(part)}, "", "")'
        for part, query in found.items()
        if part in _PARTS or part in wide
    )


def _parts(kind: Indicator, seconds: int) -> dict[str, str]:
    """The queries of what is counted and of all events over so long a range."""
    window = prometheus_duration(seconds)
    if isinstance(kind, ErrorRatio):
        return {"counted": f"avg({kind.query.replace(WINDOW, window)})"}
    if isinstance(kind, Queries):
        part = kind.good or kind.bad or ""
        times = f"{seconds} * " if _are_counted(kind) else ""
        counted = f"{times}sum({part.replace(WINDOW, window)})"
        return {"counted": counted, "total": f"{times}sum({kind.total.replace(WINDOW, window)})"}
    if not isinstance(kind, Latency):
        raise ValueError(f"{type(kind).__name__} is not evaluated in steps")
    events = f"sum(increase({kind.histogram}[{window}]))"
    count = f"histogram_count({events})"
    counted = f"histogram_fraction(0, {kind.threshold_seconds:.12g}, {events}) * {count}"
    return {"counted": counted, "total": f"sum(increase({kind.total}[{window}]))" if kind.total else count}


def _additive(kind: Indicator) -> tuple[str, ...]:
    """The parts of which one range holds what two of half its length do, and what is between them."""
    if not isinstance(kind, Queries):
        return _PARTS
    queries = {"counted": kind.good or kind.bad or "", "total": kind.total}
    return tuple(
        part
        for part, query in queries.items()
        if WINDOW in query and (_are_counted(kind) or _INCREASE.search(query))
    )


def wanted_steps(metrics: RawMetrics, kind: Indicator) -> Wanted:
    """The query evaluated in steps; where what is between two ranges matters, also of the step before."""
    step = step_of(kind)
    wanted = stepped(metrics, query_of(kind), step, _maker_of(kind), repr(kind))
    if isinstance(kind, Threshold):
        return wanted
    before = timedelta(seconds=step)
    return replace(wanted, ask=lambda start, end: wanted.ask(start - before, end))


def _are_counted(kind: Queries) -> bool:
    """Whether both sides are rates, which become counts by the length of the range."""
    return _are_rates(kind.good or kind.bad or "") and _are_rates(kind.total)


def _are_rates(query: str) -> bool:
    """Whether what a query tells is of each second; both sides of a ratio become counts, or neither."""
    return _RATE.search(query) is not None and _INCREASE.search(query) is None


def _maker_of(
    kind: Indicator,
) -> Callable[[Sequence[RawSeries], datetime, datetime], Piece]:
    """What makes a piece of the answers to `query_of`."""
    step = step_of(kind)
    read: Reader
    if isinstance(kind, Threshold):
        read = _threshold_reader(kind)
    else:
        read = _ratios if isinstance(kind, ErrorRatio) else _counts

    times = 2 * STEP_SECONDS / MINUTE if isinstance(kind, ErrorRatio) else 1.0
    doubts_silence = isinstance(kind, Queries | Latency) and not counts_none(kind)

    def make(series: Sequence[RawSeries], start: datetime, end: datetime) -> Piece:
        points = read(series)
        between = {} if isinstance(kind, Threshold) else _between(series, points, times)
        doubts = added(between, _unanswered(series, points)) if doubts_silence else between
        return _piece(points, doubts, step, start, end)

    return make


def _unanswered(series: Sequence[RawSeries], points: Mapping[float, Point]) -> dict[float, Doubt]:
    """All events of the steps in which what is counted had no answer: any of them may be what it counts."""
    told = {at for one in series if one.labels.get(PART) == "counted" for at in one.times}
    return {
        at: Doubt(more_counted=total) for at, (_, total) in points.items() if total > 0 and at not in told
    }


def _counts(series: Sequence[RawSeries]) -> dict[float, Point]:
    """Counted and total of each instant that has a total; what has no answer there counts none."""
    parts: dict[str, dict[float, float]] = {"counted": {}, "total": {}}
    for one in series:
        parts.get(one.labels.get(PART, ""), {}).update(zip(one.times, one.values, strict=True))
    found: dict[float, Point] = {}
    for at, total in parts["total"].items():
        counted = parts["counted"].get(at, 0.0)
        if total == 0 and not counted > 0:
            found[at] = 0.0, 0.0  # of no events there is no share
        elif abs(total) < UNCOUNTABLE and abs(counted) < UNCOUNTABLE:  # NaN is not
            found[at] = counted, total
    return found


def _ratios(series: Sequence[RawSeries]) -> dict[float, Point]:
    """The share of bad events of each step, every step with the same weight: its minutes."""
    found: dict[float, Point] = {}
    weight = STEP_SECONDS / MINUTE
    for one in series:
        if one.labels.get(PART, "").endswith(_WIDE):
            continue
        for at, ratio in zip(one.times, one.values, strict=True):
            if math.isnan(ratio):
                found[at] = 0.0, 0.0
            elif abs(ratio) < UNCOUNTABLE:
                found[at] = ratio * weight, weight
    return found


def _between(series: Sequence[RawSeries], points: Mapping[float, Point], times: float) -> dict[float, Doubt]:
    """What may have been more or less, by the instants of the steps.

    PromQL loses what a counter goes up between the last sample of a range and the first of the next, and
    extrapolates what it saw in each. A range over both has what is between; the difference to the two is at
    least what they lost, or at least what they made up (with r increments within ranges and b between them,
    of n samples a range: e = b * n2 / (n2 - 1) - r * (n / (n - 1) - n2 / (n2 - 1)), and with e > 0 the sum is
    between sum and sum + e, else between sum + e and sum).
    """
    found: dict[float, Doubt] = {}
    for one in series:
        part = one.labels.get(PART, "")
        place = {f"{name}{_WIDE}": index for index, name in enumerate(_PARTS)}.get(part)
        for at, value in zip(one.times, one.values, strict=True):
            before, here = points.get(at - STEP_SECONDS), points.get(at)
            if place is None or before is None or here is None or not abs(value) < UNCOUNTABLE:
                continue
            more = value * times - before[place] - here[place]
            told = found.get(at, Doubt())
            if place == 0:
                found[at] = told._replace(more_counted=max(more, 0.0), less_counted=max(-more, 0.0))
            else:
                found[at] = told._replace(more_total=max(more, 0.0), less_total=max(-more, 0.0))
    return found


def _threshold_reader(kind: Threshold) -> Reader:
    holds = _HOLDS[kind.op]

    def read(series: Sequence[RawSeries]) -> dict[float, Point]:
        """1 good of 1 where every series holds, 0 of 1 where one does not; NaN is no point."""
        found: dict[float, Point] = {}
        for one in series:
            for at, value in zip(one.times, one.values, strict=True):
                if not math.isnan(value):
                    good = 1.0 if holds(value, kind.value) else 0.0
                    found[at] = (min(good, found.get(at, (1.0, 1.0))[0]), 1.0)
        return found

    return read


def _piece(
    points: dict[float, Point], between: Mapping[float, Doubt], step: int, start: datetime, end: datetime
) -> Piece:
    begin, minutes = round(start.timestamp()), round((end - start).total_seconds()) // MINUTE
    counted, total = array("d", bytes(8 * minutes)), array("d", bytes(8 * minutes))
    covered: list[tuple[float, float]] = []
    doubts: dict[int, tuple[float, ...]] = {}
    for at, (part, whole) in sorted(points.items()):
        first, last = _minutes(at, step, begin, minutes)
        for index in range(first, last):
            counted[index] += part * MINUTE / step
            total[index] += whole * MINUTE / step
        if first < last and at in between:
            doubts[first] = tuple(between[at])
        if first < last:
            covered.append((float(begin + first * MINUTE), float(begin + last * MINUTE)))
    stretches = {"": list(_open_ended(merged(covered)))} if covered else {}
    return Piece(begin, minutes, counted.tobytes(), total.tobytes(), [], stretches, False, doubts=doubts)


def _minutes(at: float, step: int, begin: int, minutes: int) -> tuple[int, int]:
    """The minutes of the piece that the step which ends at that instant takes."""
    end = round(at - begin) // MINUTE
    return max(end - step // MINUTE, 0), min(end, minutes)


def _open_ended(stretches: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Stretches whose last minute is the one before their end."""
    for start, end in stretches:
        yield start, end - 0.001
