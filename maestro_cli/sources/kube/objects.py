"""The part of each Kubernetes object that maestro reads.

Invariant: unknown fields are skipped, null and absent mean the same. Field names are those of k8s.io/api
(apps/v1, core/v1, policy/v1).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec import Raw, Struct, field

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REVISION = "deployment.kubernetes.io/revision"


class Owner(Struct, rename="camel"):
    uid: str = ""
    name: str = ""
    kind: str = ""
    controller: bool | None = None


class Meta(Struct, rename="camel"):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int | None = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[Owner] | None = None

    @property
    def created_at(self) -> datetime:
        """When it was made; 1970 when the server does not tell."""
        return utc(self.creation_timestamp) or EPOCH

    @property
    def controller(self) -> Owner | None:
        """The one owner that manages it."""
        return next((owner for owner in self.owner_references or () if owner.controller), None)

    @property
    def revision(self) -> int:
        """The rollout revision in its annotations, or 0."""
        text = (self.annotations or {}).get(REVISION, "")
        return int(text) if text.isascii() and text.isdigit() else 0


class Condition(Struct, rename="camel"):
    type: str = ""
    status: str = ""
    reason: str | None = ""
    message: str | None = ""
    last_transition_time: datetime | None = None


class Expression(Struct):
    key: str = ""
    operator: str = ""
    values: list[str] | None = None


class Selector(Struct, rename="camel"):
    match_labels: dict[str, str] | None = None
    match_expressions: list[Expression] | None = None


class DeploymentSpec(Struct):
    replicas: int | None = None
    paused: bool | None = False
    selector: Selector | None = None
    template: dict[str, Any] | None = None


class DeploymentStatus(Struct, rename="camel"):
    observed_generation: int | None = 0
    replicas: int | None = 0
    updated_replicas: int | None = 0
    ready_replicas: int | None = 0
    available_replicas: int | None = 0
    conditions: list[Condition] | None = None


class Deployment(Struct):
    metadata: Meta
    spec: DeploymentSpec = field(default_factory=DeploymentSpec)
    status: DeploymentStatus = field(default_factory=DeploymentStatus)


class ReplicaSet(Struct):
    metadata: Meta
    spec: DeploymentSpec = field(default_factory=DeploymentSpec)
    status: DeploymentStatus = field(default_factory=DeploymentStatus)


class ContainerState(Struct, rename="camel"):
    reason: str | None = ""
    message: str | None = ""
    exit_code: int | None = None
    signal: int | None = None
    finished_at: datetime | None = None


class ContainerStates(Struct):
    running: ContainerState | None = None
    waiting: ContainerState | None = None
    terminated: ContainerState | None = None


class ContainerStatus(Struct, rename="camel"):
    name: str = ""
    image: str = ""
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    state: ContainerStates | None = None
    last_state: ContainerStates | None = None


class ContainerSpec(Struct, rename="camel"):
    name: str = ""
    image: str | None = ""
    args: list[str] | None = None
    restart_policy: str | None = None


class PodSpec(Struct, rename="camel"):
    node_name: str | None = ""
    init_containers: list[ContainerSpec] | None = None
    containers: list[ContainerSpec] | None = None


class PodStatus(Struct, rename="camel"):
    phase: str = ""
    reason: str | None = ""
    message: str | None = ""
    pod_ip: str | None = field(name="podIP", default="")
    conditions: list[Condition] | None = None
    init_container_statuses: list[ContainerStatus] | None = None
    container_statuses: list[ContainerStatus] | None = None


class PodObject(Struct):
    metadata: Meta
    spec: PodSpec = field(default_factory=PodSpec)
    status: PodStatus = field(default_factory=PodStatus)


class Volume(Struct, rename="camel"):
    empty_dir: dict[str, Any] | None = None


class PlacedPodSpec(PodSpec, rename="camel"):
    volumes: list[Volume] | None = None


class PlacedPod(PodObject):
    """A pod with what it keeps on its node."""

    spec: PlacedPodSpec = field(default_factory=PlacedPodSpec)


class Taint(Struct):
    key: str = ""
    value: str | None = ""
    effect: str = ""


class NodeSpec(Struct):
    unschedulable: bool | None = False
    taints: list[Taint] | None = None


class NodeAddress(Struct):
    type: str = ""
    address: str = ""


class NodeInfo(Struct, rename="camel"):
    kubelet_version: str = ""
    os_image: str = ""
    container_runtime_version: str = ""


class NodeStatus(Struct, rename="camel"):
    conditions: list[Condition] | None = None
    addresses: list[NodeAddress] | None = None
    node_info: NodeInfo | None = None
    allocatable: dict[str, Any] | None = None


class NodeObject(Struct):
    metadata: Meta
    spec: NodeSpec = field(default_factory=NodeSpec)
    status: NodeStatus = field(default_factory=NodeStatus)


class ConfigMapObject(Struct, rename="camel"):
    metadata: Meta
    data: dict[str, str] | None = None
    binary_data: dict[str, str] | None = None
    immutable: bool | None = False


class SecretObject(Struct):
    """Its values are skipped when it is read."""

    data: dict[str, Raw] | None = None


class RollingUpdate(Struct):
    partition: int | None = 0


class UpdateStrategy(Struct, rename="camel"):
    type: str | None = ""
    rolling_update: RollingUpdate | None = None


class SetSpec(DeploymentSpec, rename="camel"):
    """What stateful and daemon sets have besides."""

    update_strategy: UpdateStrategy | None = None
    pod_management_policy: str | None = ""


class ControllerRevision(Struct):
    """A template that a stateful or daemon set had; `data` is a patch of the set."""

    metadata: Meta
    revision: int = 0
    data: dict[str, Any] | None = None


class StatefulSetStatus(Struct, rename="camel"):
    observed_generation: int | None = 0
    replicas: int | None = 0
    updated_replicas: int | None = 0
    ready_replicas: int | None = 0
    available_replicas: int | None = 0
    current_revision: str | None = ""
    update_revision: str | None = ""


class StatefulSet(Struct):
    metadata: Meta
    spec: SetSpec = field(default_factory=SetSpec)
    status: StatefulSetStatus = field(default_factory=StatefulSetStatus)


class DaemonSetStatus(Struct, rename="camel"):
    observed_generation: int | None = 0
    current_number_scheduled: int | None = 0
    desired_number_scheduled: int | None = 0
    updated_number_scheduled: int | None = 0
    number_ready: int | None = 0
    number_available: int | None = 0


class DaemonSet(Struct):
    metadata: Meta
    spec: SetSpec = field(default_factory=SetSpec)
    status: DaemonSetStatus = field(default_factory=DaemonSetStatus)


class Involved(Struct):
    kind: str = ""
    name: str = ""
    uid: str = ""


class EventSeries(Struct, rename="camel"):
    count: int = 0
    last_observed_time: datetime | None = None


class EventObject(Struct, rename="camel"):
    metadata: Meta
    involved_object: Involved = field(default_factory=Involved)
    type: str = ""
    reason: str | None = ""
    message: str | None = ""
    count: int | None = None
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    event_time: datetime | None = None
    series: EventSeries | None = None


class BudgetSpec(Struct, rename="camel"):
    selector: Selector | None = None
    min_available: int | str | None = None


class BudgetStatus(Struct, rename="camel"):
    disruptions_allowed: int = 0
    current_healthy: int = 0
    desired_healthy: int = 0
    expected_pods: int = 0


class BudgetObject(Struct):
    metadata: Meta
    spec: BudgetSpec = field(default_factory=BudgetSpec)
    status: BudgetStatus = field(default_factory=BudgetStatus)


class SliceConditions(Struct):
    ready: bool | None = None


class SliceEndpoint(Struct, rename="camel"):
    conditions: SliceConditions | None = None
    target_ref: Involved | None = None
    zone: str | None = ""


class SliceObject(Struct):
    metadata: Meta
    endpoints: list[SliceEndpoint] | None = None


class ServiceSpec(Struct):
    selector: dict[str, str] | None = None


class ServiceObject(Struct):
    metadata: Meta
    spec: ServiceSpec = field(default_factory=ServiceSpec)


class ScaleTarget(Struct):
    kind: str = ""
    name: str = ""


class AutoscalerSpec(Struct, rename="camel"):
    scale_target_ref: ScaleTarget = field(default_factory=ScaleTarget)
    min_replicas: int | None = None
    max_replicas: int = 0
    metrics: list[dict[str, Any]] | None = None


class AutoscalerStatus(Struct):
    conditions: list[Condition] | None = None


class AutoscalerObject(Struct):
    metadata: Meta
    spec: AutoscalerSpec = field(default_factory=AutoscalerSpec)
    status: AutoscalerStatus | None = None


def utc(instant: datetime | None) -> datetime | None:
    """The instant in UTC; one without a zone is taken as UTC."""
    if instant is None:
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
