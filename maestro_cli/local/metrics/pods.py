"""The `kube_pod_*` series of one pod.

Invariant: pure; names, labels and the set of values are those of kube-state-metrics 2.x: a state that
can be true or false has a sample for each, a reason has one only while there is a reason.
"""

from __future__ import annotations

from collections.abc import Iterator

from maestro_cli.local.metrics.exposition import Exposition
from maestro_cli.local.metrics.labels import STATUSES, owner_labels, quantity, sanitized, unit_of
from maestro_cli.local.objects import (
    Object,
    condition,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    parse_time,
    pod_phase,
    uid_of,
)

_PHASES = ("Pending", "Succeeded", "Failed", "Unknown", "Running")
_REASONS = ("Evicted", "NodeAffinity", "NodeLost", "Shutdown", "UnexpectedAdmissionError")
_STATES = ("waiting", "running", "terminated")
FAMILIES = {
    "kube_pod_info": "Information about pod.",
    "kube_pod_labels": "Kubernetes labels converted to Prometheus labels.",
    "kube_pod_owner": "Information about the Pod's owner.",
    "kube_pod_created": "Unix creation timestamp.",
    "kube_pod_deletion_timestamp": "Unix deletion timestamp.",
    "kube_pod_start_time": "Start time in unix timestamp for a pod.",
    "kube_pod_completion_time": "Completion time in unix timestamp for a pod.",
    "kube_pod_restart_policy": "Describes the restart policy in use by this pod.",
    "kube_pod_status_phase": "The pods current phase.",
    "kube_pod_status_reason": "The pod status reasons.",
    "kube_pod_status_qos_class": "The pods current qosClass.",
    "kube_pod_status_ready": "Describes whether the pod is ready to serve requests.",
    "kube_pod_status_ready_time": "Readiness achieved time in unix timestamp for a pod.",
    "kube_pod_status_scheduled": "Describes the status of the scheduling process for the pod.",
    "kube_pod_status_scheduled_time": "Unix timestamp when pod moved into scheduled status.",
    "kube_pod_status_unschedulable": "Describes the unschedulable status for the pod.",
}
_CONTAINER_FAMILIES = {
    "info": "Information about a container in a pod.",
    "status_waiting": "Describes whether the container is currently in waiting state.",
    "status_waiting_reason": "Describes the reason the container is currently in waiting state.",
    "status_running": "Describes whether the container is currently in running state.",
    "status_terminated": "Describes whether the container is currently in terminated state.",
    "status_terminated_reason": "Describes the reason the container is currently in terminated state.",
    "status_last_terminated_reason": "Describes the last reason the container was in terminated state.",
    "status_ready": "Describes whether the containers readiness check succeeded.",
    "resource_requests": "The number of requested request resource by a container.",
    "resource_limits": "The number of requested limit resource by a container.",
}
_KINDS = {"kube_pod_container": "containers", "kube_pod_init_container": "initContainers"}
FAMILIES |= {f"{kind}_{name}": words for kind in _KINDS for name, words in _CONTAINER_FAMILIES.items()}
FAMILIES |= {
    "kube_pod_container_state_started": "Start time in unix timestamp for a pod container.",
    "kube_pod_container_status_last_terminated_exitcode": "The exit code of the last terminated container.",
    "kube_pod_container_status_last_terminated_timestamp": "Last terminated time for a pod container.",
}
COUNTERS = {f"{kind}_status_restarts_total": "The number of container restarts." for kind in _KINDS}


def describe_pod(page: Exposition, pod: Object) -> None:
    """All series of one pod; the page knows FAMILIES and COUNTERS."""
    labels = {"namespace": namespace_of(pod), "pod": name_of(pod), "uid": uid_of(pod)}
    _identity(page, labels, pod)
    _times(page, labels, pod)
    _status(page, labels, pod)
    for kind, part in _KINDS.items():
        for container in pod["spec"].get(part) or ():
            _resources(page, kind, labels | {"container": container["name"]}, pod, container)
        statuses = "containerStatuses" if part == "containers" else "initContainerStatuses"
        for entry in (pod.get("status") or {}).get(statuses) or ():
            _container(page, kind, labels | {"container": entry["name"]}, entry)


def _identity(page: Exposition, labels: dict[str, str], pod: Object) -> None:
    owner, status, spec = owner_labels(pod), pod.get("status") or {}, pod["spec"]
    info = {
        "host_ip": status.get("hostIP", ""),
        "pod_ip": status.get("podIP", ""),
        "node": spec.get("nodeName") or "",
        "created_by_kind": owner["owner_kind"],
        "created_by_name": owner["owner_name"],
        "priority_class": spec.get("priorityClassName", ""),
        "host_network": str(bool(spec.get("hostNetwork"))).lower(),
    }
    page.add("kube_pod_info", labels | info, 1)
    page.add("kube_pod_owner", labels | owner, 1)
    page.add("kube_pod_labels", labels | sanitized(labels_of(pod)), 1)
    page.add("kube_pod_restart_policy", labels | {"type": spec.get("restartPolicy") or "Always"}, 1)


def _times(page: Exposition, labels: dict[str, str], pod: Object) -> None:
    status = pod.get("status") or {}
    ends = [
        entry["state"]["terminated"].get("finishedAt")
        for entry in status.get("containerStatuses") or ()
        if "terminated" in (entry.get("state") or {})
    ]
    finished = pod_phase(pod) in {"Succeeded", "Failed"} and ends
    times = {
        "kube_pod_created": metadata(pod).get("creationTimestamp"),
        "kube_pod_deletion_timestamp": metadata(pod).get("deletionTimestamp"),
        "kube_pod_start_time": status.get("startTime"),
        "kube_pod_completion_time": max((end for end in ends if end), default=None) if finished else None,
    }
    for kind, name in (("Ready", "ready"), ("PodScheduled", "scheduled")):
        found = condition(pod, kind)
        if found is not None and found.get("status") == "True":
            times[f"kube_pod_status_{name}_time"] = found.get("lastTransitionTime")
    for name, text in times.items():
        at = parse_time(text)
        if at is not None:
            page.add(name, labels, at.timestamp())


def _status(page: Exposition, labels: dict[str, str], pod: Object) -> None:
    status = pod.get("status") or {}
    for phase in _PHASES:
        page.add("kube_pod_status_phase", labels | {"phase": phase}, pod_phase(pod) == phase)
    for reason in _REASONS:
        page.add("kube_pod_status_reason", labels | {"reason": reason}, status.get("reason") == reason)
    if status.get("qosClass"):
        page.add("kube_pod_status_qos_class", labels | {"qos_class": status["qosClass"]}, 1)
    for kind, name in (("Ready", "ready"), ("PodScheduled", "scheduled")):
        found = condition(pod, kind)
        told = str(found.get("status")).lower() if found is not None else ""
        for value in STATUSES if told else ():
            page.add(f"kube_pod_status_{name}", labels | {"condition": value}, told == value)
        if kind == "PodScheduled" and found is not None and found.get("reason") == "Unschedulable":
            page.add("kube_pod_status_unschedulable", labels, 1)


def _container(page: Exposition, kind: str, labels: dict[str, str], entry: Object) -> None:
    state, last = entry.get("state") or {}, (entry.get("lastState") or {}).get("terminated")
    info = {
        "image": entry.get("image", ""),
        "image_id": entry.get("imageID", ""),
        "image_spec": entry.get("image", ""),
        "container_id": entry.get("containerID", ""),
    }
    page.add(f"{kind}_info", labels | info, 1)
    page.add(f"{kind}_status_restarts_total", labels, entry.get("restartCount", 0))
    page.add(f"{kind}_status_ready", labels, bool(entry.get("ready")))
    for name in _STATES:
        page.add(f"{kind}_status_{name}", labels, name in state)
    for name, text in _reasons(state, last):
        page.add(f"{kind}_status_{name}_reason", labels | {"reason": text}, 1)
    if kind == "kube_pod_container":
        _main_container(page, labels, state, last)


def _reasons(state: Object, last: Object | None) -> Iterator[tuple[str, str]]:
    for name in ("waiting", "terminated"):
        if name in state:
            yield name, str(state[name].get("reason", ""))
    if last:
        yield "last_terminated", str(last.get("reason", ""))


def _main_container(page: Exposition, labels: dict[str, str], state: Object, last: Object | None) -> None:
    began = next((parse_time(part.get("startedAt")) for part in state.values() if part), None)
    if began is not None:
        page.add("kube_pod_container_state_started", labels, began.timestamp())
    if not last:
        return
    page.add("kube_pod_container_status_last_terminated_exitcode", labels, last.get("exitCode", 0))
    ended = parse_time(last.get("finishedAt"))
    if ended is not None:
        page.add("kube_pod_container_status_last_terminated_timestamp", labels, ended.timestamp())


def _resources(page: Exposition, kind: str, labels: dict[str, str], pod: Object, container: Object) -> None:
    node = {"node": pod["spec"].get("nodeName") or ""}
    for side in ("requests", "limits"):
        for resource, amount in ((container.get("resources") or {}).get(side) or {}).items():
            value = quantity(amount)
            page.add(f"{kind}_resource_{side}", labels | node | unit_of(resource), value)
