"""Models that nobody asks, caches that answer nothing, and metrics with more series than they are worth.

Invariant: five queries, whatever is served. A version that was not seen all the time is not judged, nor is
one beside which a shadow was asked: whom a shadow asks is told by its route, not by its version.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from shlex import quote

from maestro_cli.core.facts.metrics import Sample
from maestro_cli.core.quantities import counted, format_duration, prometheus_duration
from maestro_cli.cost.cluster_series import ClusterSeries
from maestro_cli.cost.ports import InstantMetrics
from maestro_cli.cost.waste.model import Kind, NotJudged, Waste

STEPS = 100
LEAST_SHARE = 0.95  # of the steps, in which a thing was seen
LEAST_LOOKUPS = 1000.0
COLD_HITS = 0.01
DEAR_SHARE = 0.05  # of all series
_VERSION = "namespace, deployment, model, version"
_WORKLOAD = "namespace, deployment"


@dataclass(frozen=True, slots=True)
class ServedQueries:
    """The PromQL for a window."""

    window_seconds: float
    series: ClusterSeries = field(default_factory=ClusterSeries)

    @property
    def _window(self) -> str:
        return prometheus_duration(self.window_seconds)

    def _steps(self, promql: str) -> str:
        step = prometheus_duration(max(1.0, round(self.window_seconds / STEPS)))
        return f"count_over_time(({promql})[{self._window}:{step}])"

    @property
    def watched(self) -> str:
        """In how many parts of the window anything was measured."""
        return self._steps(f"count({self.series.of('up')})")

    @property
    def loaded(self) -> str:
        return self._steps(f"count by ({_VERSION}) ({self.series.of('maestro_model_info')})")

    @property
    def asked(self) -> str:
        """Requests; of a counter that began in the window all it came to, which is no growth of it."""
        return self._counted(_VERSION, "maestro_inference_requests_total")

    @property
    def shadowed(self) -> str:
        return self._counted(_WORKLOAD, "maestro_shadow_rows_total")

    @property
    def looked_up(self) -> str:
        return self._grown(f"{_WORKLOAD}, result", "maestro_prediction_cache_lookups_total")

    def _counted(self, by: str, metric: str) -> str:
        series, over = self.series.of(metric), self._window
        born = f"max_over_time({series}[{over}]) unless {series} offset {over}"
        return f"sum by ({by}) ({born} or increase({series}[{over}]))"

    def _grown(self, by: str, metric: str) -> str:
        return f"sum by ({by}) (increase({self.series.of(metric)}[{self._window}]))"


def served_waste(
    metrics: InstantMetrics, series: ClusterSeries, now: datetime, window_seconds: float
) -> Iterator[Waste | NotJudged]:
    """Idle versions of models, and caches that hardly answer. Raises MaestroError."""
    queries = ServedQueries(window_seconds, series)
    steps = metrics.query(queries.watched, at=now).only or 0.0
    if steps < LEAST_SHARE * STEPS:
        why = f"Prometheus measured {steps / STEPS:.0%} of {format_duration(window_seconds)}"
        yield from (NotJudged(kind, why) for kind in (Kind.IDLE_MODEL, Kind.COLD_CACHE))
        return
    loaded = metrics.query(queries.loaded, at=now).samples
    asked = _values(metrics.query(queries.asked, at=now).samples, _VERSION)
    if not loaded or not asked:
        what = "maestro_inference_requests_total" if loaded else "maestro_model_info"
        why = f"Prometheus has no {what} in {format_duration(window_seconds)}"
        yield from (NotJudged(kind, why) for kind in (Kind.IDLE_MODEL, Kind.COLD_CACHE))
        return
    shadowed = _values(metrics.query(queries.shadowed, at=now).samples, _WORKLOAD)
    untold = 0
    for sample in loaded:
        if sample.value < LEAST_SHARE * steps or shadowed.get(_key(sample, _WORKLOAD), 0.0) != 0:
            continue
        requests = asked.get(_key(sample, _VERSION))
        untold += requests is None
        if requests == 0:  # NaN is not none
            yield _idle(sample, queries)
    if untold:
        yield NotJudged(Kind.IDLE_MODEL, f"no requests are told of {counted(untold, 'loaded version')}")
    looked_up = metrics.query(queries.looked_up, at=now).samples
    if not looked_up:
        yield NotJudged(Kind.COLD_CACHE, "no model server tells lookups of a cache")
    yield from _cold(looked_up, queries)


def _idle(sample: Sample, queries: ServedQueries) -> Waste:
    labels = sample.labels
    model, version = labels.get("model", ""), labels.get("version", "")
    evidence = f"loaded for {format_duration(queries.window_seconds)}, and no request asked it"
    namespace, deployment = labels.get("namespace", ""), labels.get("deployment", "")
    target = quote(f"{namespace}/deploy/{deployment}")
    remedy = f"maestro model unload {target} --model {quote(model)} --version {quote(version)}"
    name = f"{deployment}: {model}@{version}" if deployment else f"{model}@{version}"
    if not (namespace and deployment and version.isdecimal()):
        remedy = ""  # who it is was not told as maestro would ask for it
    return Waste(Kind.IDLE_MODEL, namespace, name, evidence, queries.asked, remedy=remedy)


def _cold(samples: Iterable[Sample], queries: ServedQueries) -> Iterator[Waste]:
    """Caches whose lookups hardly ever hit."""
    counts: dict[tuple[str, ...], dict[str, float]] = {}
    for sample in samples:
        if math.isfinite(sample.value):
            counts.setdefault(_key(sample, _WORKLOAD), {})[sample.labels.get("result", "")] = sample.value
    for (namespace, deployment), found in sorted(counts.items()):
        lookups, hits = found.get("hit", 0.0) + found.get("miss", 0.0), found.get("hit", 0.0)
        if lookups >= LEAST_LOOKUPS and hits < COLD_HITS * lookups:
            evidence = f"{hits:.0f} of {lookups:.0f} lookups found an answer"
            yield Waste(Kind.COLD_CACHE, namespace, deployment, evidence, queries.looked_up)


def dear_series(by_metric: Mapping[str, int], total: int, per_series_month: float | None) -> Iterator[Waste]:
    """Metrics that have a good part of all series, the largest first."""
    for name, count in sorted(by_metric.items(), key=lambda pair: (-pair[1], pair[0])):
        if total and count >= DEAR_SHARE * total:
            monthly = None if per_series_month is None else count * per_series_month
            evidence = f"{count} series of {total}, {count / total:.0%} of all"
            yield Waste(Kind.SERIES, "", name, evidence, "/api/v1/status/tsdb", monthly)


def _values(samples: Iterable[Sample], by: str) -> dict[tuple[str, ...], float]:
    return {_key(sample, by): sample.value for sample in samples}


def _key(sample: Sample, by: str) -> tuple[str, ...]:
    return tuple(sample.labels.get(name, "") for name in by.split(", "))
