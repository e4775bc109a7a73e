"""The PromQL for facts, each one query for all of a cluster or for a portion of its pods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from maestro_cli.cost.cluster_series import ClusterSeries
from maestro_cli.cost.rightsizing.chunks import selector_of
from maestro_cli.cost.rightsizing.owners import PodKey

ANY: Mapping[str, str] = MappingProxyType({})
_OF_CONTAINER = "max by (namespace, pod, container"
MAIN, INIT = "kube_pod_container", "kube_pod_init_container"  # a native sidecar is of the second family
RESTARTS = "status_restarts_total"
ENDED = "status_last_terminated_reason"
ENDED_NOW = "status_terminated_reason"  # of a container that was not started again: its pod may go meanwhile
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
        """`side` is requests or limits: of containers by resource, native sidecars among them."""
        main, init = (self.series.of(f"{of}_resource_{side}", extra=_RESOURCES) for of in (MAIN, INIT))
        runs = f"{self.series.of(f'{INIT}_status_running')} == 1"
        sidecars = f"{init} and on (namespace, pod, container) ({runs})"
        return f"{_OF_CONTAINER}, resource) ({main} or {sidecars})"

    def sizes_once(self, side: str, pods: Sequence[PodKey]) -> str:
        """Of pods that may be gone."""
        selector = selector_of(self.series, f"{MAIN}_resource_{side}", pods)
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

    def autoscaler_full(self, of: Mapping[str, str] = ANY) -> str:
        """The share of the window in which each wanted all the replicas that it may have."""
        wanted, most = (self._scaling(name, of) for name in ("status_desired_replicas", "spec_max_replicas"))
        return f"avg_over_time(({wanted} >= bool {most})[{self.span}:5m])"

    def autoscaler_wanted(self, of: Mapping[str, str] = ANY) -> str:
        """The most replicas that each wanted in the window."""
        return f"max_over_time(({self._scaling('status_desired_replicas', of)})[{self.span}:5m])"

    def autoscaler_used(self, of: Mapping[str, str] = ANY) -> str:
        """The largest share of the CPU request, in percent, that each saw in the window."""
        cpu = {"metric_name": "cpu", "metric_target_type": "utilization"}
        return f"max_over_time(({self._scaling('status_target_metric', {**of, **cpu})})[{self.span}:5m])"

    def _scaling(self, name: str, of: Mapping[str, str]) -> str:
        told = self.series.of(f"kube_horizontalpodautoscaler_{name}", of)
        return f"max by (namespace, horizontalpodautoscaler) ({told})"

    @property
    def gpu_busy(self) -> str:
        return f"quantile_over_time(0.95, {self.series.of(GPU)}[7d])"

    @property
    def gpu_seen(self) -> str:
        return f"count_over_time({self.series.of(GPU)}[7d:1h])"

    def kills(self, namespace: str) -> str:
        """1 for every container that was killed for its memory."""
        ended = (self._most(namespace, name, OOM_REASON) for name in (ENDED, ENDED_NOW))
        return f"{_OF_CONTAINER}) ({' or '.join(ended)}) > 0"

    def killed_with(self, namespace: str) -> str:
        """The largest limit that such a container had."""
        return self._of_killed(namespace, self._most(namespace, "resource_limits", 'resource="memory"'))

    def killed_at(self, namespace: str) -> str:
        """When it ended last."""
        return self._of_killed(namespace, self._most(namespace, "status_last_terminated_timestamp"))

    def restarts(self, namespace: str) -> str:
        return f"{_OF_CONTAINER}) ({' or '.join(self.told(of, RESTARTS, namespace) for of in (MAIN, INIT))})"

    def told(self, family: str, name: str, namespace: str, extra: str = "") -> str:
        """The selector of a metric of containers."""
        chosen = {"namespace": namespace} if namespace else {}
        return self.series.of(f"{family}_{name}", chosen, extra=extra)

    def cpu_periods(self, which: str, pods: Sequence[PodKey]) -> str:
        """`which` is `cfs_throttled_periods` or `cfs_periods`: how many in the window."""
        selector = selector_of(self.series, f"container_cpu_{which}_total", pods)
        return f"sum by (namespace, pod, container) (increase({selector}[{self.span}]))"

    def _of_killed(self, namespace: str, most: str) -> str:
        return f"{_OF_CONTAINER}) ({most}) and on (namespace, pod, container) ({self.kills(namespace)})"

    def _most(self, namespace: str, name: str, extra: str = "") -> str:
        """Of every container the largest value in the window."""
        return " or ".join(
            f"max_over_time({self.told(of, name, namespace, extra)}[{self.span}])" for of in (MAIN, INIT)
        )
