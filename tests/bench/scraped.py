"""What Prometheus has scraped of the workloads: series as cAdvisor and kube-state-metrics name them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.bench.workloads import (
    NAMESPACES,
    NODE_BYTES,
    NODE_CORES,
    NODES,
    Container,
    Pod,
    Workload,
    namespace,
    node,
)

SCRAPE_SECONDS = 60
REGION, INSTANCE_TYPE = "eu-central-1", "m5.4xlarge"
_STATE = {"job": "kube-state-metrics", "instance": "10.0.0.9:8080"}
_PHASES = ("Pending", "Running", "Succeeded", "Failed", "Unknown")
Series = dict[str, Any]  # a line that tests/peers/blocks reads


@dataclass(frozen=True, slots=True)
class Span:
    """Milliseconds since 1970: usage was scraped from `begin` to `end`, what there is until `later`."""

    begin: int
    end: int
    later: int


def series_of(all_: Iterable[Workload], span: Span) -> Iterator[Series]:
    """Every series of the cluster."""
    yield from _cluster(span)
    for one in all_:
        yield from _workload(one, span)


def _cluster(span: Span) -> Iterator[Series]:
    whole = span.begin, span.later
    yield _state("kube_state_metrics_build_info", {"version": "v2.13.0"}, whole)
    yield _state("up", {}, whole)
    yield _series("prometheus_tsdb_head_series", {"job": "prometheus"}, whole, 40_000.0)
    for number in range(NAMESPACES):
        yield _state("kube_namespace_labels", {"namespace": namespace(number)}, whole)
    for number in range(NODES):
        name = node(number)
        labels = {
            "node": name,
            "label_kubernetes_io_hostname": name,
            "label_node_kubernetes_io_instance_type": INSTANCE_TYPE,
            "label_topology_kubernetes_io_region": REGION,
            "label_topology_kubernetes_io_zone": f"{REGION}{'abc'[number % 3]}",
        }
        yield _state("kube_node_labels", labels, whole)
        yield _state("kube_node_info", {"node": name, "provider_id": f"aws:///{REGION}/{name}"}, whole)
        room = (("cpu", "core", NODE_CORES), ("memory", "byte", NODE_BYTES), ("pods", "integer", 110.0))
        for resource, unit, amount in room:
            of = {"node": name, "resource": resource, "unit": unit}
            yield _state("kube_node_status_capacity", of, whole, amount)
            yield _state("kube_node_status_allocatable", of, whole, amount)
        kubelet = {"job": "kubelet", "instance": name, "node": name}
        for metric, value in (("up", 1.0), ("machine_cpu_cores", NODE_CORES),
                              ("machine_memory_bytes", NODE_BYTES)):  # fmt: skip
            yield _series(metric, kubelet, whole, value, offset=_offset(number))


def _workload(one: Workload, span: Span) -> Iterator[Series]:
    where = {"namespace": one.namespace}
    for replica_set, begin in {pod.replica_set: pod.begin for pod in one.pods}.items():
        owner = {"owner_kind": "Deployment", "owner_name": one.name, "owner_is_controller": "true"}
        labels = {**where, "replicaset": replica_set, **owner}
        yield _state("kube_replicaset_owner", labels, (span.begin + _ms(begin), span.later))
    if one.scaled:
        yield from _autoscaler(one, span)
    last = max(pod.end for pod in one.pods)
    for turn, pod in enumerate(one.pods):
        begin, end = span.begin + _ms(pod.begin), span.begin + _ms(pod.end)
        yield from _pod(one, pod, (begin, span.later if pod.end == last else end))
        for container in one.containers:
            yield from _used(one, pod, container, (begin, end), one.number * 100 + turn * 10)


def _autoscaler(one: Workload, span: Span) -> Iterator[Series]:
    whole = span.begin, span.later
    own = {"namespace": one.namespace, "horizontalpodautoscaler": one.name}
    target = {"scaletargetref_kind": "Deployment", "scaletargetref_name": one.name}
    prefix = "kube_horizontalpodautoscaler"
    yield _state(f"{prefix}_info", {**own, "scaletargetref_api_version": "apps/v1", **target}, whole)
    yield _state(f"{prefix}_spec_min_replicas", own, whole, 1.0)
    yield _state(f"{prefix}_spec_max_replicas", own, whole, 5.0)
    for resource in one.scaled:
        labels = {**own, "metric_name": resource, "metric_target_type": "utilization"}
        yield _state(f"{prefix}_spec_target_metric", labels, whole, 70.0)


def _pod(one: Workload, pod: Pod, when: tuple[int, int]) -> Iterator[Series]:
    of = {"namespace": one.namespace, "pod": pod.name, "uid": pod.uid}
    owner = {"created_by_kind": "ReplicaSet", "created_by_name": pod.replica_set}
    yield _state("kube_pod_info", {**of, "node": node(pod.node), **owner}, when)
    owner = {"owner_kind": "ReplicaSet", "owner_name": pod.replica_set, "owner_is_controller": "true"}
    yield _state("kube_pod_owner", {**of, **owner}, when)
    yield _state("kube_pod_labels", {**of, **{f"label_{k}": v for k, v in one.labels.items()}}, when)
    yield _state("kube_pod_status_qos_class", {**of, "qos_class": "Burstable"}, when)
    for phase in _PHASES:
        yield _state("kube_pod_status_phase", {**of, "phase": phase}, when, float(phase == "Running"))
    for container in one.containers:
        its = {**of, "container": container.name, "node": node(pod.node)}
        cpu, memory = {"resource": "cpu", "unit": "core"}, {"resource": "memory", "unit": "byte"}
        metric = "kube_pod_container_resource"
        yield _state(f"{metric}_requests", {**its, **cpu}, when, container.cpu_request)
        yield _state(f"{metric}_requests", {**its, **memory}, when, container.memory_request)
        yield _state(f"{metric}_limits", {**its, **memory}, when, 2 * container.memory_request)
        if container.cpu_limit is not None:
            yield _state(f"{metric}_limits", {**its, **cpu}, when, container.cpu_limit)


def _used(
    one: Workload, pod: Pod, container: Container, when: tuple[int, int], seed: int
) -> Iterator[Series]:
    """A container that begins anew in its pod is another cgroup: a series of another `id`."""
    begin, end = when
    middle = begin + _ms(pod.restart - pod.begin) if pod.restart is not None else end
    for job in one.jobs:
        for part, (since, until) in enumerate(((begin, middle), (middle, end))):
            if since == until:
                continue
            cgroup = f"/kubepods.slice/kubepods-burstable.slice/pod{pod.uid}/{container.name}-{part}"
            labels = {
                "job": job, "instance": node(pod.node), "node": node(pod.node), "id": cgroup,
                "metrics_path": "/metrics/cadvisor",
                "image": f"registry.example/{one.name}@sha256:{seed:064x}",
                "namespace": one.namespace, "pod": pod.name, "container": container.name,
            }  # fmt: skip
            its = _offset(pod.node) + (7_000 if job != "kubelet" else 0)
            own = seed + part + (5 if job != "kubelet" else 0) + (50 if container.name == "proxy" else 0)
            shape = {"phase": one.number % 24 / 24, "seed": own}
            yield _series(
                "container_cpu_usage_seconds_total", {**labels, "cpu": "total"}, (since, until),
                container.cpu, offset=its, counts=True,
                daily=0.4, weekly=0.15, noise=0.25, spikes=0.01, spike=3.0, **shape,
            )  # fmt: skip
            yield _series(
                "container_memory_working_set_bytes", labels, (since, until), container.memory,
                offset=its, grain=4096, daily=0.08, weekly=0.05, noise=0.03, spikes=0.003, spike=0.3, **shape,
            )  # fmt: skip
            if container.cpu_limit is not None:
                for metric, rate in (("periods", 10.0), ("throttled_periods", 0.1 * (one.number % 8))):
                    name = f"container_cpu_cfs_{metric}_total"
                    yield _series(name, labels, (since, until), rate, offset=its, counts=True)


def _state(metric: str, labels: Mapping[str, str], when: tuple[int, int], value: float = 1.0) -> Series:
    return _series(metric, {**_STATE, **labels}, when, value, offset=11_000)


def _series(
    metric: str, labels: Mapping[str, str], when: tuple[int, int], level: float, *,
    offset: int = 0, **shape: float | bool,
) -> Series:  # fmt: skip
    """A target is scraped at the same instant of each minute: `offset`, in milliseconds."""
    step = SCRAPE_SECONDS * 1000
    begin = -(-(when[0] - offset) // step) * step + offset
    return {"labels": {"__name__": metric, **labels}, "from": begin, "until": when[1], "step": step,
            "level": level, **shape}  # fmt: skip


def _offset(number: int) -> int:
    return number * 1487 % (SCRAPE_SECONDS * 1000)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
