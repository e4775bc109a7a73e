"""Every PromQL query of triage, in one table.

Invariant: a query is a function of a metric family and a workload; label values pass through
`core.promql`, label and metric names are checked when a family is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from maestro_cli.core.promql import promql_label, promql_name, promql_selector, promql_string
from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.core.refs import WorkloadRef

_OF_MODELS = 'version!="constant"'  # a default that the routing gives is nobody's mistake


@dataclass(frozen=True, slots=True)
class MetricFamily:
    """How one kind of service counts its requests.

    `dimensions` maps our words (pod, node, revision, version) to its labels; a word it lacks is left
    out of splits. `workload_label` holds the workload's name. `judged` counts answers whose truth is known,
    by the labels version and verdict (right, wrong); empty where nobody counts them.
    """

    requests: str
    buckets: str
    code_label: str = "code"
    error_codes: str = "5.."
    namespace_label: str = "namespace"
    workload_label: str = "deployment"
    dimensions: Mapping[str, str] = field(default_factory=dict)
    judged: str = ""
    segment_label: str = ""  # of the counter of requests alone: the part of the traffic, such as a tenant

    def __post_init__(self) -> None:
        promql_name(self.requests)
        promql_name(self.buckets)
        for label in (self.code_label, self.namespace_label, self.workload_label, *self.dimensions.values()):
            promql_label(label)
        if self.segment_label:
            promql_label(self.segment_label)

    def select(self, metric: str, workload: WorkloadRef, *, errors: bool = False, extra: str = "") -> str:
        """The selector of one workload's series; with `errors` only those of failed requests."""
        equal = {self.namespace_label: workload.namespace, self.workload_label: workload.name}
        extra = f"{self.code_label}=~{promql_string(self.error_codes)}" if errors else extra
        return promql_selector(metric, equal, extra=extra)


INFERENCE = MetricFamily(
    requests="maestro_inference_requests_total",
    buckets="maestro_inference_duration_seconds_bucket",
    dimensions={"pod": "pod", "node": "node", "revision": "revision", "version": "version"},
    judged="maestro_judged_answers_total",
    segment_label="route",
)
HTTP = MetricFamily(
    requests="http_requests_total",
    buckets="http_request_duration_seconds_bucket",
    dimensions={"pod": "pod", "node": "node"},
)


@dataclass(frozen=True, slots=True)
class Queries:
    """The table for one workload; every window is in seconds."""

    family: MetricFamily
    workload: WorkloadRef

    def _increase(self, seconds: float, *, errors: bool = False) -> str:
        selector = self.family.select(self.family.requests, self.workload, errors=errors)
        return f"increase({selector}[{prometheus_duration(seconds)}])"

    def _rate(self, metric: str, seconds: float, *, errors: bool = False) -> str:
        selector = self.family.select(metric, self.workload, errors=errors)
        return f"rate({selector}[{prometheus_duration(seconds)}])"

    def scrapes_in_a_minute(self) -> str:
        """The most samples that one series got in the last minute: tells the scrape interval."""
        return f"max(count_over_time({self.family.select(self.family.requests, self.workload)}[1m]))"

    def request_rate(self, seconds: float) -> str:
        return f"sum({self._rate(self.family.requests, seconds)})"

    def versions(self, kind: str, names: Iterable[str]) -> str:
        """The resource version of objects of the namespace; `kind` is configmap or secret."""
        metric = f"kube_{kind}_metadata_resource_version"
        wanted = promql_string("|".join(re.escape(name) for name in sorted(names)))
        return promql_selector(metric, {"namespace": self.workload.namespace}, extra=f"{kind}=~{wanted}")

    def memory_share(self) -> str:
        """What each pod of the namespace uses of its memory limit, by the container that is nearest to it."""
        used, limit = (
            promql_selector(metric, {"namespace": self.workload.namespace}, extra='container!=""')
            for metric in ("container_memory_working_set_bytes", "container_spec_memory_limit_bytes")
        )
        return f"max by (pod) ({used} / ({limit} > 0))"

    def error_ratio(self, seconds: float) -> str:
        """Failed over all requests; 0 where there are requests and no failed series."""
        failed = f"sum({self._rate(self.family.requests, seconds, errors=True)})"
        every = self.request_rate(seconds)
        return f"({failed} or 0 * {every}) / ({every} > 0)"

    def p95(self, seconds: float) -> str:
        return f"histogram_quantile(0.95, sum by (le) ({self._rate(self.family.buckets, seconds)}))"

    def wrong_ratio(self, seconds: float) -> str:
        """Wrong over all judged answers; the family has `judged`."""
        span = prometheus_duration(seconds)
        every = self.family.select(self.family.judged, self.workload, extra=_OF_MODELS)
        wrong = self.family.select(self.family.judged, self.workload, extra=f'{_OF_MODELS},verdict="wrong"')
        return f"sum(rate({wrong}[{span}])) / (sum(rate({every}[{span}])) > 0)"

    def judged_split(self, seconds: float) -> str:
        """Judged answers in a window by version and verdict."""
        selector = self.family.select(self.family.judged, self.workload, extra=_OF_MODELS)
        return f"sum by (version, verdict) (increase({selector}[{prometheus_duration(seconds)}]))"

    def _by(self, *extra: str) -> str:
        return ", ".join([*sorted(self.family.dimensions.values()), *extra])

    def requests_split(self, seconds: float) -> str:
        """Requests in a window by every dimension, segment and code."""
        segment = (self.family.segment_label,) if self.family.segment_label else ()
        return f"sum by ({self._by(*segment, self.family.code_label)}) ({self._increase(seconds)})"

    def p95_split(self, dimension: str, seconds: float) -> str:
        """The 95th percentile by one dimension."""
        label = self.family.dimensions[dimension]
        rate = self._rate(self.family.buckets, seconds)
        return f"histogram_quantile(0.95, sum by (le, {label}) ({rate}))"

    def requests_total(self, seconds: float) -> str:
        return f"sum({self._increase(seconds)})"

    def errors_total(self, seconds: float) -> str:
        return f"sum({self._increase(seconds, errors=True)})"
