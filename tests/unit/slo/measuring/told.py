"""Series written by hand, and a Prometheus that answers with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from maestro_cli.slo.measuring.pieces import COUNTED, TOTAL, Piece
from maestro_cli.slo.measuring.samples import piece_of
from maestro_cli.slo.measuring.selectors import parse_selector
from maestro_cli.slo.measuring.window import Span
from maestro_cli.slo.objectives import Counters, Objective
from maestro_cli.slo.ports import RawSeries, TooMuch

START = datetime(2026, 10, 1, tzinfo=UTC)
T0 = START.timestamp()


def series(
    points: Sequence[tuple[float, float]], name: str = "r_total", instance: str = "a", **labels: str
) -> RawSeries:
    """Points as (seconds after START, value)."""
    told = {"__name__": name, "instance": instance, **labels}
    return RawSeries(told, [T0 + at for at, _ in points], [value for _, value in points])


def every(step: float, values: Sequence[float], at: float = 0.0) -> list[tuple[float, float]]:
    return [(at + index * step, value) for index, value in enumerate(values)]


def span(minutes: float, at: float = 0.0) -> Span:
    start = START + timedelta(seconds=at)
    return Span(start, start + timedelta(minutes=minutes))


def both(labels: Mapping[str, str]) -> int:
    return TOTAL | COUNTED * (labels.get("code") == "500")


def piece(found: Sequence[RawSeries], minutes: int, at: float = 0.0) -> Piece:
    start = START + timedelta(seconds=at)
    return piece_of(found, both, start, start + timedelta(minutes=minutes))


def objective(target: float = 0.999, window_seconds: float = 86400.0) -> Objective:
    counters = Counters(total="r_total", bad='r_total{code="500"}')
    return Objective("o", "o", "s", target, window_seconds, counters, {})


def _of(whole: RawSeries, taken: NDArray[np.bool_]) -> RawSeries:
    """The samples that are taken; the months of a report have millions, so numpy looks for them."""
    assert len(whole.times) == len(whole.values)
    places = np.flatnonzero(taken).tolist()
    return RawSeries(whole.labels, [whole.times[at] for at in places], [whole.values[at] for at in places])


@dataclass
class Told:
    """A Prometheus with these series. `most` is how many samples it gives at once."""

    found: Sequence[RawSeries]
    most: int = 10**9
    kept_seconds: float | None = None
    asked: list[tuple[str, datetime, datetime]] = field(default_factory=list)
    url: str = "http://told"
    days_at_once: int = 4

    def samples(self, selector: str, start: datetime, end: datetime) -> Iterator[RawSeries]:
        self.asked.append((selector, start, end))
        wanted, count = parse_selector(selector), 0
        answer = []
        for one in self.found:
            times = np.asarray(one.times, np.float64)
            part = _of(one, (start.timestamp() <= times) & (times < end.timestamp()))
            count += len(part.times)
            if part.times and wanted.takes(one.labels):
                answer.append(part)
        if count > self.most:
            raise TooMuch("too much")
        yield from answer

    def steps(self, promql: str, start: datetime, end: datetime, step_seconds: float) -> Iterator[RawSeries]:
        self.asked.append((promql, start, end))
        for one in self.found:
            times = np.asarray(one.times, np.float64)
            yield _of(one, (start.timestamp() < times) & (times <= end.timestamp()))

    def label_values(self, label: str, selector: str, start: datetime, end: datetime) -> Sequence[str]:
        wanted = parse_selector(selector)
        found = {one.labels.get(label, "") for one in self.found if wanted.takes(one.labels)}
        return sorted(found - {""})

    def retention_seconds(self) -> float | None:
        return self.kept_seconds
