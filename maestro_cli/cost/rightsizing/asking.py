"""The PromQL for facts, each one query for all of a cluster or for a portion of its pods."""

from __future__ import annotations

from collections.abc import Sequence

from maestro_cli.core.promql import promql_selector
from maestro_cli.cost.rightsizing.chunks import selector_of
from maestro_cli.cost.rightsizing.owners import PodKey

_OF_CONTAINER = "max by (namespace, pod, container"
OOM_REASON = 'reason="OOMKilled"'


def sizes_now(side: str) -> str:
    """`side` is requests or limits: of every container, by resource."""
    return f'{_OF_CONTAINER}, resource) (kube_pod_container_resource_{side}{{resource=~"cpu|memory"}})'


def sizes_once(side: str, pods: Sequence[PodKey], span: str) -> str:
    """Of pods that may be gone."""
    selector = selector_of(f"kube_pod_container_resource_{side}", pods)
    return f"{_OF_CONTAINER}, resource) (last_over_time({selector}[{span}]))"


ALIVE = 'max by (namespace, pod) (kube_pod_status_phase{phase=~"Running|Pending"}) == 1'
PLACES = "max by (namespace, pod, node) (kube_pod_info)"
ALLOCATABLE = 'max by (node, resource) (kube_node_status_allocatable{resource=~"cpu|memory|pods"})'
CAPACITY = 'max by (node, resource) (kube_node_status_capacity{resource=~"cpu|memory"})'
NODE_LABELS = "kube_node_labels"
AUTOSCALERS = "kube_horizontalpodautoscaler_info"
AUTOSCALER_TARGETS = "kube_horizontalpodautoscaler_spec_target_metric"
GPU_BUSY = "quantile_over_time(0.95, DCGM_FI_DEV_GPU_UTIL[7d])"
GPU_SEEN = "count_over_time(DCGM_FI_DEV_GPU_UTIL[7d:1h])"


def autoscaler_bound(which: str) -> str:
    return f"kube_horizontalpodautoscaler_spec_{which}_replicas"


def kills(namespace: str, span: str) -> str:
    """1 for every container that was killed for its memory."""
    chosen = {"namespace": namespace} if namespace else {}
    metric = promql_selector("kube_pod_container_status_last_terminated_reason", chosen, extra=OOM_REASON)
    return f"{_OF_CONTAINER}) (max_over_time({metric}[{span}])) > 0"


def killed_with(namespace: str, span: str) -> str:
    """The largest limit that such a container had."""
    chosen = {"namespace": namespace} if namespace else {}
    metric = promql_selector("kube_pod_container_resource_limits", chosen, extra='resource="memory"')
    limits = f"{_OF_CONTAINER}) (max_over_time({metric}[{span}]))"
    return f"{limits} and on (namespace, pod, container) ({kills(namespace, span)})"


def killed_at(namespace: str, span: str) -> str:
    """When it ended last."""
    chosen = {"namespace": namespace} if namespace else {}
    metric = promql_selector("kube_pod_container_status_last_terminated_timestamp", chosen)
    times = f"{_OF_CONTAINER}) (max_over_time({metric}[{span}]))"
    return f"{times} and on (namespace, pod, container) ({kills(namespace, span)})"


def cpu_periods(which: str, pods: Sequence[PodKey], span: str) -> str:
    """`which` is `cfs_throttled_periods` or `cfs_periods`: how many in the window."""
    selector = selector_of(f"container_cpu_{which}_total", pods)
    return f"sum by (namespace, pod, container) (increase({selector}[{span}]))"


def throttling_of(namespace: str, container: str, span: str) -> str:
    """The share for one container, to tell a reader where a figure comes from."""
    chosen = {"namespace": namespace, "container": container}
    throttled, all_ = (
        f"sum(increase({promql_selector(f'container_cpu_{which}_total', chosen)}[{span}]))"
        for which in ("cfs_throttled_periods", "cfs_periods")
    )
    return f"{throttled} / {all_}"
