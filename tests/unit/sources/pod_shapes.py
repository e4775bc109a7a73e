"""Pods in every state that kubectl has a word for: name → spec, status, and what kubectl prints for it.

Invariant: the expected columns are those of stock kubectl against a real API server; a contract test asks it
again. `deleted` pods are being deleted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

AT = "2026-01-01T00:00:00Z"
LATER = "2026-01-01T01:00:00Z"


@dataclass(frozen=True)
class Shape:
    """A pod and its columns READY, STATUS and the number of RESTARTS."""

    name: str
    ready: str
    status: str
    restarts: int = 0
    health: str = "good"
    phase: str = "Running"
    containers: tuple[str, ...] = ("main",)
    init: tuple[str, ...] = ()  # names; those that begin with `sidecar` restart always
    statuses: tuple[dict[str, Any], ...] = ()
    init_statuses: tuple[dict[str, Any], ...] = ()
    conditions: tuple[dict[str, Any], ...] = ()
    reason: str = ""
    message: str = ""
    deleted: bool = False
    more: dict[str, Any] = field(default_factory=dict)

    def spec(self) -> dict[str, Any]:
        always = {"restartPolicy": "Always"}
        init = [
            {"name": name, "image": "i:1", **(always if name.startswith("sidecar") else {})}
            for name in self.init
        ]
        containers = [{"name": name, "image": "i:1"} for name in self.containers]
        policy = "Never" if self.phase in ("Succeeded", "Failed") else "Always"
        body = {"nodeName": "node-a", "restartPolicy": policy, "containers": containers, **self.more}
        return body | ({"initContainers": init} if init else {})

    def pod_status(self) -> dict[str, Any]:
        given = {
            "phase": self.phase,
            "reason": self.reason,
            "message": self.message,
            "conditions": list(self.conditions),
            "containerStatuses": list(self.statuses),
            "initContainerStatuses": list(self.init_statuses),
        }
        return {key: value for key, value in given.items() if value}

    def pod(self) -> dict[str, Any]:
        """The pod as an API server answers with it."""
        meta: dict[str, Any] = {"name": self.name, "namespace": "ml", "creationTimestamp": AT}
        if self.deleted:
            meta["deletionTimestamp"] = AT
        return {"metadata": meta, "spec": self.spec(), "status": self.pod_status()}


def status(name: str = "main", *, ready: bool = False, restarts: int = 0, **more: Any) -> dict[str, Any]:
    image = {"image": "i:1", "imageID": "i@sha256:1"}
    return {"name": name, "ready": ready, "restartCount": restarts, **image, **more}


def running(name: str = "main", **more: Any) -> dict[str, Any]:
    return status(name, **{"ready": True, "started": True, "state": {"running": {"startedAt": AT}}, **more})


def waiting(reason: str, name: str = "main", message: str = "", **more: Any) -> dict[str, Any]:
    return status(name, state={"waiting": {"reason": reason, "message": message}}, **more)


def ended(
    exit_code: int, name: str = "main", reason: str = "", signal: int = 0, **more: Any
) -> dict[str, Any]:
    return status(name, state={"terminated": end(exit_code, reason, signal)}, **more)


def end(exit_code: int, reason: str = "", signal: int = 0, at: str = AT) -> dict[str, Any]:
    return {"exitCode": exit_code, "reason": reason, "signal": signal, "startedAt": AT, "finishedAt": at}


def condition(kind: str, truth: str = "True", **more: Any) -> dict[str, Any]:
    return {"type": kind, "status": truth, "lastTransitionTime": AT, **more}


READY, INITIALIZED = condition("Ready"), condition("Initialized")
INITIALIZING = condition("Initialized", "False")
NOT_READY = condition("Ready", "False", reason="ContainersNotReady", message="unready: [main]")
KILLED: dict[str, Any] = {"lastState": {"terminated": end(137, "OOMKilled")}}
KILLED_LATER: dict[str, Any] = {"lastState": {"terminated": end(1, "Error", at=LATER)}}

SHAPES = (
    Shape("runs", "1/1", "Running", statuses=(running(),), conditions=(READY,)),
    Shape("not-ready", "0/1", "Running", health="warn", statuses=(running(ready=False),),
          conditions=(NOT_READY,)),
    Shape("one-of-two", "1/2", "Running", health="warn", containers=("main", "other"),
          statuses=(running(), running("other", ready=False)), conditions=(NOT_READY,)),
    Shape("pending", "0/1", "Pending", health="warn", phase="Pending",
          conditions=(condition("PodScheduled", "False", reason="Unschedulable", message="0/3 nodes"),)),
    Shape("creating", "0/1", "ContainerCreating", health="warn", phase="Pending",
          statuses=(waiting("ContainerCreating"),)),
    Shape("no-image", "0/1", "ImagePullBackOff", health="bad", phase="Pending",
          statuses=(waiting("ImagePullBackOff", message="back-off pulling"),)),
    Shape("bad-config", "0/1", "CreateContainerConfigError", health="bad", phase="Pending",
          statuses=(waiting("CreateContainerConfigError"),)),
    Shape("crashes", "0/1", "CrashLoopBackOff", 7, health="bad",
          statuses=(waiting("CrashLoopBackOff", restarts=7, **KILLED),), conditions=(NOT_READY,)),
    Shape("killed", "0/1", "OOMKilled", 1, health="bad", conditions=(NOT_READY,),
          statuses=(ended(137, reason="OOMKilled", restarts=1),)),
    Shape("exit-code", "0/1", "ExitCode:3", health="bad", statuses=(ended(3),), conditions=(NOT_READY,)),
    Shape("signalled", "0/1", "Signal:9", health="bad", statuses=(ended(137, signal=9),),
          conditions=(NOT_READY,)),
    Shape("restarted", "1/1", "Running", 3, statuses=(running(restarts=3, **KILLED),), conditions=(READY,)),
    Shape("both-restarted", "2/2", "Running", 5, containers=("main", "other"), conditions=(READY,),
          statuses=(running(restarts=3, **KILLED), running("other", restarts=2, **KILLED_LATER))),
    Shape("first-reason", "0/2", "CrashLoopBackOff", 2, health="bad", containers=("main", "other"),
          statuses=(waiting("CrashLoopBackOff", restarts=2), waiting("ImagePullBackOff", "other"))),
    Shape("last-reason", "1/2", "CrashLoopBackOff", 2, health="bad", containers=("main", "other"),
          statuses=(running(), waiting("CrashLoopBackOff", "other", restarts=2)), conditions=(NOT_READY,)),
    Shape("half-done", "1/2", "NotReady", health="warn", containers=("main", "other"),
          statuses=(running(), ended(0, "other", "Completed")), conditions=(NOT_READY,)),
    Shape("half-done-ready", "1/2", "Running", health="warn", containers=("main", "other"),
          statuses=(running(), ended(0, "other", "Completed")), conditions=(READY,)),
    Shape("succeeded", "0/1", "Completed", health="done", phase="Succeeded",
          statuses=(ended(0, reason="Completed"),)),
    Shape("failed", "0/1", "Error", health="bad", phase="Failed", statuses=(ended(1, reason="Error"),)),
    Shape("evicted", "0/1", "Evicted", health="bad", phase="Failed", reason="Evicted",
          message="The node was low on resource: memory."),
    Shape("gated", "0/1", "SchedulingGated", health="warn", phase="Pending",
          conditions=(condition("PodScheduled", "False", reason="SchedulingGated"),)),
    Shape("init-first", "0/1", "Init:0/2", health="warn", phase="Pending", init=("one", "two"),
          init_statuses=(running("one", ready=False), waiting("PodInitializing", "two")),
          statuses=(waiting("PodInitializing"),), conditions=(INITIALIZING,)),
    Shape("init-second", "0/1", "Init:1/2", health="warn", phase="Pending", init=("one", "two"),
          init_statuses=(ended(0, "one", "Completed", ready=True), running("two", ready=False)),
          statuses=(waiting("PodInitializing"),), conditions=(INITIALIZING,)),
    Shape("init-crashes", "0/1", "Init:CrashLoopBackOff", 4, health="bad", phase="Pending", init=("one",),
          init_statuses=(waiting("CrashLoopBackOff", "one", restarts=4, **KILLED),),
          statuses=(waiting("PodInitializing"),), conditions=(INITIALIZING,)),
    Shape("init-error", "0/1", "Init:Error", 1, health="bad", phase="Pending", init=("one",),
          init_statuses=(ended(1, "one", "Error", restarts=1),), conditions=(INITIALIZING,)),
    Shape("init-exit-code", "0/1", "Init:ExitCode:2", health="bad", phase="Pending", init=("one",),
          init_statuses=(ended(2, "one"),), conditions=(INITIALIZING,)),
    Shape("init-signal", "0/1", "Init:Signal:15", health="bad", phase="Pending", init=("one",),
          init_statuses=(ended(143, "one", signal=15),), conditions=(INITIALIZING,)),
    Shape("init-done", "0/1", "PodInitializing", health="warn", phase="Pending", init=("one",),
          init_statuses=(ended(0, "one", "Completed", restarts=2, ready=True),),
          statuses=(waiting("PodInitializing"),), conditions=(INITIALIZED,)),
    Shape("init-runs-again", "1/1", "Init:0/1", init=("one",), init_statuses=(running("one", ready=False),),
          statuses=(running(),), conditions=(READY, INITIALIZED)),
    Shape("sidecar", "2/2", "Running", 3, init=("sidecar",), statuses=(running(),),
          init_statuses=(running("sidecar", restarts=3, **KILLED),), conditions=(READY, INITIALIZED)),
    Shape("sidecar-starts", "0/2", "Init:0/2", health="warn", phase="Pending", init=("sidecar", "two"),
          init_statuses=(running("sidecar", ready=False, started=False), waiting("PodInitializing", "two")),
          conditions=(INITIALIZING,)),
    Shape("deleting", "1/1", "Terminating", health="warn", statuses=(running(),), conditions=(READY,),
          deleted=True),
    Shape("node-lost", "1/1", "Unknown", health="bad", reason="NodeLost", statuses=(running(),),
          conditions=(READY,), deleted=True),
    Shape("unknown", "0/1", "Unknown", health="bad", phase="Unknown"),
)  # fmt: skip
