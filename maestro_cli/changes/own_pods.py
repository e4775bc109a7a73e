"""The pods of a workload. Invariant: whatever else has the labels that it selects is not among them."""

from __future__ import annotations

from collections.abc import Sequence

from maestro_cli.changes.ports import ClusterPort
from maestro_cli.core.facts.cluster import Pod, Workload


def own_pods(cluster: ClusterPort, workload: Workload) -> Sequence[Pod]:
    """Those that it owns, a Deployment by its ReplicaSets; raises Unreachable and Refused."""
    ref = workload.ref
    if ref.kind == "Deployment":
        owners = {("ReplicaSet", str(revision.name)) for revision in cluster.list_revisions(ref)}
    else:
        owners = {(ref.kind, ref.name)}
    found = cluster.list_pods(ref.namespace, selector=workload.selector)
    return [pod for pod in found if (pod.owner_kind, pod.owner) in owners]
