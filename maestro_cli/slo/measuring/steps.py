"""Queries evaluated in steps as pieces: for what is no plain counter.

Invariant: a point speaks for the step that ends with it; a step without a point is not covered, and NaN is a
step in which nothing happened.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from maestro_cli.core.promql import promql_string
from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.slo.measuring.samples import Piece, merged
from maestro_cli.slo.measuring.window import MINUTE
from maestro_cli.slo.objectives import WINDOW, ErrorRatio, Indicator, Latency, Queries, Threshold
from maestro_cli.slo.ports import RawSeries

STEP_SECONDS = 300  # of queries over a range: rates need two samples, and scrapes come once a minute at worst
PART = "maestro_part"
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
    """The one query; its answers have their part in PART where there are two.

    Raises ValueError for what is not evaluated in steps.
    """
    window = prometheus_duration(STEP_SECONDS)
    if isinstance(kind, Threshold):
        return kind.query
    if isinstance(kind, ErrorRatio):
        return f"avg({kind.query.replace(WINDOW, window)})"
    if isinstance(kind, Queries):
        part = kind.good or kind.bad or ""
        times = f"{STEP_SECONDS} * " if _are_rates(part) and _are_rates(kind.total) else ""
        counted = f"{times}sum({part.replace(WINDOW, window)})"
        total = f"{times}sum({kind.total.replace(WINDOW, window)})"
    elif not isinstance(kind, Latency):
        raise ValueError(f"{type(kind).__name__} is not evaluated in steps")
    else:
        events = f"sum(increase({kind.histogram}[{window}]))"
        count = f"histogram_count({events})"
        counted = f"histogram_fraction(0, {kind.threshold_seconds:.12g}, {events}) * {count}"
        total = f"sum(increase({kind.total}[{window}]))" if kind.total else count
    return " or ".join(
        f'label_replace({query}, "{PART}", {promql_string(part)}, "", "")'
        for part, query in (("counted", counted), ("total", total))
    )


def _are_rates(query: str) -> bool:
    """Whether what a query tells is of each second; both sides of a ratio become counts, or neither."""
    return _RATE.search(query) is not None and _INCREASE.search(query) is None


def maker_of(
    kind: Indicator,
) -> Callable[[Sequence[RawSeries], datetime, datetime], Piece]:
    """What makes a piece of the answers to `query_of`."""
    step = step_of(kind)
    read: Reader
    if isinstance(kind, Threshold):
        read = _threshold_reader(kind)
    else:
        read = _ratios if isinstance(kind, ErrorRatio) else _counts

    def make(series: Sequence[RawSeries], start: datetime, end: datetime) -> Piece:
        return _piece(read(series), step, start, end)

    return make


def _counts(series: Sequence[RawSeries]) -> dict[float, Point]:
    """Counted and total of each instant that has a total; what is not counted there is none."""
    parts: dict[str, dict[float, float]] = {"counted": {}, "total": {}}
    for one in series:
        parts.get(one.labels.get(PART, ""), {}).update(zip(one.times, one.values, strict=True))
    return {
        at: (_number(parts["counted"].get(at, 0.0)), _number(total)) for at, total in parts["total"].items()
    }


def _ratios(series: Sequence[RawSeries]) -> dict[float, Point]:
    """The share of bad events of each step, every step with the same weight: its minutes."""
    found: dict[float, Point] = {}
    weight = STEP_SECONDS / MINUTE
    for one in series:
        for at, ratio in zip(one.times, one.values, strict=True):
            found[at] = (ratio * weight, weight) if math.isfinite(ratio) else (0.0, 0.0)
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


def _piece(points: dict[float, Point], step: int, start: datetime, end: datetime) -> Piece:
    begin, minutes = round(start.timestamp()), round((end - start).total_seconds()) // MINUTE
    counted, total = array("d", bytes(8 * minutes)), array("d", bytes(8 * minutes))
    covered: list[tuple[float, float]] = []
    for at, (part, whole) in sorted(points.items()):
        first, last = _minutes(at, step, begin, minutes)
        for index in range(first, last):
            counted[index] += part * MINUTE / step
            total[index] += whole * MINUTE / step
        if first < last:
            covered.append((float(begin + first * MINUTE), float(begin + last * MINUTE)))
    stretches = {"": list(_open_ended(merged(covered)))} if covered else {}
    return Piece(begin, minutes, counted.tobytes(), total.tobytes(), [], stretches, False)


def _minutes(at: float, step: int, begin: int, minutes: int) -> tuple[int, int]:
    """The minutes of the piece that the step which ends at that instant takes."""
    end = round(at - begin) // MINUTE
    return max(end - step // MINUTE, 0), min(end, minutes)


def _open_ended(stretches: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Stretches whose last minute is the one before their end."""
    for start, end in stretches:
        yield start, end - 0.001


def _number(value: float) -> float:
    return value if math.isfinite(value) else 0.0
