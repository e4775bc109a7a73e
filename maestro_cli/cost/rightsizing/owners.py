"""Which workload a pod belongs to, of all pods that were there in a window.

The Deployment and not its ReplicaSet, the CronJob and not its Job. Only labels are read, no samples.
Invariant: a pod that nothing owns is of no workload.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from maestro_cli.cost.cluster_series import ClusterSeries
from maestro_cli.cost.rightsizing.model import WorkloadId
from maestro_cli.cost.rightsizing.ports import History

PodKey = tuple[str, str]  # namespace and name
_POD = "kube_pod_owner"
_BETWEEN = {  # what stands between a pod and its workload: its series, and the label of its own name
    "ReplicaSet": ("kube_replicaset_owner", "replicaset"),
    "Job": ("kube_job_owner", "job_name"),
    "ReplicationController": ("kube_replicationcontroller_owner", "replicationcontroller"),
}
_NOBODY = ("", "<none>", "Node")  # a static pod belongs to its node


def read_owners(
    history: History, series: ClusterSeries, namespace: str, start: datetime, end: datetime
) -> dict[PodKey, WorkloadId]:
    """The workload of every pod of a namespace, or of all when it is empty."""
    chosen = {"namespace": namespace} if namespace else {}

    def read(metric: str) -> Iterable[Mapping[str, str]]:
        return history.label_sets(series.of(metric, chosen), start, end)

    pods = list(read(_POD))
    kinds = {labels.get("owner_kind", "") for labels in pods}
    between = {
        (kind, labels.get("namespace", ""), labels.get(name, "")): labels
        for kind, (metric, name) in _BETWEEN.items()
        if kind in kinds
        for labels in read(metric)
    }
    owned = {}
    for labels in pods:
        found = _topmost(labels, between)
        if found is not None:
            owned[labels.get("namespace", ""), labels.get("pod", "")] = found
    return owned


def _topmost(
    labels: Mapping[str, str], between: Mapping[tuple[str, str, str], Mapping[str, str]]
) -> WorkloadId | None:
    namespace = labels.get("namespace", "")
    kind, name = labels.get("owner_kind", ""), labels.get("owner_name", "")
    if kind in _NOBODY:
        return None
    above = between.get((kind, namespace, name), {})
    if above.get("owner_kind", "") not in _NOBODY:
        kind, name = above["owner_kind"], above.get("owner_name", "")
    return WorkloadId(namespace, kind, name)
