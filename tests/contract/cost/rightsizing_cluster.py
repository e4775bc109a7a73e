"""A cluster with one workload for each thing that right-sizing looks at, on three nodes in two zones."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from tests.contract.cost.recorded_cluster import (
    DAY,
    DAYS,
    Pod,
    Recording,
    constant,
    counter,
    daily,
    record_owner,
    record_pod,
)

GIB = 2.0**30
MIB = 2.0**20
CONTAINER = "main"
WIDE = {"cpu": 2.0, "memory": 2 * GIB}
NIGHTLY = {"cpu": 4.0, "memory": 2 * GIB}
CRAMPED = {"cpu": 1.0, "memory": GIB}
NODES = (("n1", "a"), ("n2", "b"), ("n3", "a"))


def record_cluster() -> str:
    """shop: wide (too large), cramped (throttled), killed (for memory), scaled (by an autoscaler), young,
    exact (Guaranteed), nightly (a CronJob); ml: infer (on a GPU that idles); dim: what is known in part.
    """
    to = Recording()
    for name, zone in NODES:
        record_node(to, name, zone)
    for number, node in enumerate(("n1", "n2", "n1")):
        record_serving(to, "wide", WIDE, {"memory": 2 * GIB}, number=number, node=node)
    record_serving(to, "cramped", CRAMPED, CRAMPED, node="n1")
    record_serving(to, "killed", WIDE, {"memory": 1.5 * GIB}, node="n2")
    record_serving(to, "scaled", {"cpu": 1.0, "memory": 2 * GIB}, node="n3")
    record_serving(to, "young", WIDE, node="n3", begin=12 * DAY)
    record_serving(to, "exact", WIDE, WIDE, node="n2")
    record_nightly(to)
    infer = {"cpu": 0.4, "memory": GIB, "nvidia_com_gpu": 1.0}
    record_serving(to, "infer", infer, node="n1", namespace="ml")
    record_where(to)
    record_dim(to)
    record_troubles(to)
    record_autoscaler(to, "scaled", 60.0)
    to.add("up", {"job": "kubelet"}, partial(constant, 1), step=240)
    return to.text()


def record_where(to: Recording) -> None:
    """A GPU and a taint of n1, and a volume of `infer`, which is tied to its zone by it."""
    node = {"node": "n1", "job": "kube-state-metrics"}
    for which in ("allocatable", "capacity"):
        gpu = {**node, "resource": "nvidia_com_gpu", "unit": "integer"}
        to.add(f"kube_node_status_{which}", gpu, partial(constant, 1.0), step=240)
    taint = {**node, "key": "node.example.com/old", "value": "", "effect": "PreferNoSchedule"}
    to.add("kube_node_spec_taint", taint, partial(constant, 1), step=240)
    claim = {"namespace": "ml", "pod": "infer-1-0", "volume": "models", "persistentvolumeclaim": "models"}
    to.add("kube_pod_spec_volumes_persistentvolumeclaims_info", claim, partial(constant, 1), step=240)


def record_node(to: Recording, name: str, zone: str) -> None:
    labels = {"node": name, "job": "kube-state-metrics"}
    for resource, amount in (("cpu", 8.0), ("memory", 32 * GIB), ("pods", 110.0)):
        of = {**labels, "resource": resource}
        to.add("kube_node_status_allocatable", of, partial(constant, amount), step=240)
    told = {
        **labels,
        "label_topology_kubernetes_io_zone": zone,
        "label_node_kubernetes_io_instance_type": "m5.2xlarge",
    }
    to.add("kube_node_labels", told, partial(constant, 1), step=240)
    info = {**labels, "provider_id": f"aws:///eu-west-1{zone}/i-{name}"}
    to.add("kube_node_info", info, partial(constant, 1), step=240)


def record_serving(
    to: Recording,
    name: str,
    requests: Mapping[str, float],
    limits: Mapping[str, float] = MappingProxyType({}),
    *,
    node: str,
    number: int = 0,
    begin: float = 0.0,
    namespace: str = "shop",
) -> None:
    """One pod of a Deployment that uses 0.1 to 0.3 cores and 300 to 400 MB."""
    steady, held = partial(daily, least=0.1, most=0.3), partial(daily, least=3e8, most=4e8)
    pod = Pod(namespace, f"{name}-1-{number}", "ReplicaSet", f"{name}-1", steady, held, requests, limits,
              begin=begin, step=60)  # fmt: skip
    record_pod(to, pod, node=node)
    record_owner(to, "ReplicaSet", namespace, f"{name}-1", ("Deployment", name))


def record_dim(to: Recording) -> None:
    """half (its periods are told, not which were throttled), untold (why it ended), silent (how it is),
    gone (cAdvisor was away for twelve days), all of one pod.
    """
    hour = 3600.0
    seldom = ((2 * DAY, 2 * DAY + hour), (14 * DAY, 15.0 * DAY))
    for name, limits, restarts, measured in (
        ("half", {"cpu": 1.0}, 0.0, ()),
        ("untold", {}, 2.0, ()),
        ("silent", {}, None, ()),
        ("gone", {}, 0.0, seldom),
    ):
        steady, held = partial(daily, least=0.1, most=0.3), partial(daily, least=3e8, most=4e8)
        pod = Pod("dim", f"{name}-1-0", "ReplicaSet", f"{name}-1", steady, held, {"memory": GIB}, limits,
                  step=60, restarts=restarts, measured=measured)  # fmt: skip
        record_pod(to, pod)
        record_owner(to, "ReplicaSet", "dim", f"{name}-1", ("Deployment", name))
    half = {"namespace": "dim", "pod": "half-1-0", "container": CONTAINER, "job": "kubelet"}
    to.add("container_cpu_cfs_periods_total", half, counter(partial(constant, 10.0)), step=300)


def record_nightly(to: Recording) -> None:
    for day in range(DAYS):
        job = f"nightly-{day}"
        pod = Pod("shop", f"{job}-x", "Job", job, partial(constant, 1.7), partial(constant, 5e8), NIGHTLY,
                  begin=day * DAY, end=day * DAY + 3600.0, step=60)  # fmt: skip
        record_pod(to, pod)
        record_owner(to, "Job", "shop", job, ("CronJob", "nightly"))


def record_troubles(to: Recording) -> None:
    """`cramped` is throttled in a tenth of its periods, `killed` was killed on the tenth day, a GPU idles."""
    cramped = {"namespace": "shop", "pod": "cramped-1-0", "container": CONTAINER, "job": "kubelet"}
    exact = {**cramped, "pod": "exact-1-0"}
    for labels, share in ((cramped, 0.1), (exact, 0.0)):
        to.add("container_cpu_cfs_periods_total", labels, counter(partial(constant, 10.0)), step=300)
        throttled = counter(partial(constant, 10.0 * share))
        to.add("container_cpu_cfs_throttled_periods_total", labels, throttled, step=300)
    killed = {"namespace": "shop", "pod": "killed-1-0", "container": CONTAINER, "job": "kube-state-metrics"}
    reason = {**killed, "reason": "OOMKilled"}
    to.add(
        "kube_pod_container_status_last_terminated_reason",
        reason,
        partial(constant, 1),
        begin=10 * DAY,
        step=240,
    )
    at = to.start + 10 * DAY
    to.add(
        "kube_pod_container_status_last_terminated_timestamp",
        killed,
        partial(constant, at),
        begin=10 * DAY,
        step=240,
    )
    gpu = {"gpu": "0", "UUID": "GPU-1", "exported_namespace": "ml", "exported_pod": "infer-1-0"}
    to.add("DCGM_FI_DEV_GPU_UTIL", gpu, partial(daily, least=2.0, most=9.0), step=240)


def record_autoscaler(to: Recording, name: str, target: float) -> None:
    labels = {"namespace": "shop", "horizontalpodautoscaler": name, "job": "kube-state-metrics"}
    of = {"scaletargetref_kind": "Deployment", "scaletargetref_name": name}
    to.add("kube_horizontalpodautoscaler_info", {**labels, **of}, partial(constant, 1), step=240)
    bounds = (("spec_min", 1.0), ("spec_max", 10.0), ("status_desired", 10.0))
    for which, count in bounds:
        metric = f"kube_horizontalpodautoscaler_{which}_replicas"
        to.add(metric, labels, partial(constant, count), step=240)
    how = {"metric_name": "cpu", "metric_target_type": "utilization"}
    to.add(
        "kube_horizontalpodautoscaler_spec_target_metric",
        {**labels, **how},
        partial(constant, target),
        step=240,
    )
