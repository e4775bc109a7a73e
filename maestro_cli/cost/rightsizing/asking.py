"""The PromQL for facts, each one query for all of a cluster or for a portion of its pods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from maestro_cli.cost.cluster_series import ClusterSeries
from maestro_cli.cost.rightsizing.chunks import selector_of
from maestro_cli.cost.rightsizing.owners import PodKey

_OF_CONTAINER = "max by (namespace, pod, container"
RESTARTS = "kube_pod_container_status_restarts_total"
ENDED = "kube_pod_container_status_last_terminated_reason"
GPU = "DCGM_FI_DEV_GPU_UTIL"
OOM_REASON = 'reason="OOMKilled"'
NODE_INFO = "kube_node_info"
NODE_LABELS = "kube_node_labels"
# what is asked for and is not placed by
_RESOURCES = 'resource!~"ephemeral_storage|storage|attachable_volumes_.*"'


@dataclass(frozen=True, slots=True)
class FactQueries:
    """Of the series of one cluster, over one span as PromQL writes it."""

    series: ClusterSeries = field(default_factory=ClusterSeries)
    span: str = "14d"

    def sizes_now(self, side: str) -> str:
        """`side` is requests or limits: of every container, by resource."""
        selector = self.series.of(f"kube_pod_container_resource_{side}", extra=_RESOURCES)
        return f"{_OF_CONTAINER}, resource) ({selector})"

    def sizes_once(self, side: str, pods: Sequence[PodKey]) -> str:
        """Of pods that may be gone."""
        selector = selector_of(self.series, f"kube_pod_container_resource_{side}", pods)
        return f"{_OF_CONTAINER}, resource) (last_over_time({selector}[{self.span}]))"

    def phases(self, pods: Sequence[PodKey] = ()) -> str:
        """1 for each pod that runs or waits; of these pods, where any are given."""
        runs = 'phase=~"Running|Pending"'
        metric = "kube_pod_status_phase"
        return selector_of(self.series, metric, pods, runs) if pods else self.series.of(metric, extra=runs)

    @property
    def alive(self) -> str:
        return f"max by (namespace, pod) ({self.phases()}) == 1"

    @property
    def places(self) -> str:
        return f"max by (namespace, pod, node) ({self.series.of('kube_pod_info')})"

    @property
    def allocatable(self) -> str:
        free = self.series.of("kube_node_status_allocatable", extra=_RESOURCES)
        return f"max by (node, resource) ({free})"

    @property
    def capacity(self) -> str:
        return f"max by (node, resource) ({self.series.of('kube_node_status_capacity', extra=_RESOURCES)})"

    @property
    def node_labels(self) -> str:
        return self.series.of(NODE_LABELS)

    @property
    def node_info(self) -> str:
        return self.series.of(NODE_INFO)

    @property
    def taints(self) -> str:
        taints = self.series.of("kube_node_spec_taint")
        return f"max by (node, key, value, effect) ({taints})"

    @property
    def static_pods(self) -> str:
        """Pods that a node has of itself, without the API."""
        owned = self.series.of("kube_pod_owner", {"owner_kind": "Node"})
        return f"max by (namespace, pod, owner_name) ({owned})"

    @property
    def mounts(self) -> str:
        claims = self.series.of("kube_pod_spec_volumes_persistentvolumeclaims_info")
        return f"max by (namespace, pod) ({claims})"

    @property
    def autoscalers(self) -> str:
        return self.series.of("kube_horizontalpodautoscaler_info")

    @property
    def autoscaler_targets(self) -> str:
        return self.series.of("kube_horizontalpodautoscaler_spec_target_metric")

    def autoscaler_bound(self, which: str) -> str:
        return self.series.of(f"kube_horizontalpodautoscaler_spec_{which}_replicas")

    @property
    def gpu_busy(self) -> str:
        return f"quantile_over_time(0.95, {self.series.of(GPU)}[7d])"

    @property
    def gpu_seen(self) -> str:
        return f"count_over_time({self.series.of(GPU)}[7d:1h])"

    def kills(self, namespace: str) -> str:
        """1 for every container that was killed for its memory."""
        reasons = self._in(namespace, ENDED, OOM_REASON)
        return f"{_OF_CONTAINER}) (max_over_time({reasons}[{self.span}])) > 0"

    def killed_with(self, namespace: str) -> str:
        """The largest limit that such a container had."""
        limits = self._in(namespace, "kube_pod_container_resource_limits", 'resource="memory"')
        return self._of_killed(namespace, limits)

    def killed_at(self, namespace: str) -> str:
        """When it ended last."""
        return self._of_killed(
            namespace, self._in(namespace, "kube_pod_container_status_last_terminated_timestamp")
        )

    def restarts(self, namespace: str) -> str:
        return f"{_OF_CONTAINER}) ({self._in(namespace, RESTARTS)})"

    def told(self, metric: str, namespace: str) -> str:
        """The selector of a metric of containers."""
        return self._in(namespace, metric)

    def cpu_periods(self, which: str, pods: Sequence[PodKey]) -> str:
        """`which` is `cfs_throttled_periods` or `cfs_periods`: how many in the window."""
        selector = selector_of(self.series, f"container_cpu_{which}_total", pods)
        return f"sum by (namespace, pod, container) (increase({selector}[{self.span}]))"

    def _of_killed(self, namespace: str, selector: str) -> str:
        largest = f"{_OF_CONTAINER}) (max_over_time({selector}[{self.span}]))"
        return f"{largest} and on (namespace, pod, container) ({self.kills(namespace)})"

    def _in(self, namespace: str, metric: str, extra: str = "") -> str:
        return self.series.of(metric, {"namespace": namespace} if namespace else {}, extra=extra)
