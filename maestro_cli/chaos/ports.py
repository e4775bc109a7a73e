"""What experiments need from outside. Invariant: whoever cannot tell raises, and never says `nothing`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from maestro_cli.changes.left import Left
from maestro_cli.changes.ports import World
from maestro_cli.chaos.regions.sentinels import Sentinel
from maestro_cli.config.experiments import ExperimentRules
from maestro_cli.core.facts.cluster import Pod
from maestro_cli.core.refs import ObjectRef
from maestro_cli.slo.objectives import Objective
from maestro_cli.slo.slo_gate import GateAnswer

if TYPE_CHECKING:
    from maestro_cli.slo.measuring.stretch import Spent


@dataclass(frozen=True, slots=True)
class ActiveFault:
    """A fault that a model server has now; `note` is what started it, `hits` how many requests it met."""

    id: str
    kind: str
    note: str
    hits: int


@dataclass(frozen=True, slots=True)
class Asked:
    """One way of asking: so many bytes, and how long to wait for the first byte of an answer."""

    size: int = 0
    timeout_seconds: float = 1.0


class ServerFaults(Protocol):
    """The fault hooks of model servers, pod by pod; raises Refused, Unreachable and OutcomeUnknown."""

    def active(self, pod: Pod) -> Sequence[ActiveFault]: ...

    def start(self, pod: Pod, order: Mapping[str, Any]) -> None:
        """Start what the order says, in the form of `POST /v2/faults`."""

    def end(self, pod: Pod, fault: str) -> None:
        """End the one of that id; raises NotFound when it is over already."""


class EmbeddedHooks(ServerFaults, Protocol):
    """What the embedded platform's own load balancer and kubelets can be made to do.

    `active`, `start` and `end` are of leases (core.fault_leases): a pod's kubelet and the load balancer carry
    them out until they end. Those that are over are active until they are taken away.
    """

    def round_trips(self, namespace: str, pods: Sequence[str], asked: Asked) -> Sequence[float | None]:
        """Seconds to the first byte of an answer through the Services before these pods, one connection each,
        spread over everything behind them; None where none came in time. Raises NotFound where no Service is.
        """

    def scratch_bytes(self, pod: Pod) -> int | None:
        """The smallest size limit of its emptyDir volumes; None where none is limited."""

    def stop_kubelet(self, node: str, seconds: float, note: str, *, with_pods: bool = False) -> None:
        """Stop its process for `note`, and all of its pods' too; it goes on by itself after that time. Raises
        GateNotMet.
        """

    def resume_kubelet(self, node: str, note: str) -> None:
        """Let it go on where it was stopped for that one; twice is as once."""

    def stopped_for(self, node: str) -> str | None:
        """For whom its process does nothing now, as the system tells; "": nobody says so; None: it runs."""


class Regions(Protocol):
    """The region of a context, and the one that takes over from it; raises Unreachable and Refused."""

    @property
    def own(self) -> str: ...

    @property
    def other(self) -> str: ...

    @property
    def entrance(self) -> ObjectRef:
        """The Service by which callers come in."""

    @property
    def service(self) -> str:
        """Of the objectives that a failover counts for; "" where neither context nor entrance says."""

    def ails(self, region: str) -> str:
        """Why a region is not well, asked at its own address; "" when it is. Raises NotFound."""

    def unserved(self) -> str:
        """Why who comes in by the entrance is not served, asked as callers do; "" when they are."""

    def write_sentinel(self, sentinel: Sentinel) -> None:
        """Into the region of the context, in the place of the one before."""

    def newest_sentinel(self) -> Sentinel | None:
        """What is of them in the other region."""


class MeshResources(Protocol):
    """Resources of Chaos Mesh as plain JSON; `kind` is one of its kinds. Raises Unreachable and Refused."""

    def serves(self, kind: str) -> bool:
        """Whether the cluster has such a kind; where that may not be asked, it is taken to."""

    def get(self, kind: str, namespace: str, name: str) -> Mapping[str, Any]:
        """Raises NotFound."""

    def list(self, kind: str, namespace: str | None, *, selector: str = "") -> Sequence[Mapping[str, Any]]:
        """Those of a namespace, or of all (None), with these labels."""

    def create(self, document: Mapping[str, Any], *, dry_run: bool = False) -> Mapping[str, Any]:
        """Raises ActionFailed where the cluster finds it wrong or has it, and OutcomeUnknown."""

    def delete(self, kind: str, namespace: str, name: str, *, uid: str, dry_run: bool = False) -> None:
        """Have the one of that uid end, once its controller let it; raises NotFound and StalePlan."""

    def annotate(
        self, kind: str, namespace: str, name: str, annotations: Mapping[str, str | None], *,
        uid: str, dry_run: bool = False,
    ) -> Mapping[str, Any]:  # fmt: skip
        """Set annotations of the one of that uid, or remove them where None; as `delete`."""


class Platform(World, Protocol):
    """A context as faults see it: what changes do, and the hooks of whatever else can be broken.

    What the context does not have raises NotFound.
    """

    @property
    def server_faults(self) -> ServerFaults: ...

    @property
    def embedded(self) -> EmbeddedHooks: ...

    @property
    def regions(self) -> Regions: ...

    @property
    def mesh(self) -> MeshResources:
        """What Chaos Mesh has in the context's cluster."""


class Surroundings(Protocol):
    """What the guard asks about the context, besides the plan."""

    @property
    def rules(self) -> ExperimentRules | None:
        """What the context says of experiments; None where it says nothing."""

    @property
    def has_cluster(self) -> bool:
        """Whether the context names one."""

    def grave_incidents(self, namespaces: Sequence[str]) -> Sequence[str]:
        """Open incidents of sev1 and sev2 that may be there, by name."""

    def budget_gate(self, objectives: Sequence[str]) -> GateAnswer:
        """Whether the budget policy lets an experiment begin, which may cost these objectives."""

    def spent(self, objective: Objective, began: datetime, ended: datetime) -> Spent:
        """What was spent of its budget from the minute of `began` to `ended`, which is now."""

    def left_after(self, objective: Objective) -> Left:
        """What is left of its budget, by all that was scraped until now."""

    def value(self, query: str) -> float | None:
        """The one value of a query; None where there is none, several, or NaN."""

    def value_elsewhere(self, query: str) -> float | None:
        """As `value`, asked in the region that takes over; raises NotFound where there is none."""

    def other_region_ails(self) -> str:
        """Why the region that takes over is not well, as seen from here; "" when it is. Raises NotFound."""

    def failover_service(self) -> str:
        """Of the objectives that a failover counts for; "" where nobody says. Raises NotFound."""

    def others(self) -> Sequence[str]:
        """Runs of experiments that are not over in this context, by id."""
