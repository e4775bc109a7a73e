"""What `kubectl get pods` prints: `printPod` of k8s pkg/printers/internalversion, sidecars included.

Invariant: as for `columns`; a contract test compares the cells with those of the real API server.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from maestro_cli.local.cluster.columns import AGE, NAME, Cell, Column, Read, since
from maestro_cli.local.cluster.status import Object


@dataclass(slots=True)
class _Told:
    """The cells of one pod, being computed."""

    text: str
    total: int
    ready: int = 0
    restarts: int = 0
    ends: list[str] = field(default_factory=list)  # when containers ended before they were started again

    def restarted(self, status: Object) -> None:
        self.restarts += status.get("restartCount", 0)
        self.ends.append(status.get("lastState", {}).get("terminated", {}).get("finishedAt", ""))


def _told(pod: Object) -> _Told:
    status = pod.get("status", {})
    text = status.get("reason") or status.get("phase", "Unknown")
    gated = _condition(pod, "PodScheduled").get("reason") == "SchedulingGated"
    told = _Told("SchedulingGated" if gated else text, len(pod["spec"].get("containers", [])))
    sidecars = _Told("", 0)
    initializing = _init_containers(pod, told, sidecars)
    if not initializing or _is_true(pod, "Initialized"):
        told.restarts, told.ends = sidecars.restarts, sidecars.ends
        _containers(pod, told)
    if pod["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            told.text = "Unknown"
        elif status.get("phase") not in ("Succeeded", "Failed"):
            told.text = "Terminating"
    return told


def _init_containers(pod: Object, told: _Told, sidecars: _Told) -> bool:
    """Whether they are not done yet; a sidecar, which restarts always, is done when it has started."""
    specs = pod["spec"].get("initContainers", [])
    lasting = {one.get("name") for one in specs if one.get("restartPolicy") == "Always"}
    told.total += len(lasting)
    for index, one in enumerate(pod.get("status", {}).get("initContainerStatuses", [])):
        told.restarted(one)
        if one.get("name") in lasting:
            sidecars.restarted(one)
        ended = one.get("state", {}).get("terminated")
        if ended is not None and ended.get("exitCode", 0) == 0:
            continue
        if one.get("name") in lasting and one.get("started"):
            told.ready += bool(one.get("ready"))
            continue
        reason = _reason(one)
        told.text = f"Init:{index}/{len(specs)}" if reason in ("", "PodInitializing") else f"Init:{reason}"
        return True
    return False


def _containers(pod: Object, told: _Told) -> None:
    running = False
    for one in reversed(pod.get("status", {}).get("containerStatuses", [])):
        told.restarted(one)
        reason = _reason(one)
        if reason:
            told.text = reason
        elif one.get("ready") and "running" in one.get("state", {}):
            running = True
            told.ready += 1
    if told.text == "Completed" and running:
        told.text = "Running" if _is_true(pod, "Ready") else "NotReady"


def _reason(status: Object) -> str:
    state = status.get("state", {})
    if reason := state.get("waiting", {}).get("reason"):
        return str(reason)
    ended = state.get("terminated")
    if ended is None:
        return ""
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _condition(pod: Object, name: str) -> Object:
    conditions: list[Object] = pod.get("status", {}).get("conditions", [])
    return next((one for one in conditions if one.get("type") == name), {})


def _is_true(pod: Object, name: str) -> bool:
    return bool(_condition(pod, name).get("status") == "True")


def pod_state(pod: Object, now: datetime) -> Cell:
    """The STATUS column of a pod: its phase, or the most telling reason of its containers."""
    return str(_told(pod).text)


def _ready(pod: Object, now: datetime) -> Cell:
    told = _told(pod)
    return f"{told.ready}/{told.total}"


def _restarts(pod: Object, now: datetime) -> Cell:
    told = _told(pod)
    last = max(told.ends, default="")
    return f"{told.restarts} ({since(last, now)} ago)" if told.restarts and last else str(told.restarts)


def _gates(pod: Object, now: datetime) -> Cell:
    gates = pod["spec"].get("readinessGates", [])
    met = sum(_is_true(pod, gate.get("conditionType", "")) for gate in gates)
    return f"{met}/{len(gates)}" if gates else "<none>"


def _at(part: str, key: str) -> Read:
    return lambda pod, now: pod.get(part, {}).get(key) or "<none>"


POD = (
    NAME,
    Column("Ready", _ready),
    Column("Status", pod_state),
    Column("Restarts", _restarts),
    AGE,
    Column("IP", _at("status", "podIP"), wide=True),
    Column("Node", _at("spec", "nodeName"), wide=True),
    Column("Nominated Node", _at("status", "nominatedNodeName"), wide=True),
    Column("Readiness Gates", _gates, wide=True),
)
