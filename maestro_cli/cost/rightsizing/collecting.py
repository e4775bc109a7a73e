"""Samples of pods become the usage of the containers of their workload, for all three rules at once.

Units: milliseconds since 1970 where a name says so, else seconds; cores and bytes. Invariant: of a container
that several series or jobs show at one instant, the largest counts, as `max by` has it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from maestro_cli.cost.rightsizing import krr_rule
from maestro_cli.cost.rightsizing.grid import (
    NEWEST,
    Engine,
    Grid,
    Times,
    latest_on,
    placed_on,
    quantile_of,
    rates_on,
)
from maestro_cli.cost.rightsizing.krr_rule import KrrSeries, one_job
from maestro_cli.cost.rightsizing.model import Seen, Usage, Vector
from maestro_cli.slo.ports import RawSeries

SPAN = timedelta(days=14)
BEFORE = timedelta(minutes=5)  # what PromQL looks back at the first instant
_MEAN_MS = 300_000
_LEAST_MEAN_MS = 5_000
_MEANS = 240  # of a short span
_DAY_MS = 86_400_000
_HOUR_SECONDS = 3600
_INSIDE_SECONDS = 0.001  # a mean is of the time before its instant
_WEEK_HOURS = 168

Key = tuple[str, str, str]  # namespace, pod, container


def mean_ms(span_ms: int) -> int:
    """Five minutes; of less than a day a part of it, so that there are enough to tell percentiles."""
    return _MEAN_MS if span_ms >= _DAY_MS else max(_LEAST_MEAN_MS, span_ms // _MEANS // 1000 * 1000)


@dataclass(frozen=True)
class Window:
    """What is looked at: so long until `end`, by an engine of PromQL."""

    end: datetime
    span: timedelta = SPAN
    engine: Engine = NEWEST

    @property
    def start(self) -> datetime:
        return self.end - self.span

    @cached_property
    def krr(self) -> Grid:
        """The steps of KRR's subqueries; its history is 14 days, whatever is looked at here."""
        return self._grid(krr_rule.HISTORY_SECONDS * 1000, krr_rule.STEP_SECONDS * 1000)

    @cached_property
    def means(self) -> Grid:
        span_ms = round(self.span.total_seconds() * 1000)
        return self._grid(span_ms, mean_ms(span_ms))

    def _grid(self, range_ms: int, step_ms: int) -> Grid:
        return Grid(round(self.end.timestamp() * 1000), range_ms, step_ms, self.engine)


@dataclass(frozen=True, slots=True)
class Sampled:
    """One container of one pod: means or peaks with their times, samples, and KRR's figures by job.

    `ends` are the times that each sampled hour's first and last are at, in seconds since 1970.
    """

    values: Vector
    times: Vector
    ends: Vector
    samples: int
    figures: Mapping[str, float]
    points: Mapping[str, float]


def used_by(window: Window, series: Iterable[RawSeries]) -> dict[Key, Sampled]:
    """Processor time of each container: five-minute means, and the quantile that KRR asks for."""
    import numpy as np

    found = {}
    for key, jobs in _by_container(series).items():
        means = np.full(window.means.count, np.nan)
        figures: dict[str, float] = {}
        points: dict[str, float] = {}
        samples = 0
        for job, several in jobs.items():
            rates, seen = np.full(window.krr.count, np.nan), np.full(window.krr.count, np.nan)
            for times, values in several:
                means = np.fmax(means, rates_on(placed_on(window.means, times, values)))
                placed = placed_on(window.krr, times, values)
                rates = np.fmax(rates, rates_on(placed))
                seen = np.fmax(seen, latest_on(placed))
                samples += len(times)
            figure, count = quantile_of(rates, krr_rule.QUANTILE), int((~np.isnan(seen)).sum())
            _note(job, figure, count, figures, points)
        known = np.flatnonzero(~np.isnan(means))
        at = window.means.instants[known] / 1000
        found[key] = Sampled(means[known], at, _ends(at - _INSIDE_SECONDS), samples, figures, points)
    return found


def held_by(window: Window, series: Iterable[RawSeries]) -> dict[Key, Sampled]:
    """Memory of each container: the largest working set of each day before the end, and KRR's."""
    import numpy as np

    end_ms, start_ms = window.means.end_ms, window.means.end_ms - window.means.range_ms
    days = math.ceil(window.span / timedelta(days=1))
    found = {}
    for key, jobs in _by_container(series).items():
        peaks = np.full(days, np.nan)
        figures: dict[str, float] = {}
        points: dict[str, float] = {}
        ends = []
        samples = 0
        for job, several in jobs.items():
            seen = np.full(window.krr.count, np.nan)
            for times, values in several:
                seen = np.fmax(seen, latest_on(placed_on(window.krr, times, values)))
                inside = times >= start_ms if window.engine.is_closed else times > start_ms
                if inside.any():
                    day = np.minimum((end_ms - times[inside]) // _DAY_MS, days - 1)
                    first = np.flatnonzero(np.diff(day, prepend=-1))
                    peaks[day[first]] = np.fmax(peaks[day[first]], np.fmax.reduceat(values[inside], first))
                ends.append(_ends(times[inside] / 1000))
                samples += int(np.count_nonzero(inside))
            there = seen[~np.isnan(seen)]
            _note(job, float(there.max()) if len(there) else math.nan, len(there), figures, points)
        known = np.flatnonzero(~np.isnan(peaks))[::-1]
        at = (end_ms - known * _DAY_MS) / 1000
        found[key] = Sampled(peaks[known], at, _joined(ends), samples, figures, points)
    return found


def _ends(times: Vector) -> Vector:
    """Of times in ascending order the first and the last of each hour: what tells hours and the span."""
    import numpy as np

    if not len(times):
        return times
    begins = (
        np.flatnonzero(np.diff(np.floor(times / _HOUR_SECONDS))) + 1
    )  # `//` of floats takes 40 times as long
    at = np.concatenate(([0], np.column_stack((begins - 1, begins)).ravel(), [len(times) - 1]))
    found: Vector = times[at[np.diff(at, prepend=-1) > 0]]
    return found


def _note(job: str, figure: float, count: int, figures: dict[str, float], points: dict[str, float]) -> None:
    """Where PromQL has no number there is no series in its answer."""
    if not math.isnan(figure):
        figures[job] = figure
    if count:
        points[job] = float(count)


def _by_container(series: Iterable[RawSeries]) -> dict[Key, dict[str, list[tuple[Times, Vector]]]]:
    import numpy as np

    found: dict[Key, dict[str, list[tuple[Times, Vector]]]] = {}
    for one in series:
        labels = one.labels
        key = (labels.get("namespace", ""), labels.get("pod", ""), labels.get("container", ""))
        times = np.rint(np.asarray(one.times, dtype=np.float64) * 1000).astype(np.int64)
        values = np.asarray(one.values, dtype=np.float64)
        known = ~np.isnan(values)
        if not known.all():
            times, values = times[known], values[known]
        found.setdefault(key, {}).setdefault(labels.get("job", ""), []).append((times, values))
    return found


@dataclass(slots=True)
class Collected:
    """Of one container of a workload, pod by pod, until all its pods are read."""

    step_seconds: float
    means: list[Vector] = field(default_factory=list)
    mean_times: list[Vector] = field(default_factory=list)
    peaks: list[Vector] = field(default_factory=list)
    peak_times: list[Vector] = field(default_factory=list)
    cpu_ends: list[Vector] = field(default_factory=list)
    memory_ends: list[Vector] = field(default_factory=list)
    memory_samples: int = 0
    cpu: dict[str, float] = field(default_factory=dict)
    cpu_points: dict[str, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    memory_points: dict[str, float] = field(default_factory=dict)

    def add_used(self, pod: str, found: Sampled) -> None:
        self.means.append(found.values)
        self.mean_times.append(found.times)
        self.cpu_ends.append(found.ends)
        _add(pod, found, self.cpu, self.cpu_points)

    def add_held(self, pod: str, found: Sampled) -> None:
        self.peaks.append(found.values)
        self.peak_times.append(found.times)
        self.memory_ends.append(found.ends)
        self.memory_samples += found.samples
        _add(pod, found, self.memory, self.memory_points)

    def usage(self, watched: Times) -> Usage:
        """`watched`: hours since 1970 that count as its own, for what runs at times and not always."""
        return Usage(
            cpu=_joined(self.means),
            cpu_times=_joined(self.mean_times),
            peaks=_joined(self.peaks),
            peak_times=_joined(self.peak_times),
            memory_points=float(self.memory_samples),
            cpu_seen=_seen(watched, _joined(self.cpu_ends)),
            memory_seen=_seen(watched, _joined(self.memory_ends)),
        )

    @property
    def krr(self) -> KrrSeries:
        return KrrSeries(self.cpu, self.cpu_points, self.memory, self.memory_points)

    @property
    def first(self) -> float:
        """When it was seen first, in seconds since 1970."""
        return min(
            (float(times[0]) - self.step_seconds for times in self.mean_times if len(times)), default=0.0
        )

    @property
    def hours(self) -> float:
        """In how many hours there was one at all."""
        import numpy as np

        times = _joined(self.mean_times)
        if not len(times):
            return 0.0
        steps = np.rint((times - times.min()) / self.step_seconds).astype(np.int64)
        return int(np.count_nonzero(np.bincount(steps))) * self.step_seconds / _HOUR_SECONDS

    @property
    def pod_hours(self) -> float:
        """How many hours there was such a container, all pods together."""
        return sum(len(times) for times in self.mean_times) * self.step_seconds / _HOUR_SECONDS


def _add(pod: str, found: Sampled, figures: dict[str, float], points: dict[str, float]) -> None:
    if found.figures:
        figures[pod] = one_job(found.figures)
    if found.points:
        points[pod] = one_job(found.points)


def _joined(parts: list[Vector]) -> Vector:
    import numpy as np

    return np.concatenate(parts) if parts else np.empty(0)


def _seen(watched: Times, times: Vector) -> Seen:
    """The span of these times, and the share of a week's hours that are theirs or were watched since."""
    import numpy as np

    if not len(times):
        return Seen()
    own = (times // _HOUR_SECONDS).astype(np.int64)
    hours = np.concatenate((watched[watched >= own.min()], own))
    week = len(np.unique(hours % _WEEK_HOURS)) / _WEEK_HOURS
    return Seen(float(times.max() - times.min()), week)
