"""The PromQL that meters a cluster: a dozen queries a chunk of time, however many workloads there are.

Names and labels are those of kube-state-metrics, cAdvisor and NVIDIA's DCGM exporter. Each is evaluated at
the end of every bin, an hour long, and looks back over it. What counts by its time is looked at each minute:
the number of looks that found something is the share of the bin that it was there. What two exporters tell
alike counts once.

Invariant: what is put in from outside is string literals and label names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from maestro_cli.cost.cluster_series import ClusterSeries

LOOK_SECONDS = 60
CPU, MEMORY, GPUS = "cpu", "memory", ("nvidia_com_gpu", "amd_com_gpu")
_RESOURCES = f'resource=~"{"|".join((CPU, MEMORY, *GPUS))}"'
_CONTAINERS = 'container!="",container!="POD",pod!=""'
_OF_ONE = "id, name, image, cpu, interface"  # labels that a container has others of once it began again
_GPU_OWNER = "namespace, pod, container, exported_namespace, exported_pod, exported_container"
CLUSTER_LABELS = ("cluster", "cluster_name", "cluster_id", "k8s_cluster", "k8s_cluster_name")
IDENTITIES = (
    "kube_pod_info",
    "kube_pod_labels",
    "kube_pod_status_qos_class",
    "kube_replicaset_owner",
    "kube_job_owner",
    "kube_namespace_labels",
    "kube_node_info",
    "kube_node_labels",
    "kube_persistentvolume_info",
    "kube_persistentvolume_claim_ref",
    "kube_persistentvolumeclaim_info",
    "kube_pod_spec_volumes_persistentvolumeclaims_info",
)


@dataclass(frozen=True, slots=True)
class MeterQueries:
    """`bin_seconds` is a whole number of looks; `match` are labels that every series must have."""

    bin_seconds: int
    match: Mapping[str, str] = field(default_factory=dict)

    def _of(self, metric: str, extra: str = "") -> str:
        return ClusterSeries(self.match).of(metric, extra=extra)

    def _share(self, there: str) -> str:
        """Looks in the bin at which there was something, times its value.

        A second less than the bin: versions 2 and 3 differ in whether a range has its beginning.
        """
        return f"sum_over_time({there}[{self.bin_seconds - 1}s:{LOOK_SECONDS}s])"

    def _mean(self, metric: str, extra: str = "") -> str:
        return f"avg_over_time({self._of(metric, extra)}[{self.bin_seconds}s])"

    def _increase(self, metric: str, extra: str) -> str:
        grown = f"increase({self._of(metric, extra)}[{self.bin_seconds}s])"
        return f"sum without ({_OF_ONE}) ({grown})"

    @property
    def running(self) -> str:
        """Looks at which a pod ran, by who told it: what waits for its image or has ended reserves nothing.

        It is 0 or 1, and added up by series: looks at sums over all pods would take ten times as long.
        """
        running = self._of("kube_pod_status_phase", 'phase="Running"')
        return f"max by (namespace, pod, uid, instance) ({self._share(running)})"

    @property
    def requests(self) -> str:
        by = "namespace, pod, uid, container, node, resource"
        return f"max by ({by}) ({self._mean('kube_pod_container_resource_requests', _RESOURCES)})"

    @property
    def cpu(self) -> str:
        """Seconds of processors."""
        grown = self._increase("container_cpu_usage_seconds_total", _CONTAINERS)
        return f"max by (namespace, pod, container, node, job) ({grown})"

    @property
    def memory(self) -> str:
        mean = self._mean("container_memory_working_set_bytes", _CONTAINERS)
        return f"max by (namespace, pod, container, node) ({mean})"

    @property
    def gpu(self) -> str:
        """Per cent of all GPUs of a container, added up."""
        each = f"max by ({_GPU_OWNER}, UUID, gpu, GPU_I_ID) ({self._mean('DCGM_FI_DEV_GPU_UTIL')})"
        return f"sum by ({_GPU_OWNER}) ({each})"

    @property
    def nodes(self) -> str:
        return self._share(f"(max by (node) ({self._of('kube_node_info')}))")

    @property
    def capacity(self) -> str:
        return f"max by (node, resource) ({self._mean('kube_node_status_capacity', _RESOURCES)})"

    @property
    def volumes(self) -> str:
        size = self._of("kube_persistentvolume_capacity_bytes")
        return self._share(f"(max by (persistentvolume) ({size}))")

    @property
    def balancers(self) -> str:
        balancers = self._of("kube_service_spec_type", 'type="LoadBalancer"')
        return self._share(f"(max by (namespace, service) ({balancers}))")

    @property
    def watched(self) -> str:
        """Looks at which anybody told what there is, and at which each of them did."""
        told = self._of("kube_node_info")
        return self._share(f"(group({told}) or group by (instance) ({told}))")

    @property
    def clashing(self) -> str:
        """Nodes of which there are several at the end of a bin: of clusters that have names alike."""
        several = f"group by (node, {', '.join(CLUSTER_LABELS)}) ({self._of('kube_node_info')})"
        return f"count by (node) ({several}) > 1"

    @property
    def sent(self) -> str:
        """Bytes that pods sent; cAdvisor does not tell where to."""
        grown = self._increase("container_network_transmit_bytes_total", 'pod!=""')
        return f"max by (namespace, pod) ({grown})"

    @property
    def identities(self) -> str:
        """What things are and belong to, of which only the labels are asked."""
        matchers = (f'__name__=~"{"|".join(IDENTITIES)}"', ClusterSeries(self.match).matchers)
        return "{" + ",".join(one for one in matchers if one) + "}"
