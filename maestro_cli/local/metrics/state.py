"""The `kube_*` series from the objects of the cluster.

Invariant: pure; series, labels and the set of values (a sample for each phase and condition status)
are those of kube-state-metrics 2.x.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from maestro_cli.local.controllers.rollout import fenceposts
from maestro_cli.local.metrics import configuration, jobs, pods, tls_secrets
from maestro_cli.local.metrics.exposition import Exposition
from maestro_cli.local.metrics.labels import STATUSES, owner_labels, quantity, sanitized, unit_of
from maestro_cli.local.objects import Object, labels_of, metadata, name_of, namespace_of, parse_time

_ROLE = "node-role.kubernetes.io/"
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
    "kube_deployment_spec_strategy_rollingupdate_max_surge": "Replicas that may be above the desired number.",
    "kube_deployment_spec_strategy_rollingupdate_max_unavailable": "Replicas that may be unavailable.",
    "kube_deployment_metadata_generation": "Sequence number of the desired state.",
    "kube_deployment_created": "Unix creation timestamp.",
    "kube_deployment_labels": "Kubernetes labels converted to Prometheus labels.",
    "kube_replicaset_status_replicas": "The number of replicas per ReplicaSet.",
    "kube_replicaset_status_ready_replicas": "The number of ready replicas per ReplicaSet.",
    "kube_replicaset_status_observed_generation": "The generation observed by the ReplicaSet controller.",
    "kube_replicaset_spec_replicas": "Number of desired pods for a ReplicaSet.",
    "kube_replicaset_metadata_generation": "Sequence number of the desired state.",
    "kube_replicaset_created": "Unix creation timestamp.",
    "kube_replicaset_labels": "Kubernetes labels converted to Prometheus labels.",
    "kube_replicaset_status_fully_labeled_replicas": "The number of fully labeled replicas per ReplicaSet.",
    "kube_replicaset_owner": "Information about the ReplicaSet's owner.",
    "kube_node_info": "Information about a cluster node.",
    "kube_node_created": "Unix creation timestamp.",
    "kube_node_role": "The role of a cluster node.",
    "kube_node_spec_taint": "The taint of a cluster node.",
    "kube_node_status_addresses": "The addresses of a node.",
    "kube_node_status_capacity": "The total amount of resources available for a node.",
    "kube_node_labels": "Kubernetes labels converted to Prometheus labels.",
    "kube_node_spec_unschedulable": "Whether a node can schedule new pods.",
    "kube_node_status_condition": "The condition of a cluster node.",
    "kube_node_status_allocatable": "The allocatable resources of a node.",
    "kube_namespace_created": "Unix creation timestamp.",
    "kube_namespace_labels": "Kubernetes labels converted to Prometheus labels.",
    "kube_namespace_status_phase": "Kubernetes namespace status phase.",
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

    deployments: Iterable[Object] = ()
    replica_sets: Iterable[Object] = ()
    pods: Iterable[Object] = ()
    nodes: Iterable[Object] = ()
    budgets: Iterable[Object] = ()
    jobs: Iterable[Object] = ()
    namespaces: Iterable[Object] = ()
    tls_secrets: Iterable[Object] = ()
    config_maps: Iterable[Object] = ()


def describe(snapshot: Snapshot) -> Exposition:
    """All series of a snapshot."""
    page = Exposition()
    rooms = (pods.FAMILIES, jobs.FAMILIES, tls_secrets.FAMILIES, configuration.FAMILIES)
    for name, words in (pair for families in (_FAMILIES, *rooms) for pair in families.items()):
        page.family(name, "gauge", words)
    for name, words in pods.COUNTERS.items():
        page.family(name, "counter", words)
    for things, describe_one in (
        (snapshot.deployments, _deployment),
        (snapshot.replica_sets, _replica_set),
        (snapshot.pods, pods.describe_pod),
        (snapshot.nodes, _node),
        (snapshot.budgets, _budget),
        (snapshot.jobs, jobs.describe_job),
        (snapshot.namespaces, _namespace),
        (snapshot.tls_secrets, tls_secrets.describe_tls_secret),
        (snapshot.tls_secrets, configuration.describe_secret),
        (snapshot.config_maps, configuration.describe_config_map),
    ):
        for thing in things:
            describe_one(page, thing)
    return page


def _created(thing: Object) -> float:
    at = parse_time(metadata(thing).get("creationTimestamp"))
    return at.timestamp() if at is not None else 0.0


def _number(thing: Object, part: str, name: str) -> float:
    return float((thing.get(part) or {}).get(name) or 0)


def _conditions(
    page: Exposition, metric: str, thing: Object, labels: dict[str, str], *, reason: bool = False
) -> None:
    for entry in (thing.get("status") or {}).get("conditions") or ():
        kind = {"condition": str(entry.get("type"))}
        kind |= {"reason": str(entry.get("reason", ""))} if reason else {}
        for status in STATUSES:
            told = str(entry.get("status")).lower() == status
            page.add(metric, labels | kind | {"status": status}, told)


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
    _conditions(page, "kube_deployment_status_condition", deployment, labels, reason=True)
    update = (deployment["spec"].get("strategy") or {}).get("rollingUpdate")
    if update:
        replicas = int(_number(deployment, "spec", "replicas"))
        surge, unavailable = fenceposts(
            update.get("maxSurge", "25%"), update.get("maxUnavailable", "25%"), replicas
        )
        name = "kube_deployment_spec_strategy_rollingupdate_max"
        page.add(f"{name}_surge", labels, surge)
        page.add(f"{name}_unavailable", labels, unavailable)


def _replica_set(page: Exposition, replica_set: Object) -> None:
    labels = {"namespace": namespace_of(replica_set), "replicaset": name_of(replica_set)}
    page.add("kube_replicaset_status_replicas", labels, _number(replica_set, "status", "replicas"))
    page.add("kube_replicaset_status_ready_replicas", labels, _number(replica_set, "status", "readyReplicas"))
    observed = _number(replica_set, "status", "observedGeneration")
    page.add("kube_replicaset_status_observed_generation", labels, observed)
    page.add("kube_replicaset_spec_replicas", labels, _number(replica_set, "spec", "replicas"))
    page.add("kube_replicaset_metadata_generation", labels, _number(replica_set, "metadata", "generation"))
    page.add("kube_replicaset_created", labels, _created(replica_set))
    page.add("kube_replicaset_owner", labels | owner_labels(replica_set), 1)
    page.add("kube_replicaset_labels", labels | sanitized(labels_of(replica_set)), 1)
    labeled = _number(replica_set, "status", "fullyLabeledReplicas")
    page.add("kube_replicaset_status_fully_labeled_replicas", labels, labeled)


def _node(page: Exposition, node: Object) -> None:
    labels, status, spec = {"node": name_of(node)}, node.get("status") or {}, node["spec"]
    _node_info(page, labels, node)
    page.add("kube_node_labels", labels | sanitized(labels_of(node)), 1)
    page.add("kube_node_created", labels, _created(node))
    page.add("kube_node_spec_unschedulable", labels, bool(spec.get("unschedulable")))
    for name in labels_of(node):
        if name.startswith(_ROLE):
            page.add("kube_node_role", labels | {"role": name.removeprefix(_ROLE)}, 1)
    for taint in spec.get("taints") or ():
        told = {name: str(taint.get(name, "")) for name in ("key", "value", "effect")}
        page.add("kube_node_spec_taint", labels | told, 1)
    _conditions(page, "kube_node_status_condition", node, labels)
    for side in ("allocatable", "capacity"):
        for resource, amount in (status.get(side) or {}).items():
            page.add(f"kube_node_status_{side}", labels | unit_of(resource), quantity(amount))


def _node_info(page: Exposition, labels: dict[str, str], node: Object) -> None:
    status = node.get("status") or {}
    info, addresses = status.get("nodeInfo") or {}, status.get("addresses") or ()
    internal = next((one["address"] for one in addresses if one.get("type") == "InternalIP"), "")
    told = {
        "kernel_version": info.get("kernelVersion", ""),
        "os_image": info.get("osImage", ""),
        "container_runtime_version": info.get("containerRuntimeVersion", ""),
        "kubelet_version": info.get("kubeletVersion", ""),
        "kubeproxy_version": info.get("kubeProxyVersion", ""),
        "provider_id": node["spec"].get("providerID", ""),
        "pod_cidr": node["spec"].get("podCIDR", ""),
        "system_uuid": info.get("systemUUID", ""),
        "internal_ip": internal,
    }
    page.add("kube_node_info", labels | told, 1)
    for one in addresses:
        place = {"type": str(one.get("type", "")), "address": str(one.get("address", ""))}
        page.add("kube_node_status_addresses", labels | place, 1)


def _namespace(page: Exposition, namespace: Object) -> None:
    labels = {"namespace": name_of(namespace)}
    page.add("kube_namespace_created", labels, _created(namespace))
    page.add("kube_namespace_labels", labels | sanitized(labels_of(namespace)), 1)
    told = (namespace.get("status") or {}).get("phase") or "Active"
    for phase in ("Active", "Terminating"):
        page.add("kube_namespace_status_phase", labels | {"phase": phase}, told == phase)


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
