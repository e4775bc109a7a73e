"""A pod's phase and conditions from its containers.

Invariant: pure; a condition's transition time moves only when its status does. Rules of kubernetes
`pkg/kubelet/kubelet_pods.go getPhase` and `pkg/kubelet/status/generate.go`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from maestro_cli.core.quantities import parse_quantity
from maestro_cli.local.kubelet.record import Record, Started, Terminated, Waiting
from maestro_cli.local.objects import Object, condition_is_true, set_condition, timestamp

_MANAGED = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


def phase_of(policy: str, inits: Sequence[Record], containers: Sequence[Record]) -> str:
    """Pending, Running, Succeeded or Failed; never an end while a sidecar still runs."""
    phase = _phase_by_ends(policy, inits, containers)
    if phase in {"Succeeded", "Failed"} and any(isinstance(record.state, Started) for record in inits):
        return "Running" if _begun(containers) else "Pending"
    return phase


def _phase_by_ends(policy: str, inits: Sequence[Record], containers: Sequence[Record]) -> str:
    for record in inits if not _begun(containers) else ():
        if record.sidecar:
            if not record.started:
                return "Pending"
        elif isinstance(record.state, Terminated) and record.state.exit_code != 0 and policy == "Never":
            return "Failed"
        elif not record.has_succeeded:
            return "Pending"
    if any(isinstance(record.state, Waiting) and record.last is None for record in containers):
        return "Pending"
    if any(isinstance(record.state, Started) for record in containers):
        return "Running"
    if policy == "Always" or any(isinstance(record.state, Waiting) for record in containers):
        return "Running"
    if all(record.has_succeeded for record in containers):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def final_phase(records: Sequence[Record]) -> str:
    """The phase of a pod that was told to end and has no running container."""
    for record in records:
        if isinstance(record.state, Waiting) and record.last is None:
            return ""  # never started: it stays what it was
    codes = [record.state.exit_code for record in records if isinstance(record.state, Terminated)]
    if len(codes) < len(records):
        return "Failed"
    return "Succeeded" if all(code == 0 for code in codes) else "Failed"


def _begun(containers: Sequence[Record]) -> bool:
    """Whether a container that is no init container has ever run: from then on the pod is initialized."""
    return any(not isinstance(record.state, Waiting) or record.last is not None for record in containers)


def initialized(inits: Sequence[Record], containers: Sequence[Record]) -> bool:
    """Whether every init container is done (a sidecar: started)."""
    done = all(record.started if record.sidecar else record.has_succeeded for record in inits)
    return done or _begun(containers)


def build_status(
    pod: Object,
    inits: Sequence[Record],
    containers: Sequence[Record],
    *,
    pod_ip: str,
    host_ip: str,
    now: datetime,
    phase: str = "",
    has_network: bool = True,
) -> Object:
    """The whole status of a pod; `phase` overrides what the containers say (a pod being torn down)."""
    old = pod.get("status") or {}
    phase = phase or phase_of(pod["spec"].get("restartPolicy", "Always"), inits, containers)
    status: Object = {
        "phase": phase,
        "conditions": _conditions(pod, inits, containers, phase, has_network, timestamp(now)),
        "hostIP": host_ip,
        "hostIPs": [{"ip": host_ip}],
        "qosClass": old.get("qosClass") or quality_of_service(pod),
        "startTime": old.get("startTime") or timestamp(now),
        "containerStatuses": [record.as_status() for record in containers],
    }
    if inits:
        status["initContainerStatuses"] = [record.as_status() for record in inits]
    if has_network and pod_ip:
        status |= {"podIP": pod_ip, "podIPs": [{"ip": pod_ip}]}
    if "generation" in pod["metadata"]:
        status["observedGeneration"] = pod["metadata"]["generation"]
    return status


def _conditions(
    pod: Object,
    inits: Sequence[Record],
    containers: Sequence[Record],
    phase: str,
    has_network: bool,
    now: str,
) -> list[Object]:
    told: dict[str, tuple[bool, str, str]] = {
        "PodReadyToStartContainers": (has_network and phase not in {"Succeeded", "Failed"}, "", ""),
        "Initialized": _initialized_condition(inits, containers, phase),
        "PodScheduled": (True, "", ""),
    }
    told["ContainersReady"] = told["Ready"] = _ready_condition(
        [*(record for record in inits if record.sidecar), *containers], phase
    )
    gates = [gate["conditionType"] for gate in pod["spec"].get("readinessGates") or ()]
    closed = [gate for gate in gates if not condition_is_true(pod, gate)]
    if told["Ready"][0] and closed:
        words = ", ".join(
            f'corresponding condition of pod readiness gate "{gate}" is not True.' for gate in closed
        )
        told["Ready"] = (False, "ReadinessGatesNotReady", words)
    conditions: list[Object] = list((pod.get("status") or {}).get("conditions") or ())
    for kind in _MANAGED:
        holds, reason, message = told[kind]
        new: Object = {"type": kind, "status": "True" if holds else "False", "lastTransitionTime": now}
        texts = {"reason": reason, "message": message}
        new |= {name: text for name, text in texts.items() if text}
        conditions = set_condition(conditions, new)
    return conditions


def _initialized_condition(
    inits: Sequence[Record], containers: Sequence[Record], phase: str
) -> tuple[bool, str, str]:
    if initialized(inits, containers):
        return True, "PodCompleted" if phase == "Succeeded" else "", ""
    names = " ".join(
        record.name for record in inits if not (record.started if record.sidecar else record.has_succeeded)
    )
    return False, "ContainersNotInitialized", f"containers with incomplete status: [{names}]"


def _ready_condition(records: Sequence[Record], phase: str) -> tuple[bool, str, str]:
    if phase == "Succeeded":
        return False, "PodCompleted", ""
    if phase == "Failed":
        return False, "PodFailed", ""
    unready = [record.name for record in records if not record.ready]
    if unready:
        return False, "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]"
    return True, "", ""


def quality_of_service(pod: Object) -> str:
    """Guaranteed, Burstable or BestEffort, from requests and limits of CPU and memory."""
    guaranteed, some = True, False
    for container in [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]:
        resources = container.get("resources") or {}
        limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
        for name in ("cpu", "memory"):
            limit, request = parse_quantity(limits.get(name, 0)), parse_quantity(requests.get(name, 0))
            some = some or limit > 0 or request > 0
            guaranteed = guaranteed and limit > 0 and request in {0.0, limit}
    if not some:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"


def disrupted(conditions: Sequence[Object], message: str, now: datetime) -> list[Object]:
    """The conditions of a pod that the kubelet ends before its time."""
    new = {"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet"}
    return set_condition(conditions, new | {"message": message, "lastTransitionTime": timestamp(now)})


def status_patch(old: Object, new: Object) -> Object:
    """A strategic merge patch that turns the old status into the new one; empty when they are equal.

    Conditions merge by type and addresses by themselves, so that what others wrote meanwhile stays.
    """
    patch = {name: value for name, value in new.items() if old.get(name) != value}
    patch |= {name: None for name in ("reason", "message") if name in old and name not in new}
    if "conditions" in patch:
        known = {entry.get("type"): entry for entry in old.get("conditions") or ()}
        changed = [entry for entry in new["conditions"] if known.get(entry["type"]) != entry]
        patch["conditions"] = [
            {name: None for name in known.get(entry["type"], ()) if name not in entry} | entry
            for entry in changed
        ]
    if "podIPs" in patch:
        gone = [entry for entry in old.get("podIPs") or () if entry not in new["podIPs"]]
        patch["podIPs"] = [*new["podIPs"], *(entry | {"$patch": "delete"} for entry in gone)]
    return patch
