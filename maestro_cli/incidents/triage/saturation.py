"""How much of what they have the pods use: processor, memory, requests at once, and nodes under pressure.

Invariant: what nobody measures is empty, never zero; each answer is bounded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from maestro_cli.core.canonical import plain
from maestro_cli.core.facts.cluster import Pod
from maestro_cli.core.promql import promql_selector
from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.incidents.ports import Metrics
from maestro_cli.incidents.triage.facts import CaseFacts, Saturation, Tally
from maestro_cli.incidents.triage.model import Evidence
from maestro_cli.incidents.triage.page import Outcome, failed

HELD_BACK = 0.25  # of its periods: a pod that its limit holds back so often waits for its processor
NEAR_LIMIT = 0.9
_IDLE, _MANY = 0.5, 0.1
_MOST = 200
TITLE = "Saturation of pods and nodes"
_PRESSURE = 'condition=~"MemoryPressure|DiskPressure|PIDPressure",status="true"'


class SaturationQueries:
    """The queries of one workload over a window in seconds."""

    def __init__(self, workload: WorkloadRef, seconds: float) -> None:
        self._namespace = {"namespace": workload.namespace}
        self._own = {**self._namespace, "deployment": workload.name}
        self._span = f"[{prometheus_duration(seconds)}]"

    def _container(self, metric: str) -> str:
        return promql_selector(metric, self._namespace, extra='container!=""')

    @property
    def parts(self) -> Mapping[str, str]:
        """Each part's query, whose answer has the label `pod`, or `node` and `condition`."""
        each = "by (pod, container)"  # cAdvisor's usage has a label that its limits have not
        used = f"sum {each} (rate({self._container('container_cpu_usage_seconds_total')}{self._span}))"
        quota = f"max {each} ({self._container('container_spec_cpu_quota')})"
        period = f"max {each} ({self._container('container_spec_cpu_period')})"
        held = f"rate({self._container('container_cpu_cfs_throttled_periods_total')}{self._span})"
        periods = f"rate({self._container('container_cpu_cfs_periods_total')}{self._span})"
        pressure = promql_selector("kube_node_status_condition", {}, extra=_PRESSURE)
        return {
            "cpu": f"max by (pod) ({used} / (({quota} > 0) / {period}))",
            "throttled": f"max by (pod) ({held} / ({periods} > 0))",
            "in_flight": f"max by (pod) ({promql_selector('maestro_inference_in_flight', self._own)})",
            "waiting": f"sum by (pod) ({promql_selector('maestro_inference_waiting_rows', self._own)})",
            "pressure": f"{pressure} == 1",
        }


def read_saturation(metrics: Metrics, queries: SaturationQueries, now: datetime) -> Saturation:
    """Every part; raises what the source raises."""
    found: dict[str, dict[str, float]] = {}
    pressure: dict[str, str] = {}
    for part, query in queries.parts.items():
        samples = metrics.query(query, at=now).samples[:_MOST]
        if part == "pressure":
            named = [
                (one.labels.get("node", "")[:253], one.labels.get("condition", "")[:63]) for one in samples
            ]
            pressure = {node: condition for node, condition in sorted(named) if node}
            continue
        found[part] = {
            one.labels["pod"][:253]: one.value
            for one in samples
            if math.isfinite(one.value) and one.labels.get("pod")
        }
    return Saturation(**found, pressure=pressure)


def of_pods(saturation: Saturation, pods: Sequence[Pod]) -> Saturation:
    """What is said of these pods alone, and of every node."""
    names = {pod.name for pod in pods}

    def own(values: Mapping[str, float]) -> dict[str, float]:
        return {pod: value for pod, value in values.items() if pod in names}

    return Saturation(
        own(saturation.cpu), own(saturation.throttled), own(saturation.in_flight), own(saturation.waiting),
        saturation.pressure,
    )  # fmt: skip


def strained(case: CaseFacts) -> str:
    """That most pods have no processor left, in words; "" where they have, or nobody measures it."""
    held = [pod for pod, share in case.saturation.throttled.items() if share >= HELD_BACK]
    full = [pod for pod, share in case.saturation.cpu.items() if share >= NEAR_LIMIT]
    for pods, words in (
        (held, "are held back by their processor limit"),
        (full, "use all of their processor limit"),
    ):
        if case.pods and len(pods) > 0.5 * len(case.pods):
            return f"{len(pods)} of {len(case.pods)} pods {words}"
    return ""


def idle_while_failing(case: CaseFacts) -> str:
    """That requests fail though no pod has much to do, in words: too many of them is no reason then."""
    every = sum((row.tally for row in case.split), Tally())
    most = max(case.saturation.cpu.values(), default=None)
    if most is None or most >= _IDLE or (every.ratio_since or 0.0) < _MANY:
        return ""
    return f"{every.ratio_since:.0%} of the requests fail while no pod uses half of its processor limit"


def saturation_evidence(
    case: CaseFacts, asked: Outcome, queries: SaturationQueries, now: datetime
) -> Evidence:
    """The fullest pod of each part, and nodes under pressure."""
    query = "\n".join(queries.parts.values())
    if asked.error:
        return failed("saturation", TITLE, query, now, "prometheus", asked.error)
    told = []
    for part, words in (("cpu", "of its processor"), ("throttled", "of its periods held back")):
        values: Mapping[str, float] = getattr(case.saturation, part)
        if values:
            most = max(sorted(values), key=lambda pod: values[pod])
            told.append(f"{most} {100 * values[most]:.0f} % {words}")
    for part, words in (("in_flight", "requests at once"), ("waiting", "rows that wait")):
        values = getattr(case.saturation, part)
        if values:
            most = max(sorted(values), key=lambda pod: values[pod])
            told.append(f"{most} {values[most]:.0f} {words}")
    told += [f"node {node} is under {what}" for node, what in sorted(case.saturation.pressure.items())[:3]]
    summary = f"the most: {', '.join(told)}" if told else "nobody measures it"
    return Evidence(
        "saturation", TITLE, query, now, "prometheus", summary, plain(case.saturation), seconds=asked.seconds
    )
