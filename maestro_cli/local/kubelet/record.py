"""What is known of one container. Invariant: it is waiting, running or terminated, never two."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from maestro_cli.local.objects import Object, parse_time, timestamp


@dataclass(frozen=True, slots=True)
class Waiting:
    reason: str = "ContainerCreating"
    message: str = ""

    def as_state(self) -> Object:
        texts = {"reason": self.reason, "message": self.message}
        return {"waiting": {name: text for name, text in texts.items() if text}}


@dataclass(frozen=True, slots=True)
class Started:
    at: datetime

    def as_state(self) -> Object:
        return {"running": {"startedAt": timestamp(self.at)}}


@dataclass(frozen=True, slots=True)
class Terminated:
    exit_code: int
    reason: str
    started_at: datetime
    finished_at: datetime
    message: str = ""
    container_id: str = ""

    def as_state(self) -> Object:
        state: Object = {
            "exitCode": self.exit_code,
            "reason": self.reason,
            "startedAt": timestamp(self.started_at),
            "finishedAt": timestamp(self.finished_at),
        }
        if self.exit_code > 128:
            state["signal"] = self.exit_code - 128
        texts = {"message": self.message, "containerID": self.container_id}
        return {"terminated": state | {name: text for name, text in texts.items() if text}}


State = Waiting | Started | Terminated


@dataclass(slots=True)
class Record:
    """The container's place in the status; `sidecar` is an init container that keeps running."""

    name: str
    image: str
    init: bool = False
    sidecar: bool = False
    state: State = field(default_factory=Waiting)
    last: Terminated | None = None
    restarts: int = 0
    image_id: str = ""
    container_id: str = ""
    started: bool = False
    ready: bool = False

    def as_status(self) -> Object:
        """The containerStatuses entry, complete enough for strict clients."""
        status: Object = {
            "name": self.name,
            "image": self.image,
            "imageID": self.image_id,
            "ready": self.ready or (self.init and not self.sidecar and self.has_succeeded),
            "started": self.started,
            "restartCount": self.restarts,
            "state": self.state.as_state(),
            "lastState": self.last.as_state() if self.last is not None else {},
        }
        if self.container_id:
            status["containerID"] = self.container_id
        return status

    @property
    def path(self) -> str:
        """The field path by which events name the container."""
        return f"spec.{'initContainers' if self.init else 'containers'}{{{self.name}}}"

    @property
    def has_succeeded(self) -> bool:
        return isinstance(self.state, Terminated) and self.state.exit_code == 0


def recall(
    spec: Object, status: Object | None, now: datetime, *, init: bool = False, sidecar: bool = False
) -> Record:
    """The record of a container as the API server last heard of it; what ran then has died with the node."""
    record = Record(name=spec["name"], image=spec["image"], init=init, sidecar=sidecar)
    if status is None:
        return record
    record.restarts = int(status.get("restartCount", 0))
    record.container_id = status.get("containerID", "")
    record.last = _terminated(status.get("lastState") or {}, now)
    state = status.get("state") or {}
    if "running" in state:
        began = parse_time(state["running"].get("startedAt")) or now
        record.state = Terminated(137, "Error", began, now, "The node restarted", record.container_id)
    elif "terminated" in state:
        record.state = _terminated(state, now) or record.state
    return record


def _terminated(state: Object, now: datetime) -> Terminated | None:
    found = state.get("terminated")
    if not found:
        return None
    return Terminated(
        int(found.get("exitCode", 0)),
        found.get("reason", ""),
        parse_time(found.get("startedAt")) or now,
        parse_time(found.get("finishedAt")) or now,
        found.get("message", ""),
        found.get("containerID", ""),
    )
