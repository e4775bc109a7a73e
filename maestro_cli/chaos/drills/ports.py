"""What a drill needs from outside. Invariant: nothing here tells the responders the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from maestro_cli.chaos.drills.faults import InjectedFault
from maestro_cli.chaos.drills.model import Outcome, ReplicaFault
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.facts.cluster import ConfigMap, Pod, Workload
from maestro_cli.core.facts.metrics import Instant
from maestro_cli.core.progress import Progress
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.journal.store import Journal
from maestro_cli.runbooks.model import Confirm

if TYPE_CHECKING:
    from maestro_cli.chaos.drilled import Drilled
    from maestro_cli.chaos.faults.fault import InForce
    from maestro_cli.chaos.guard.check import Answer, Proposal
    from maestro_cli.chaos.model import Experiment
    from maestro_cli.chaos.running import RunReport


class Stage(Protocol):
    """The platform the drill plays on."""

    def is_up(self) -> bool: ...

    def up(self, progress: Progress, cancellation: Cancellation) -> None:
        """Start it and wait until every part is ready."""

    def down(self, progress: Progress) -> None:
        """Stop it and leave nothing behind."""


class Cluster(Protocol):
    def get_workload(self, ref: WorkloadRef) -> Workload: ...

    def replace_template(
        self,
        ref: WorkloadRef,
        *,
        uid: str,
        resource_version: str,
        template: Mapping[str, Any],
        annotations: Mapping[str, str | None],
        dry_run: bool = False,
    ) -> Workload: ...

    def write_spec(
        self,
        ref: WorkloadRef,
        *,
        uid: str,
        resource_version: str,
        spec: Mapping[str, Any],
        annotations: Mapping[str, str | None],
        dry_run: bool = False,
    ) -> Workload: ...

    def get_config_map(self, namespace: str, name: str) -> ConfigMap: ...

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
    ) -> ConfigMap: ...


class Metrics(Protocol):
    def query(self, promql: str, *, at: datetime | None = None) -> Instant: ...


class Faults(Protocol):
    """The fault injection of the model servers of a workload."""

    def replicas(self, ref: WorkloadRef) -> Sequence[Pod]:
        """The ready replicas, by name. Raises GateNotMet where there is none."""

    def pods_of(self, ref: WorkloadRef) -> Sequence[Pod]:
        """Every replica, ready or not; there may be none."""

    def inject_in(self, pod: Pod, fault: ReplicaFault, note: str) -> None:
        """Into that replica; as `inject`."""

    def inject(self, ref: WorkloadRef, fault: ReplicaFault, note: str) -> str:
        """Into one ready replica, as its place says; its pod's name is returned, `note` recorded with it.

        Raises Refused, NotFound or GateNotMet when nothing was injected; after any other error it may be on.
        """

    def inject_everywhere(self, ref: WorkloadRef, fault: ReplicaFault, note: str) -> tuple[str, ...]:
        """Into every ready replica; as `inject`, but after any error it may be on in some."""

    def end_all(self, ref: WorkloadRef) -> None:
        """End every fault of every replica that lives. Raises Unreachable when one does not answer."""

    def recorded(self) -> tuple[InjectedFault, ...]:
        """What the servers recorded, also those that are gone. Raises NoData, InvalidFile."""


class Nodes(Protocol):
    """The machines below the cluster."""

    def hosting(self, ref: WorkloadRef) -> tuple[str, ...]:
        """The nodes that run ready replicas of the workload, by name."""

    def stop(self, node: str) -> None:
        """Stop its kubelet: what runs there goes on, and nobody hears of it. Raises GateNotMet."""

    def resume(self) -> tuple[str, ...]:
        """Let every stopped kubelet go on; the nodes whose kubelet really was stopped."""

    def closed(self) -> tuple[str, ...]:
        """The nodes that take no new pods, by name. Raises Unreachable."""

    def reopen(self, node: str, drill: str) -> bool:
        """Have it take new pods again, for a drill that is over; False when it did. Raises GateNotMet,
        Unreachable.
        """


class Objects(Protocol):
    """The objects of the cluster, by the paths of its API; it raises as the cluster's source does."""

    def get_object(self, path: str) -> Mapping[str, Any]: ...

    def create_object(self, path: str, body: Mapping[str, Any]) -> None: ...

    def merge_object(self, path: str, patch: Mapping[str, Any]) -> None: ...

    def delete_object(self, path: str) -> None:
        """Also what it owns."""


class Props(Protocol):
    """What a drill brings along, made for the platform it plays on."""

    def certificate(self, name: str, days: float) -> Mapping[str, str]:
        """The data of a TLS Secret whose certificate signs itself and ends in so many days."""

    def backup(self, name: str, destination: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The config map of the models' backup that names this destination, and a job of that name, as its
        schedule makes them.
        """

    def restore_key(self, key: str) -> None:
        """Have the key that somebody elsewhere was given hold, and no other of theirs."""

    def misuse_key(self, key: str) -> None:
        """Begin to ask, a few times a second, for what that key may not do; until `stop_misuse`."""

    def stop_misuse(self) -> int:
        """End that, and give the status of the last answer; 0 when there was none. Twice is as once."""


class Load(Protocol):
    """Those who call the workloads."""

    def surge(self, ref: WorkloadRef, factor: float, seconds: float) -> None:
        """So many times the usual requests from now on; over after that time, and when this process ends."""

    def calm(self, ref: WorkloadRef) -> bool:
        """As usual again; False when it was. Raises GateNotMet."""


class Alarms(Protocol):
    """Whoever sends alerts, right or wrong."""

    def say(self, alerts: Sequence[Mapping[str, str]], *, since: datetime, for_seconds: float) -> None:
        """Send alerts of these labels, which began then and are over after that time unless said again."""


class Responder(Protocol):
    """The people and programs that respond; they know only what monitoring tells them."""

    def firing(self, ref: WorkloadRef) -> tuple[str, ...]:
        """Names of alerts that fire around the workload now, or are of no namespace."""

    def open_incidents(self, ref: WorkloadRef, *, before: datetime | None = None) -> tuple[str, ...]:
        """Names of the incidents open on it, or on no workload; with `before`, those that began earlier."""

    def dismiss_drills(self, ref: WorkloadRef, reason: str) -> None:
        """Dismiss incidents of drills that are still open on the workload or on none; never a real one."""

    def dismiss_since(self, ref: WorkloadRef, since: datetime, reason: str) -> None:
        """Dismiss what began since then and is open on the workload or on none."""

    def await_incident(
        self,
        refs: Sequence[WorkloadRef],
        alert: str,
        *,
        since: datetime,
        timeout_seconds: float,
        cancellation: Cancellation,
    ) -> str:
        """The id of the incident in which the alert fires ("": any), opened or opened again since then, for
        one of the workloads or for none (a node has none); raises TimedOut.
        """

    def respond(
        self, incident: str, *, confirm: Confirm, progress: Progress, cancellation: Cancellation
    ) -> None:
        """Triage, run the bound runbook, wait until the alert clears, resolve, write the post-mortem."""

    def outcome(self, incident: str) -> Outcome:
        """What the journal says was done, however far it came."""

    def close(self, incident: str, reason: str) -> None:
        """Close a resolved incident for good: the next drill opens one of its own."""


@dataclass(frozen=True, slots=True)
class PutIn:
    """The fault of a run: since when it was meant to be there, whether it proved to have an effect, and who
    took it back ("" while it is in force).
    """

    fault: InForce
    since: datetime
    is_effective: bool
    undone_by: str = ""


class Experiments(Protocol):
    """Experiments under their guard."""

    def plan(self, experiment: Experiment, seed: int) -> tuple[Proposal, Sequence[Answer]]:
        """What a run would do now, and what the guard says to it."""

    def run(
        self, experiment: Experiment, seed: int, drilled: Drilled, *, agreed: str, progress: Progress
    ) -> RunReport:
        """Run it to its end, which a signal to this process makes early. Raises what the guard says, and
        StalePlan where it would not be what was `agreed` to (a digest of the proposal; "": whatever it is).
        """

    def put_in(self, run: str) -> PutIn | None:
        """What the run meant to put in, whether it is in force still or not."""

    def is_over(self, fault: InForce) -> bool:
        """Whether things are as before it, by what proves its recovery. Raises Unreachable, Refused."""

    def sweep(self, run: str) -> Sequence[str]:
        """Take back what is left of a run whose process died; what cannot be. Twice is as once."""


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Everyone a drill works with once its platform is up."""

    journal: Journal
    cluster: Cluster
    metrics: Metrics
    responder: Responder
    faults: Faults
    nodes: Nodes
    objects: Objects
    props: Props
    load: Load
    alarms: Alarms
    experiments: Experiments
