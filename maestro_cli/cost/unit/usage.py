"""Predictions and replica-hours of services, from the metrics of the model server.

A prediction is a request that was answered with 200, whatever its rows: the server counts requests
(`maestro_inference_requests_total`). A replica is a scrape target that showed that series at any time of the
window; it counts for as long as Prometheus knows the target, answering (`up` is 1) or not. Coverage is the
share of the window in which Prometheus measured anything, times the share of replica-hours that answered.

Invariant: NaN, an absent series and an empty answer are None, never 0; label values from outside are string
literals.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from maestro_cli.core.facts.metrics import Sample, Series
from maestro_cli.core.promql import promql_label, promql_string
from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.cost.cluster_series import ClusterSeries
from maestro_cli.cost.ports import Metrics
from maestro_cli.cost.unit.figure import Usage

REQUESTS = "maestro_inference_requests_total"
NAMESPACE = "namespace"
STEPS = 120  # instants of a window at which replicas are counted
_TARGET = ("job", "instance", NAMESPACE, "pod")


@dataclass(frozen=True, slots=True)
class Scope:
    """Which services: `label` holds their names; an empty namespace or service means every one.

    Requests with one of the labels of `probes` are no predictions: somebody asked to see whether it answers.
    """

    namespace: str = ""
    service: str = ""
    label: str = "deployment"
    probes: tuple[tuple[str, str], ...] = ()
    series: ClusterSeries = field(default_factory=ClusterSeries)

    def of(self, metric: str, *, code: str = "", extra: str = "") -> str:
        """A selector of the services; raises ValueError for what is not a label name."""
        chosen = {NAMESPACE: self.namespace, self.label: self.service, "code": code}
        equal = {name: value for name, value in chosen.items() if value}
        return self.series.of(metric, equal, extra=extra)

    @property
    def no_probes(self) -> str:
        """The matchers that leave probes out; raises ValueError for what is not a label name."""
        return ",".join(f"{promql_label(name)}!={promql_string(value)}" for name, value in self.probes)

    def key(self, labels: Mapping[str, str]) -> tuple[str, str]:
        return str(labels.get(NAMESPACE, "")), str(labels.get(self.label, ""))


@dataclass(frozen=True, slots=True)
class UsageQueries:
    """The PromQL for a scope and a window; raises ValueError for what is not a label name."""

    scope: Scope
    window_seconds: float

    @property
    def _range(self) -> str:
        return prometheus_duration(self.window_seconds)

    @property
    def _service(self) -> str:
        return f"{NAMESPACE}, {promql_label(self.scope.label)}"

    @property
    def predictions(self) -> str:
        """Requests answered with 200 in the window, by service; a restart of a counter is not lost."""
        counter = self.scope.of(REQUESTS, code="200", extra=self.scope.no_probes)
        return f"sum by ({self._service}) (increase({counter}[{self._range}]))"

    @property
    def replicas(self) -> str:
        """Targets that exist at an instant, by service, of those that showed the series in the window."""
        return self._count(self.scope.series.of("up"))

    @property
    def answering(self) -> str:
        """Those of them that could be scraped."""
        return self._count(f"({self.scope.series.of('up')} == 1)")

    def _count(self, there: str) -> str:
        seen = f"last_over_time({self.scope.of(REQUESTS)}[{self._range}] @ end())"
        labels = ", ".join(dict.fromkeys((NAMESPACE, self.scope.label, *_TARGET)))
        targets = f"count by ({labels}) ({seen}) and on ({', '.join(_TARGET)}) {there}"
        return f"count by ({self._service}) ({targets})"

    @property
    def anything(self) -> str:
        """Whether Prometheus measured anything at an instant: what was no replica then was none."""
        return f"count({self.scope.series.of('up')})"


def measure_usage(metrics: Metrics, scope: Scope, end: datetime, window_seconds: float) -> tuple[Usage, ...]:
    """Every service of the scope that was seen in the window that ends then, by namespace and name.

    A service that was asked for by name and never seen is there too, with nothing known of it.
    Raises MaestroError when Prometheus cannot be asked.
    """
    queries = UsageQueries(scope, window_seconds)
    step_seconds = window_seconds / STEPS
    first = end - timedelta(seconds=window_seconds - step_seconds)

    def seconds(promql: str) -> dict[tuple[str, str], float]:
        return _seconds(scope, metrics.query_range(promql, first, end, step_seconds), step_seconds)

    predictions = _by_service(scope, metrics.query(queries.predictions, at=end).samples)
    replicas, answering = seconds(queries.replicas), seconds(queries.answering)
    measured = _coverage(metrics.query_range(queries.anything, first, end, step_seconds))
    found = predictions.keys() | replicas.keys()
    if scope.service and not found:
        found = {(scope.namespace, scope.service)}
    return tuple(
        Usage(
            namespace=key[0],
            service=key[1],
            window_seconds=window_seconds,
            predictions=predictions.get(key),
            replica_seconds=replicas.get(key),
            coverage=measured * answering.get(key, 0.0) / replicas[key] if replicas.get(key) else 0.0,
        )
        for key in sorted(found)
    )


def _by_service(scope: Scope, samples: Iterable[Sample]) -> dict[tuple[str, str], float]:
    return {scope.key(sample.labels): sample.value for sample in samples if math.isfinite(sample.value)}


def _seconds(scope: Scope, series: Iterable[Series], step_seconds: float) -> dict[tuple[str, str], float]:
    """Replica-seconds: each count stands for the step that ends with it."""
    return {
        scope.key(one.labels): step_seconds * sum(value for _, value in one.points if math.isfinite(value))
        for one in series
    }


def _coverage(series: tuple[Series, ...]) -> float:
    """The share of the steps at which Prometheus had measured anything."""
    known = {at for one in series for at, value in one.points if math.isfinite(value)}
    return min(1.0, len(known) / STEPS)
