"""What `kubectl get pods` says of a pod, and whether that is bad news.

Invariant: STATUS, READY and RESTARTS are computed as `printPod` of k8s.io/kubernetes
(pkg/printers/internalversion/printers.go) does; a contract test compares them with kubectl's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from maestro_cli.core.untrusted import Untrusted
from maestro_cli.sources.kube.objects import (
    ContainerSpec,
    ContainerState,
    ContainerStates,
    ContainerStatus,
    PodObject,
    utc,
)

_STARTING = ("", "ContainerCreating", "PodInitializing")
_NOTHING = ContainerStates()


@dataclass(slots=True)
class PodStatusLine:
    """The columns of a pod, being computed; `failing` when one of its containers is in trouble."""

    text: str
    containers: int
    ready: int = 0
    restarts: int = 0
    failing: bool = False
    message: str = ""
    ended: ContainerState | None = field(default=None, repr=False)  # the newest end before a restart

    @property
    def restarted_at(self) -> datetime | None:
        """When a container last ended to be started again; None where nobody tells."""
        return utc(self.ended.finished_at) if self.ended is not None and self.restarts else None

    @property
    def last_exit(self) -> str:
        """How it ended then: `OOMKilled (137)`."""
        if self.ended is None or not self.restarts:
            return ""
        code = "" if self.ended.exit_code is None else f"({self.ended.exit_code})"
        return Untrusted(f"{self.ended.reason or ''} {code}".strip())

    def restarted(self, status: ContainerStatus) -> None:
        """Count a container's restarts, and keep the newest end."""
        self.restarts += status.restart_count
        last = status.last_state.terminated if status.last_state is not None else None
        if last is not None and (self.ended is None or _is_later(last.finished_at, self.ended.finished_at)):
            self.ended = last

    def troubled(self, state: ContainerState) -> None:
        """A container waits for what will not come by itself, or ended with an error."""
        self.failing = True
        self.message = self.message or state.message or ""


def pod_status(pod: PodObject) -> PodStatusLine:
    """Compute the columns of one pod."""
    status = pod.status
    line = PodStatusLine(status.reason or status.phase or "Unknown", len(pod.spec.containers or ()))
    for condition in status.conditions or ():
        if condition.type == "PodScheduled" and condition.reason == "SchedulingGated":
            line.text = "SchedulingGated"
    sidecars = PodStatusLine("", 0)
    initializing = _init_containers(pod, line, sidecars)
    if not initializing or _is_true(pod, "Initialized"):
        line.restarts, line.ended = sidecars.restarts, sidecars.ended
        _containers(pod, line)
    if pod.metadata.deletion_timestamp is not None:
        if status.reason == "NodeLost":
            line.text = "Unknown"
        elif status.phase not in ("Succeeded", "Failed"):
            line.text = "Terminating"
    line.message = line.message or status.message or _why_not_ready(pod)
    return line


def pod_health(pod: PodObject, line: PodStatusLine) -> str:
    """A word of HEALTH."""
    phase = pod.status.phase
    if phase == "Succeeded":
        return "done"
    if phase in ("Failed", "Unknown") or line.text == "Unknown":
        return "bad"
    if pod.metadata.deletion_timestamp is not None:
        return "warn"
    if line.failing:
        return "bad"
    return (
        "good" if phase == "Running" and line.ready >= line.containers and _is_true(pod, "Ready") else "warn"
    )


def _init_containers(pod: PodObject, line: PodStatusLine, sidecars: PodStatusLine) -> bool:
    """Whether initialisation is under way or failed; sidecars are init containers that restart always."""
    if not pod.spec.init_containers and not pod.status.init_container_statuses:
        return False
    specs = pod.spec.init_containers or []
    lasting = {spec.name for spec in specs if spec.restart_policy == "Always"}
    line.containers += len(lasting)
    for place, status in enumerate(pod.status.init_container_statuses or ()):
        line.restarted(status)
        if status.name in lasting:
            sidecars.restarted(status)
        state = status.state or _NOTHING
        if state.terminated is not None and not state.terminated.exit_code:
            continue
        if status.name in lasting and status.started:
            line.ready += status.ready
            continue
        line.text = _init_text(line, state, place, specs)
        return True
    return False


def _init_text(
    line: PodStatusLine, state: ContainerStates, place: int, specs: Sequence[ContainerSpec]
) -> str:
    if state.terminated is not None:
        line.troubled(state.terminated)
        return f"Init:{_end(state.terminated)}"
    waiting = state.waiting
    if waiting is not None and waiting.reason and waiting.reason != "PodInitializing":
        if waiting.reason not in _STARTING:
            line.troubled(waiting)
        return f"Init:{waiting.reason}"
    return f"Init:{place}/{len(specs)}"


def _containers(pod: PodObject, line: PodStatusLine) -> None:
    """The main containers, last one first, so that the first one's reason stays."""
    running = False
    for status in reversed(pod.status.container_statuses or ()):
        line.restarted(status)
        state = status.state or _NOTHING
        if state.waiting is not None and state.waiting.reason:
            line.text = state.waiting.reason
            if state.waiting.reason not in _STARTING:
                line.troubled(state.waiting)
        elif state.terminated is not None:
            line.text = _end(state.terminated)
            if state.terminated.exit_code:
                line.troubled(state.terminated)
        elif status.ready and state.running is not None:
            running = True
            line.ready += 1
    if line.text == "Completed" and running:
        line.text = "Running" if _is_true(pod, "Ready") else "NotReady"


def _end(state: ContainerState) -> str:
    if state.reason:
        return state.reason
    return f"Signal:{state.signal}" if state.signal else f"ExitCode:{state.exit_code or 0}"


def _is_true(pod: PodObject, condition: str) -> bool:
    return any(one.type == condition and one.status == "True" for one in pod.status.conditions or ())


def _is_later(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and (other is None or one > other)


def _why_not_ready(pod: PodObject) -> str:
    """What the scheduler says, else what the kubelet says of a pod that is not ready."""
    said = {one.type: one.message or "" for one in pod.status.conditions or () if one.status == "False"}
    return said.get("PodScheduled") or said.get("Ready") or ""
