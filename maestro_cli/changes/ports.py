"""What changes need from outside.

Invariant: every write carries the preconditions it was planned on. A system that the context does not name is
missed by whoever asks for it, not by changes that need another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from maestro_cli.changes.left import Left
from maestro_cli.changes.model import GateReason, Plan
from maestro_cli.changes.served import OpenIncident
from maestro_cli.core.facts.alerts import Alert, Silence
from maestro_cli.core.facts.cluster import (
    AccessAnswer,
    Autoscaler,
    ClusterEvent,
    ConfigMap,
    DisruptionBudget,
    Node,
    Pod,
    Revision,
    Service,
    ServiceEndpoint,
    Workload,
)
from maestro_cli.core.facts.entrances import Entrance
from maestro_cli.core.facts.inference import RoutingInForce, RoutingPreview, ServedReplica
from maestro_cli.core.facts.metrics import Instant, Series
from maestro_cli.core.facts.releases import Release
from maestro_cli.core.matchers import Matcher
from maestro_cli.core.refs import ObjectRef, WorkloadRef
from maestro_cli.slo.objectives import Objective

if TYPE_CHECKING:
    from maestro_cli.changes.rules import Judgement


class ClusterPort(Protocol):
    """A cluster as changes see it. Reads raise Unreachable, Refused and NotFound."""

    def identity(self) -> str:
        """As whom the cluster knows the caller, or the kubeconfig where it does not tell; may be empty."""

    def get_workload(self, ref: WorkloadRef) -> Workload: ...

    def get_autoscaler(self, namespace: str, name: str) -> Autoscaler:
        """Raises NotFound also where the cluster knows no such thing."""

    def get_node(self, name: str) -> Node: ...

    def get_pod(self, namespace: str, name: str) -> Pod: ...

    def get_config_map(self, namespace: str, name: str) -> ConfigMap: ...

    def secret_keys(self, namespace: str, name: str) -> Sequence[str]:
        """The keys of a Secret, never its values."""

    def list_all_workloads(self, namespace: str | None) -> Sequence[Workload]:
        """Deployments, StatefulSets and DaemonSets; a cluster that does not know a kind has none of it."""

    def list_nodes(self) -> Sequence[Node]: ...

    def list_pods_on(self, node: str) -> Sequence[Pod]:
        """The pods of all namespaces that are bound to that node."""

    def list_revisions(self, ref: WorkloadRef) -> Sequence[Revision]:
        """Every revision the workload still owns, in any order."""

    def list_events(self, namespace: str) -> Sequence[ClusterEvent]:
        """What the cluster still keeps of what happened there; the default is an hour."""

    def list_pods(self, namespace: str | None, *, selector: str = "") -> Sequence[Pod]: ...

    def list_disruption_budgets(self, namespace: str | None) -> Sequence[DisruptionBudget]: ...

    def list_endpoints(self, namespace: str) -> Sequence[ServiceEndpoint]:
        """The pods behind the Services of a namespace."""

    def list_services(self, namespace: str) -> Sequence[Service]: ...

    def list_autoscalers(self, namespace: str | None) -> Sequence[Autoscaler]:
        """What sets replicas by itself; a cluster that does not know such a thing has none."""

    def access(
        self,
        verb: str,
        resource: str,
        *,
        namespace: str,
        group: str = "",
        name: str = "",
        subresource: str = "",
    ) -> AccessAnswer:
        """What the cluster's own access review says."""

    def write_spec(
        self,
        ref: WorkloadRef,
        *,
        uid: str,
        resource_version: str,
        spec: Mapping[str, Any],
        annotations: Mapping[str, str | None],
        dry_run: bool = False,
    ) -> Workload:
        """Replace the named parts of the spec (`template`, `replicas`, `paused`) and merge the annotations,
        in one write.

        Raises StalePlan when uid or resourceVersion differ (nothing was written), OutcomeUnknown when
        no answer came, Unreachable when it was never sent, Refused and NotFound.
        """

    def write_node(
        self,
        name: str,
        *,
        uid: str,
        resource_version: str,
        unschedulable: bool,
        annotations: Mapping[str, str | None],
        dry_run: bool = False,
    ) -> Node:
        """Close a node to new pods, or open it, and merge the annotations; raises as `write_spec`."""

    def write_config_map(
        self,
        namespace: str,
        name: str,
        *,
        uid: str,
        resource_version: str,
        data: Mapping[str, str],
        annotations: Mapping[str, str | None],
        dry_run: bool = False,
    ) -> ConfigMap:
        """Replace all the text of a ConfigMap and merge the annotations, in one write; as `write_spec`."""

    def write_autoscaler(
        self,
        namespace: str,
        name: str,
        *,
        uid: str,
        resource_version: str,
        least: int,
        most: int,
        cpu: int | None,
        annotations: Mapping[str, str | None],
        dry_run: bool = False,
    ) -> Autoscaler:
        """Move the bounds and merge the annotations; raises as `write_spec`."""

    def evict_pod(self, namespace: str, name: str, *, uid: str, dry_run: bool = False) -> None:
        """Have the pod of that uid end, if its disruption budget allows.

        Raises GateNotMet when it does not, StalePlan when the pod of that name is another; else as
        `write_spec`.
        """

    def delete_pod(self, namespace: str, name: str, *, uid: str, dry_run: bool = False) -> None:
        """Have the pod of that uid end, whatever its disruption budget says; raises as `evict_pod`."""


class MetricsPort(Protocol):
    """Prometheus as changes ask it; raises Unreachable, Refused and InvalidQuery."""

    def query(self, promql: str, *, at: datetime | None = None) -> Instant: ...

    def query_range(
        self, promql: str, start: datetime, end: datetime, step_seconds: float
    ) -> Sequence[Series]: ...


class ServingPort(Protocol):
    """The model servers behind one address. Methods raise Unreachable and Refused besides what they say."""

    def routing(self) -> RoutingInForce:
        """The document in force at whichever replica answers."""

    def preview_routing(self, document: str) -> RoutingPreview:
        """What a document would have done to the last requests; raises UsageError when it is refused."""

    def put_routing(
        self, document: str, *, replaces: str, change: str, dry_run: bool = False
    ) -> RoutingInForce:
        """Put a document in force, marked; raises StalePlan when another digest is in force."""

    def replicas(self, count: int) -> Mapping[str, ServedReplica]:
        """Replicas by id: asked until so many answered, or often enough."""

    def load_model(self, model: str, version: int, *, replica: str, dry_run: bool = False) -> None:
        """Have that replica, and no other, load a version; twice is as once. Raises UsageError."""

    def unload_model(self, model: str, version: int, *, replica: str, dry_run: bool = False) -> None:
        """Have that replica unload a version; raises UsageError, and ActionFailed while it is routed to."""

    def clear_cache(self, model: str, *, replica: str, change: str, dry_run: bool = False) -> None:
        """Have that replica forget its kept answers, of a model or of all (""), and note the change."""


class ReleasesPort(Protocol):
    """Helm as changes use it; raises Unreachable, Refused and InvalidFile."""

    def history(self, ref: ObjectRef) -> Sequence[Release]:
        """Its revisions, oldest first; raises NotFound when there is none."""

    def has_program(self) -> bool:
        """Whether Helm can be asked to do anything."""

    def roll_back(self, ref: ObjectRef, revision: int, *, seconds: float, dry_run: bool = False) -> None:
        """Have Helm begin to go back; raises ActionFailed when it does not, and OutcomeUnknown."""


class AlertmanagerPort(Protocol):
    """An Alertmanager as changes see it. Methods raise Unreachable and Refused."""

    def alerts(self, *, matchers: Sequence[Matcher] = ()) -> Sequence[Alert]:
        """The firing alerts that match, silenced ones too."""

    def silences(self) -> Sequence[Silence]:
        """Every silence it still knows, those that are over too."""

    def create_silence(
        self, matchers: Sequence[Matcher], *, starts_at: datetime, ends_at: datetime, created_by: str,
        comment: str,
    ) -> str:  # fmt: skip
        """Its id. Raises UsageError when it is not accepted, OutcomeUnknown when no answer came."""

    def expire_silence(self, silence_id: str) -> None:
        """End it now; raises NotFound when it is not known, OutcomeUnknown when no answer came."""


class EntrancePort(Protocol):
    """Where callers come in, wherever that is; raises Unreachable, Refused and NotFound."""

    def get(self, namespace: str, name: str) -> Entrance:
        """The Service of that name with its slice; raises UsageError where it is no entrance."""

    def write(
        self, entrance: Entrance, *, uid: str, resource_version: str, endpoints: Sequence[Mapping[str, Any]],
        ports: Sequence[Mapping[str, Any]], annotations: Mapping[str, str | None], dry_run: bool = False,
    ) -> Entrance:  # fmt: skip
        """Have its slice lead there, and read it back; raises as `ClusterPort.write_spec`."""

    def ails(self, url: str) -> str:
        """Why a region that says at this URL that it is well is not, as seen from here; "" when it is."""

    def forbids(self, ref: ObjectRef) -> Sequence[GateReason]:
        """What speaks against writing there that the gate of this context cannot know."""

    def judged(self, plan: Plan, actor: str, now: datetime) -> Sequence[Judgement]:
        """What each rule there says of a plan to write there, where that is another context's than this."""


class World(Protocol):
    """The systems of one context that changes read and alter; for one that it lacks NotFound is raised."""

    @property
    def cluster(self) -> ClusterPort: ...

    @property
    def alertmanager(self) -> AlertmanagerPort: ...

    @property
    def metrics(self) -> MetricsPort: ...

    @property
    def releases(self) -> ReleasesPort: ...

    @property
    def objectives(self) -> Mapping[str, Objective]:
        """By name; raises InvalidFile."""

    @property
    def serving(self) -> ServingPort: ...

    @property
    def entrances(self) -> EntrancePort:
        """Where callers come in who may be served by one region or another."""

    def budget_left(self, objective: Objective) -> Left:
        """What is left of its budget, as `slo budget` tells it."""

    def open_incidents(self) -> Sequence[OpenIncident]:
        """What people respond to now."""
