"""What a Kubernetes cluster says, cut down to what maestro uses.

Invariant: names come from the API server (validated there); messages, labels and log text are
`Untrusted`. Times are aware UTC. `raw` documents are plain JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from maestro_cli.core.refs import ObjectRef, WorkloadRef


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment, StatefulSet or DaemonSet and its rollout.

    `revision` is 0 where nobody tells, as in the answer to a write to a set. Of a set: `held_back` replicas
    keep their template whatever is written, and `held_why` says why. Of a StatefulSet: `update_revision` is
    what pods of the newest template carry as their label, `ordered` that each pod waits for the one before.
    """

    ref: WorkloadRef
    uid: str
    resource_version: str
    generation: int
    observed_generation: int
    revision: int
    replicas_wanted: int
    replicas: int
    replicas_updated: int
    replicas_ready: int
    replicas_available: int
    paused: bool
    selector: str
    created_at: datetime
    progress_reason: str = ""
    progress_message: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    template: Mapping[str, Any] = field(default_factory=dict)
    held_back: int = 0
    held_why: str = ""
    update_revision: str = ""
    ordered: bool = False

    @property
    def is_observed(self) -> bool:
        """Its controller has seen the last change of its spec."""
        return self.observed_generation >= self.generation

    @property
    def is_rolled_out(self) -> bool:
        """kubectl's own order of checks (`pkg/polymorphichelpers/rollout_status.go`)."""
        return (
            self.is_observed
            and self.replicas_updated >= self.replicas_wanted - self.held_back
            and self.replicas <= self.replicas_updated + self.held_back
            and self.replicas_available >= max(self.replicas_updated, self.replicas_wanted)
        )


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of a workload: a ReplicaSet or ControllerRevision and its template.

    `template_hash` is what the pods of the revision carry as the label that tells their revision.
    """

    number: int
    name: str
    created_at: datetime
    replicas: int
    replicas_ready: int
    images: tuple[str, ...]
    change_cause: str
    template: Mapping[str, Any]
    template_hash: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Container:
    name: str
    image: str
    ready: bool
    restarts: int
    state: str  # running, waiting, terminated
    reason: str = ""
    message: str = ""
    exit_code: int | None = None
    last_reason: str = ""
    last_exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class Pod:
    namespace: str
    name: str
    uid: str
    phase: str
    ready: bool
    node: str
    ip: str
    created_at: datetime
    deleting: bool
    owner: str  # name of the controlling ReplicaSet, or ""
    labels: Mapping[str, str]
    containers: tuple[Container, ...]
    ready_since: datetime | None = None
    resource_version: str = ""
    owner_kind: str = ""
    is_static: bool = False  # its kubelet made it from a file, and would again
    local_data: bool = False  # has an emptyDir; only `list_pods_on` tells

    @property
    def ref(self) -> ObjectRef:
        return ObjectRef("Pod", self.namespace, self.name)

    @property
    def generation(self) -> int:
        """What a pod is asked to be is not changed by maestro."""
        return 0

    @property
    def restarts(self) -> int:
        return sum(container.restarts for container in self.containers)


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    ready: bool
    schedulable: bool
    zone: str
    reason: str = ""
    uid: str = ""
    resource_version: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def ref(self) -> ObjectRef:
        return ObjectRef("Node", "", self.name)

    @property
    def generation(self) -> int:
        """Nodes have none."""
        return 0


@dataclass(frozen=True, slots=True)
class ConfigMap:
    """A ConfigMap; `data` is its text by key, `binary` are the keys whose content is no text."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    data: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)
    binary: frozenset[str] = frozenset()
    immutable: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def ref(self) -> ObjectRef:
        return ObjectRef("ConfigMap", self.namespace, self.name)

    @property
    def generation(self) -> int:
        """ConfigMaps have none."""
        return 0


@dataclass(frozen=True, slots=True)
class ClusterEvent:
    namespace: str
    name: str
    type: str  # Normal, Warning
    reason: str
    message: str
    object_kind: str
    object_name: str
    first_seen_at: datetime
    last_seen_at: datetime
    count: int
    uid: str = ""


@dataclass(frozen=True, slots=True)
class DisruptionBudget:
    """How many pods of a selector may be ended; `least_available` is its `minAvailable`, None without."""

    namespace: str
    name: str
    selector: str
    disruptions_allowed: int
    current_healthy: int
    desired_healthy: int
    expected_pods: int
    least_available: int | str | None = None


@dataclass(frozen=True, slots=True, order=True)
class ServiceEndpoint:
    """A pod behind a Service, as its EndpointSlices tell."""

    service: str
    pod: str
    ready: bool
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """A Service and the labels of the pods behind it; none when somebody else fills in its endpoints."""

    namespace: str
    name: str
    selector: Mapping[str, str]

    def takes(self, labels: Mapping[str, str]) -> bool:
        """Whether pods of these labels are behind it."""
        return bool(self.selector) and self.selector.items() <= labels.items()


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """A HorizontalPodAutoscaler and the workload whose replicas it sets."""

    namespace: str
    name: str
    target_kind: str
    target_name: str
    least: int
    most: int
    uid: str = ""
    resource_version: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    is_driven: bool = False  # its controller has looked at it
    labels: Mapping[str, str] = field(default_factory=dict)
    cpu_target: int | None = None  # percent of the CPU request; None: it does not look at that
    shares: Mapping[str, int] = field(default_factory=dict)  # the lowest percent of requests, by resource
    others: tuple[str, ...] = ()  # what else it looks at

    @property
    def ref(self) -> ObjectRef:
        return ObjectRef("HorizontalPodAutoscaler", self.namespace, self.name)

    @property
    def generation(self) -> int:
        """Autoscalers have none."""
        return 0


@dataclass(frozen=True, slots=True)
class AccessAnswer:
    """Whether the caller may do a verb on a resource, as the cluster's access review says."""

    allowed: bool
    verb: str
    resource: str  # "deployments.apps", "pods/eviction"
    reason: str = ""
