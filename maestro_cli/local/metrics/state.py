"""The `kube_*` series from the objects of the cluster.

Invariant: pure; series, labels and the set of values (a sample for each phase and condition status)
are those of kube-state-metrics 2.x.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from maestro_cli.core.quantities import parse_quantity
from maestro_cli.local.metrics.exposition import Exposition
from maestro_cli.local.objects import (
    Object,
    condition,
    controller_of,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    parse_time,
    pod_phase,
    uid_of,
)

_PHASES = ("Pending", "Succeeded", "Failed", "Unknown", "Running")
_STATUSES = ("true", "false", "unknown")
_FAMILIES = {
    "kube_deployment_status_replicas": "The number of replicas per deployment.",
    "kube_deployment_status_replicas_ready": "The number of ready replicas per deployment.",
    "kube_deployment_status_replicas_available": "The number of available replicas per deployment.",
    "kube_deployment_status_replicas_updated": "The number of updated replicas per deployment.",
    "kube_deployment_status_replicas_unavailable": "The number of unavailable replicas per deployment.",
    "kube_deployment_status_observed_generation": "The generation observed by the deployment controller.",
    "kube_deployment_status_condition": "The current status conditions of a deployment.",
    "kube_deployment_spec_replicas": "Number of desired pods for a deployment.",
    "kube_deployment_spec_paused": "Whether the deployment is paused.",
    "kube_deployment_metadata_generation": "Sequence number of the desired state.",
    "kube_deployment_created": "Unix creation timestamp.",
    "kube_deployment_labels": "Kubernetes labels converted to Prometheus labels.",
    "kube_replicaset_status_replicas": "The number of replicas per ReplicaSet.",
    "kube_replicaset_status_ready_replicas": "The number of ready replicas per ReplicaSet.",
    "kube_replicaset_status_observed_generation": "The generation observed by the ReplicaSet controller.",
    "kube_replicaset_spec_replicas": "Number of desired pods for a ReplicaSet.",
    "kube_replicaset_metadata_generation": "Sequence number of the desired state.",
    "kube_replicaset_created": "Unix creation timestamp.",
    "kube_replicaset_owner": "Information about the ReplicaSet's owner.",
    "kube_pod_info": "Information about pod.",
    "kube_pod_labels": "Kubernetes labels converted to Prometheus labels.",
    "kube_pod_owner": "Information about the Pod's owner.",
    "kube_pod_created": "Unix creation timestamp.",
    "kube_pod_status_phase": "The pods current phase.",
    "kube_pod_status_ready": "Describes whether the pod is ready to serve requests.",
    "kube_pod_container_status_ready": "Whether the container's readiness check succeeded.",
    "kube_pod_container_status_waiting_reason": "The reason the container is currently in waiting state.",
    "kube_pod_container_status_last_terminated_reason": "The last reason the container was terminated.",
    "kube_pod_container_resource_requests": "The number of requested request resource by a container.",
    "kube_pod_container_resource_limits": "The number of requested limit resource by a container.",
    "kube_node_info": "Information about a cluster node.",
    "kube_node_labels": "Kubernetes labels converted to Prometheus labels.",
    "kube_node_spec_unschedulable": "Whether a node can schedule new pods.",
    "kube_node_status_condition": "The condition of a cluster node.",
    "kube_node_status_allocatable": "The allocatable resources of a node.",
    "kube_poddisruptionbudget_created": "Unix creation timestamp.",
    "kube_poddisruptionbudget_status_current_healthy": "Current number of healthy pods.",
    "kube_poddisruptionbudget_status_desired_healthy": "Minimum desired number of healthy pods.",
    "kube_poddisruptionbudget_status_pod_disruptions_allowed": "Number of disruptions that are allowed.",
    "kube_poddisruptionbudget_status_expected_pods": "Total number of pods counted by this budget.",
    "kube_poddisruptionbudget_status_observed_generation": "Most recent generation observed.",
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The objects to describe."""

    deployments: Iterable[Object]
    replica_sets: Iterable[Object]
    pods: Iterable[Object]
    nodes: Iterable[Object]
    budgets: Iterable[Object]


def describe(snapshot: Snapshot) -> Exposition:
    """All `kube_*` series of a snapshot."""
    page = Exposition()
    for name, words in _FAMILIES.items():
        page.family(name, "gauge", words)
    page.family("kube_pod_container_status_restarts_total", "counter", "The number of container restarts.")
    for deployment in snapshot.deployments:
        _deployment(page, deployment)
    for replica_set in snapshot.replica_sets:
        _replica_set(page, replica_set)
    for pod in snapshot.pods:
        _pod(page, pod)
    for node in snapshot.nodes:
        _node(page, node)
    for budget in snapshot.budgets:
        _budget(page, budget)
    return page


def sanitized(labels: Mapping[str, str]) -> dict[str, str]:
    """Kubernetes labels as Prometheus labels: `label_app_kubernetes_io_name`."""
    result = {}
    for name, value in sorted(labels.items()):
        clean = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)
        result[f"label_{clean}"] = value
    return result


def _created(thing: Object) -> float:
    at = parse_time(metadata(thing).get("creationTimestamp"))
    return at.timestamp() if at is not None else 0.0


def _number(thing: Object, part: str, name: str) -> float:
    return float((thing.get(part) or {}).get(name) or 0)


def _conditions(page: Exposition, metric: str, thing: Object, labels: dict[str, str]) -> None:
    for entry in (thing.get("status") or {}).get("conditions") or ():
        for status in _STATUSES:
            page.add(
                metric,
                labels | {"condition": str(entry.get("type")), "status": status},
                str(entry.get("status")).lower() == status,
            )


def _deployment(page: Exposition, deployment: Object) -> None:
    labels = {"namespace": namespace_of(deployment), "deployment": name_of(deployment)}
    for suffix, field in (
        ("", "replicas"),
        ("_ready", "readyReplicas"),
        ("_available", "availableReplicas"),
        ("_updated", "updatedReplicas"),
        ("_unavailable", "unavailableReplicas"),
    ):
        page.add(f"kube_deployment_status_replicas{suffix}", labels, _number(deployment, "status", field))
    observed = _number(deployment, "status", "observedGeneration")
    page.add("kube_deployment_status_observed_generation", labels, observed)
    page.add("kube_deployment_spec_replicas", labels, _number(deployment, "spec", "replicas"))
    page.add("kube_deployment_spec_paused", labels, bool(deployment["spec"].get("paused")))
    page.add("kube_deployment_metadata_generation", labels, _number(deployment, "metadata", "generation"))
    page.add("kube_deployment_created", labels, _created(deployment))
    page.add("kube_deployment_labels", labels | sanitized(labels_of(deployment)), 1)
    _conditions(page, "kube_deployment_status_condition", deployment, labels)


def _replica_set(page: Exposition, replica_set: Object) -> None:
    labels = {"namespace": namespace_of(replica_set), "replicaset": name_of(replica_set)}
    page.add("kube_replicaset_status_replicas", labels, _number(replica_set, "status", "replicas"))
    page.add("kube_replicaset_status_ready_replicas", labels, _number(replica_set, "status", "readyReplicas"))
    observed = _number(replica_set, "status", "observedGeneration")
    page.add("kube_replicaset_status_observed_generation", labels, observed)
    page.add("kube_replicaset_spec_replicas", labels, _number(replica_set, "spec", "replicas"))
    page.add("kube_replicaset_metadata_generation", labels, _number(replica_set, "metadata", "generation"))
    page.add("kube_replicaset_created", labels, _created(replica_set))
    page.add("kube_replicaset_owner", labels | _owner(replica_set), 1)


def _owner(thing: Object) -> dict[str, str]:
    owner = controller_of(thing)
    if owner is None:
        return {"owner_kind": "", "owner_name": "", "owner_is_controller": ""}
    return {"owner_kind": owner["kind"], "owner_name": owner["name"], "owner_is_controller": "true"}


def _pod(page: Exposition, pod: Object) -> None:
    labels = {"namespace": namespace_of(pod), "pod": name_of(pod), "uid": uid_of(pod)}
    owner, status = _owner(pod), pod.get("status") or {}
    page.add(
        "kube_pod_info",
        labels
        | {
            "host_ip": status.get("hostIP", ""),
            "pod_ip": status.get("podIP", ""),
            "node": pod["spec"].get("nodeName") or "",
            "created_by_kind": owner["owner_kind"],
            "created_by_name": owner["owner_name"],
            "priority_class": pod["spec"].get("priorityClassName", ""),
            "host_network": str(bool(pod["spec"].get("hostNetwork"))).lower(),
        },
        1,
    )
    page.add("kube_pod_owner", labels | owner, 1)
    page.add("kube_pod_labels", labels | sanitized(labels_of(pod)), 1)
    page.add("kube_pod_created", labels, _created(pod))
    for phase in _PHASES:
        page.add("kube_pod_status_phase", labels | {"phase": phase}, pod_phase(pod) == phase)
    ready = condition(pod, "Ready")
    told = str(ready.get("status")).lower() if ready is not None else "false"
    for value in _STATUSES:
        page.add("kube_pod_status_ready", labels | {"condition": value}, told == value)
    for entry in status.get("containerStatuses") or ():
        _container_status(page, labels | {"container": entry["name"]}, entry)
    for container in pod["spec"]["containers"]:
        _resources(page, labels | {"container": container["name"]}, pod, container)


def _container_status(page: Exposition, labels: dict[str, str], entry: Object) -> None:
    page.add("kube_pod_container_status_restarts_total", labels, entry.get("restartCount", 0))
    page.add("kube_pod_container_status_ready", labels, bool(entry.get("ready")))
    waiting = (entry.get("state") or {}).get("waiting")
    if waiting:
        reason = {"reason": waiting.get("reason", "")}
        page.add("kube_pod_container_status_waiting_reason", labels | reason, 1)
    last = (entry.get("lastState") or {}).get("terminated")
    if last:
        reason = {"reason": last.get("reason", "")}
        page.add("kube_pod_container_status_last_terminated_reason", labels | reason, 1)


def _resources(page: Exposition, labels: dict[str, str], pod: Object, container: Object) -> None:
    node = {"node": pod["spec"].get("nodeName") or ""}
    for side in ("requests", "limits"):
        for resource, quantity in ((container.get("resources") or {}).get(side) or {}).items():
            unit = {"resource": resource, "unit": "core" if resource == "cpu" else "byte"}
            value = _quantity(quantity)
            page.add(f"kube_pod_container_resource_{side}", labels | node | unit, value)


def _quantity(text: str | int) -> float:
    try:
        return parse_quantity(text)
    except ValueError:
        return 0.0


def _node(page: Exposition, node: Object) -> None:
    labels = {"node": name_of(node)}
    info = (node.get("status") or {}).get("nodeInfo") or {}
    page.add(
        "kube_node_info",
        labels
        | {
            "kernel_version": info.get("kernelVersion", ""),
            "os_image": info.get("osImage", ""),
            "container_runtime_version": info.get("containerRuntimeVersion", ""),
            "kubelet_version": info.get("kubeletVersion", ""),
            "provider_id": node["spec"].get("providerID", ""),
        },
        1,
    )
    page.add("kube_node_labels", labels | sanitized(labels_of(node)), 1)
    page.add("kube_node_spec_unschedulable", labels, bool(node["spec"].get("unschedulable")))
    _conditions(page, "kube_node_status_condition", node, labels)
    for resource, quantity in ((node.get("status") or {}).get("allocatable") or {}).items():
        unit = {"cpu": "core", "pods": "integer"}.get(resource, "byte")
        sample = labels | {"resource": resource.replace("-", "_"), "unit": unit}
        page.add("kube_node_status_allocatable", sample, _quantity(quantity))


def _budget(page: Exposition, budget: Object) -> None:
    labels = {"namespace": namespace_of(budget), "poddisruptionbudget": name_of(budget)}
    page.add("kube_poddisruptionbudget_created", labels, _created(budget))
    for suffix, field in (
        ("current_healthy", "currentHealthy"),
        ("desired_healthy", "desiredHealthy"),
        ("pod_disruptions_allowed", "disruptionsAllowed"),
        ("expected_pods", "expectedPods"),
        ("observed_generation", "observedGeneration"),
    ):
        page.add(f"kube_poddisruptionbudget_status_{suffix}", labels, _number(budget, "status", field))
