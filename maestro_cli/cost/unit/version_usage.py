"""What each version of a model did in a window, by the metrics of the model server and of who judges answers.

    requests, their codes     maestro_inference_requests_total
    the time they took        maestro_inference_duration_seconds
    right of judged answers   maestro_judged_answers_total
    retries                   maestro_inference_fallbacks_total: a failure that another version stood in for
    shadows                   maestro_shadow_rows_total, by service alone: its label is a route

Invariant: seven instant queries, eight where there are probes, however many versions there are; NaN, an
absent series and an empty answer are None, never 0.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from maestro_cli.core.facts.metrics import Sample
from maestro_cli.core.promql import promql_label
from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.cost.ports import Metrics
from maestro_cli.cost.unit.usage import NAMESPACE, REQUESTS, Scope

UNKNOWN_MODEL = "_unknown"  # the server's name for requests that nothing served could be found for
_DURATION = "maestro_inference_duration_seconds"
Arm: TypeAlias = tuple[str, str, str, str]  # namespace, service, model, version
_Service: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class VersionUsage:
    """One version of one model of one service; None is what nobody knows.

    `predictions` are answers with 200 that were no probes; `requests` all that were asked, `failed` those
    with another code; `seconds` what all of them took, summed. `retries` failed here, and another answered.
    """

    namespace: str
    service: str
    model: str
    version: str
    predictions: float | None
    requests: float | None = None
    failed: float | None = None
    probes: float = 0.0
    retries: float = 0.0
    seconds: float | None = None
    p95_seconds: float | None = None
    right: float | None = None
    judged: float | None = None

    @property
    def accuracy(self) -> float | None:
        return self.right / self.judged if self.right is not None and self.judged else None


@dataclass(frozen=True, slots=True)
class ServiceTraffic:
    """All versions of one service, and the rows that it and its shadows answered.

    `unserved` requests were for what is not served.
    """

    namespace: str
    service: str
    versions: tuple[VersionUsage, ...]
    unserved: float = 0.0
    rows: float | None = None
    shadow_rows: float | None = None


@dataclass(frozen=True, slots=True)
class VersionQueries:
    """The PromQL for a scope and a window; raises ValueError for what is not a label name."""

    scope: Scope
    window_seconds: float

    def _grown(self, metric: str, extra: str = "") -> str:
        selector = self.scope.of(metric, extra=extra)
        return f"increase({selector}[{prometheus_duration(self.window_seconds)}])"

    def _by(self, *more: str) -> str:
        return ", ".join((NAMESPACE, promql_label(self.scope.label), *more))

    @property
    def requests(self) -> str:
        return f"sum by ({self._by('model', 'version', 'code')}) ({self._grown(REQUESTS)})"

    @property
    def no_probes(self) -> str:
        """The same without probes."""
        return (
            f"sum by ({self._by('model', 'version', 'code')}) ({self._grown(REQUESTS, self.scope.no_probes)})"
        )

    @property
    def seconds(self) -> str:
        return f"sum by ({self._by('model', 'version')}) ({self._grown(f'{_DURATION}_sum')})"

    @property
    def p95(self) -> str:
        buckets = f"sum by ({self._by('model', 'version', 'le')}) ({self._grown(f'{_DURATION}_bucket')})"
        return f"histogram_quantile(0.95, {buckets})"

    @property
    def judged(self) -> str:
        grown = self._grown("maestro_judged_answers_total")
        return f"sum by ({self._by('model', 'version', 'verdict')}) ({grown})"

    @property
    def retries(self) -> str:
        grown = self._grown("maestro_inference_fallbacks_total")
        return f"sum by ({self._by('model', 'version')}) ({grown})"

    @property
    def rows(self) -> str:
        return f"sum by ({self._by()}) ({self._grown('maestro_inference_rows_total')})"

    @property
    def shadow_rows(self) -> str:
        return f"sum by ({self._by()}) ({self._grown('maestro_shadow_rows_total')})"


def measure_versions(
    metrics: Metrics, scope: Scope, end: datetime, window_seconds: float
) -> tuple[ServiceTraffic, ...]:
    """Every service of the scope that answered or was asked in the window, by namespace and name.

    Raises MaestroError when Prometheus cannot be asked.
    """
    queries = VersionQueries(scope, window_seconds)

    def ask(promql: str) -> tuple[Sample, ...]:
        return tuple(one for one in metrics.query(promql, at=end).samples if math.isfinite(one.value))

    asked = _by_label(scope, ask(queries.requests), "code")
    counted = _by_label(scope, ask(queries.no_probes), "code") if scope.probes else asked
    judged = _by_label(scope, ask(queries.judged), "verdict")
    seconds, p95, retries = (
        _by_arm(scope, ask(one)) for one in (queries.seconds, queries.p95, queries.retries)
    )
    rows, shadow_rows = (
        {scope.key(one.labels): one.value for one in ask(promql)}
        for promql in (queries.rows, queries.shadow_rows)
    )
    services: defaultdict[_Service, list[VersionUsage]] = defaultdict(list)
    unserved: defaultdict[_Service, float] = defaultdict(float)
    for arm, codes in sorted(asked.items()):
        if arm[2] == UNKNOWN_MODEL:
            unserved[arm[:2]] += sum(codes.values())
            continue
        told = judged.get(arm, {})
        services[arm[:2]].append(
            VersionUsage(
                *arm,
                predictions=counted.get(arm, {}).get("200"),
                requests=sum(codes.values()),
                failed=sum(count for code, count in codes.items() if code != "200"),
                probes=sum(codes.values()) - sum(counted.get(arm, {}).values()),
                retries=retries.get(arm, 0.0),
                seconds=seconds.get(arm),
                p95_seconds=p95.get(arm),
                right=told.get("right", 0.0) if told else None,
                judged=sum(told.values()) if told else None,
            )
        )
    return tuple(
        ServiceTraffic(*key, tuple(found), unserved[key], rows.get(key), shadow_rows.get(key))
        for key, found in sorted(services.items())
    )


def _arm(scope: Scope, labels: Mapping[str, str]) -> Arm:
    namespace, service = scope.key(labels)
    return namespace, service, str(labels.get("model", "")), str(labels.get("version", ""))


def _by_arm(scope: Scope, samples: Iterable[Sample]) -> dict[Arm, float]:
    return {_arm(scope, one.labels): one.value for one in samples}


def _by_label(scope: Scope, samples: Iterable[Sample], label: str) -> dict[Arm, dict[str, float]]:
    found: defaultdict[Arm, dict[str, float]] = defaultdict(dict)
    for one in samples:
        found[_arm(scope, one.labels)][str(one.labels.get(label, ""))] = one.value
    return dict(found)
