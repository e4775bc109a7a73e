"""The PromQL of anomalies: one query a measure for all services together.

Invariant: a query groups by namespace and deployment; a service without the metric is not in the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from maestro_cli.incidents.intake.anomalies.model import Measure
from maestro_cli.incidents.triage.queries import HTTP, INFERENCE, MetricFamily

WINDOW = "2m"  # of each sample: two scrapes a minute or more are needed
WINDOW_SECONDS = 120.0
JUDGED = "judged answers"
_BY = "namespace, deployment"
# What Kubernetes makes of a Deployment's name: <name>-<hash>-<5 characters>.
_POD = (
    '"deployment", "$1", "pod", "(.+)-[bcdfghjklmnpqrstvwxz2456789]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}"'
)


def _rate(selector: str, *, extra_by: str = "") -> str:
    return f"sum by ({extra_by}{_BY}) (rate({selector}[{WINDOW}]))"


def _requests(family: MetricFamily) -> str:
    return _rate(family.requests)


def _errors(family: MetricFamily) -> str:
    every = _requests(family)
    failed = _rate(f'{family.requests}{{{family.code_label}=~"{family.error_codes}"}}')
    return f"({failed} or 0 * {every}) / ({every} > 0)"


def _latency(family: MetricFamily) -> str:
    return f"histogram_quantile(0.95, {_rate(family.buckets, extra_by='le, ')})"


def _either(query: Callable[[MetricFamily], str]) -> str:
    return " or ".join(f"({query(family)})" for family in (INFERENCE, HTTP))


_ANSWERS = f'{INFERENCE.judged}{{version!="constant"'
_JUDGED = _rate(f"{_ANSWERS}}}")
_RIGHT = _rate(f'{_ANSWERS},verdict="right"}}')
_MEMORY = (
    'container_memory_working_set_bytes{container!=""}'
    ' / (container_spec_memory_limit_bytes{container!=""} > 0)'
)
_CPU = (
    f'rate(container_cpu_usage_seconds_total{{container!=""}}[{WINDOW}])'
    ' / ((container_spec_cpu_quota{container!=""} > 0) / container_spec_cpu_period{container!=""})'
)
_NEAREST = (
    f'label_replace(max by (namespace, pod) ({_MEMORY}), "of", "memory", "", "")'
    f' or label_replace(max by (namespace, pod) ({_CPU}), "of", "cpu", "", "")'
)

QUERIES: Mapping[Measure, str] = {
    Measure.REQUEST_RATE: _either(_requests),
    Measure.ERROR_RATIO: _either(_errors),
    Measure.LATENCY: _either(_latency),
    # the pod that is nearest to a limit of its own
    Measure.SATURATION: f"max by ({_BY}) (label_replace({_NEAREST}, {_POD}))",
    Measure.ACCURACY: f"({_RIGHT} or 0 * {_JUDGED}) / ({_JUDGED} > 0)",
}
JUDGED_RATE = _JUDGED

# The metrics whose series a measure reads: what it costs Prometheus grows with how many there are.
METRICS: Mapping[Measure, tuple[str, ...]] = {
    Measure.REQUEST_RATE: (INFERENCE.requests, HTTP.requests),
    Measure.ERROR_RATIO: (INFERENCE.requests, HTTP.requests),
    Measure.LATENCY: (INFERENCE.buckets, HTTP.buckets),
    Measure.SATURATION: (
        "container_memory_working_set_bytes",
        "container_spec_memory_limit_bytes",
        "container_cpu_usage_seconds_total",
        "container_spec_cpu_quota",
        "container_spec_cpu_period",
    ),
    Measure.ACCURACY: (INFERENCE.judged,),
}
_EVERY = "|".join(sorted({name for names in METRICS.values() for name in names}))
SIZES = f'count by (__name__) ({{__name__=~"{_EVERY}"}})'
