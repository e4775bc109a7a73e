"""One line of a list: a pod, a node or a workload, with what tells at a glance whether it is well.

Invariant: names come from the API server (validated there); all other text is `Untrusted`. Times are aware
UTC. `health` is a word of HEALTH, so that danger is data and never a colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from maestro_cli.core.facts.cluster import Container
from maestro_cli.core.refs import WorkloadRef

HEALTH = ("bad", "warn", "good", "done")  # worst first; done: it ended well and nothing is expected of it


@dataclass(frozen=True, slots=True)
class PodLine:
    """A pod; `status` is what `kubectl get pods` says, `message` why it is not well."""

    namespace: str
    name: str
    status: str
    health: str
    containers_ready: int
    containers_total: int  # with the init containers that stay, as kubectl counts
    restarts: int
    restarted_at: datetime | None
    created_at: datetime | None
    node: str
    zone: str
    ip: str
    owner: str  # "ReplicaSet/fraud-5c9" or ""
    models: tuple[str, ...]  # "fraud=2": what the bundled model server was told to serve
    phase: str
    message: str
    last_exit: str  # "OOMKilled (137)": how the container that restarted last ended
    uid: str
    labels: Mapping[str, str]
    containers: tuple[Container, ...]


@dataclass(frozen=True, slots=True)
class NodeLine:
    """A node; `status` as in kubectl, and the pressures it is under."""

    name: str
    status: str
    health: str
    roles: tuple[str, ...]
    zone: str
    version: str
    created_at: datetime | None
    changed_at: datetime | None  # when its readiness changed last
    ip: str
    cpu: str
    memory: str
    pods: str
    taints: tuple[str, ...]
    system: str
    runtime: str
    message: str
    uid: str


@dataclass(frozen=True, slots=True)
class WorkloadLine:
    """A Deployment, StatefulSet or DaemonSet and how far its rollout is."""

    ref: WorkloadRef
    status: str  # complete, rolling out, failed, paused, degraded, scaled to zero
    health: str
    revision: str
    desired: int
    ready: int
    updated: int
    available: int
    created_at: datetime | None
    images: tuple[str, ...]
    managed_by: str  # its controlling owner, else the label app.kubernetes.io/managed-by
    cause: str
    selector: str
    message: str
    uid: str

    @property
    def name(self) -> str:
        return self.ref.name
