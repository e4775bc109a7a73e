"""A small cluster of two weeks and a day as Prometheus would have scraped it, in the OpenMetrics format."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import numpy as np

END = datetime(2026, 3, 16, 12, 0, 20, tzinfo=UTC)  # a Monday
DAY = 86_400
STEP = 45  # seconds; no divisor of the steps that are asked for
DAYS = 15

Labels = Mapping[str, str]


@dataclass
class Recording:
    """Series by metric: lines of text, written in the order of names."""

    start: int = int(END.timestamp()) - DAYS * DAY
    lines: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    counters: set[str] = field(default_factory=set)

    def add(
        self, metric: str, labels: Labels, values: Callable[[float], float], *,
        begin: float = 0, end: float = DAYS * DAY, step: float = STEP, offset: float = 0.0,
    ) -> None:  # fmt: skip
        """`values` by seconds since the start; samples from `begin` to `end`."""
        told = ",".join(f'{name}="{value}"' for name, value in labels.items())
        for at in np.arange(begin + offset, end, step).tolist():
            self.lines[metric].append(f"{metric}{{{told}}} {values(at)!r} {self.start + at:.3f}")

    def text(self) -> str:
        parts = []
        for metric, lines in sorted(self.lines.items()):
            kind = "counter" if metric.endswith("_total") else "gauge"
            parts += [f"# TYPE {metric.removesuffix('_total')} {kind}", *lines]
        return "\n".join([*parts, "# EOF\n"])


def daily(at: float, least: float, most: float) -> float:
    """A day's curve; its peak is at eighteen o'clock UTC of the recording."""
    return least + (most - least) * (0.5 + 0.5 * math.sin(2 * math.pi * at / DAY))


def counter(rate: Callable[[float], float], *, resets_at: float = math.inf) -> Callable[[float], float]:
    """What a counter shows whose rate that is, roughly; it begins anew once."""
    noise = np.random.default_rng(7)
    state = {"at": 0.0, "value": 3.5}

    def value(at: float) -> float:
        state["value"] += rate(at) * (at - state["at"]) * float(noise.uniform(0.8, 1.2))
        if state["at"] < resets_at <= at:
            state["value"] = 0.01
        state["at"] = at
        return round(state["value"], 4)

    return value


@dataclass(frozen=True)
class Pod:
    """One pod, its container `main` and what it asks for."""

    namespace: str
    name: str
    owner_kind: str
    owner: str
    cpu: Callable[[float], float]
    memory: Callable[[float], float]
    requests: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    begin: float = 0
    end: float = DAYS * DAY
    job: str = "kubelet"
    step: float = STEP
    measured: tuple[tuple[float, float], ...] = ()  # when cAdvisor was; by default always
    restarts: float | None = 0.0  # None: nobody tells its status

    @property
    def labels(self) -> dict[str, str]:
        return {"namespace": self.namespace, "pod": self.name}


def record_pod(to: Recording, pod: Pod, *, node: str = "n1", offset: float = 0.0) -> None:
    """What cAdvisor and kube-state-metrics show of it; the latter every half hour, but near its end."""
    own = {**pod.labels, "container": "main"}
    span = {"begin": pod.begin, "end": pod.end}
    scraped = {**own, "job": pod.job}
    for begin, end in pod.measured or ((pod.begin, pod.end),):
        while_ = {"begin": begin, "end": end, "step": pod.step, "offset": offset}
        to.add("container_cpu_usage_seconds_total", scraped, counter(pod.cpu), **while_)
        to.add("container_memory_working_set_bytes", scraped, pod.memory, **while_)
    to.add(
        "container_memory_working_set_bytes", {**pod.labels, "container": ""}, pod.memory, step=1800, **span
    )
    told = {"job": "kube-state-metrics", **pod.labels}
    owner = {"owner_kind": pod.owner_kind, "owner_name": pod.owner}
    to.add("kube_pod_owner", {**told, **owner}, lambda _: 1, step=240, **span)
    status = {**told, "container": "main"}
    if pod.restarts is not None:
        restarts = partial(constant, pod.restarts)
        to.add("kube_pod_container_status_restarts_total", status, restarts, step=240, **span)
    to.add("kube_pod_info", {**told, "node": node}, lambda _: 1, step=240, **span)
    to.add("kube_pod_status_phase", {**told, "phase": "Running"}, lambda _: 1, step=240, **span)
    for side, amounts in (("requests", pod.requests), ("limits", pod.limits)):
        for resource, amount in amounts.items():
            unit = "core" if resource == "cpu" else "byte"
            labels = {**told, "container": "main", "node": node, "resource": resource, "unit": unit}
            to.add(f"kube_pod_container_resource_{side}", labels, partial(constant, amount), step=240, **span)


def constant(amount: float, _: float) -> float:
    """`amount` at any time."""
    return amount


def record_owner(to: Recording, kind: str, namespace: str, name: str, above: tuple[str, str]) -> None:
    """A ReplicaSet or Job and what owns it."""
    metric, label = {
        "ReplicaSet": ("kube_replicaset_owner", "replicaset"),
        "Job": ("kube_job_owner", "job_name"),
    }[kind]
    labels = {"namespace": namespace, label: name, "owner_kind": above[0], "owner_name": above[1]}
    to.add(metric, labels, lambda _: 1, step=3600)
