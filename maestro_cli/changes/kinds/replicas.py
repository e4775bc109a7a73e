"""What the kinds have in common that call each replica of the model servers, one after the other.

Invariant: only replicas are called that say they run in the ready pods of the target, and each of those pods
answers. A call is meant for one replica by its id and done by that one or none; the first replica is the
write of the change, the others are its steps. To call twice is as once, so a replica that is seen to lack
what was wanted may be called again after a crash. A replica that starts later is as its command line says,
not as this change left the others.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Holds, Observation, Permission, Probe, Request, Sent
from maestro_cli.changes.kinds.workload import permissions_of
from maestro_cli.changes.kinds.writing import Draft, Spec, WritingKind
from maestro_cli.changes.model import BlastRadius, Diff, DiffLine, GateReason, Plan, Target, Undo
from maestro_cli.changes.own_pods import own_pods
from maestro_cli.changes.ports import ClusterPort, World
from maestro_cli.core.canonical import digest, plain
from maestro_cli.core.errors import (
    ActionFailed,
    ExitCode,
    GateNotMet,
    NotFound,
    StalePlan,
    Unreachable,
    UsageError,
)
from maestro_cli.core.facts.cluster import Workload
from maestro_cli.core.facts.inference import ServedReplica
from maestro_cli.core.quantities import counted
from maestro_cli.core.refs import ObjectRef, WorkloadRef
from maestro_cli.core.untrusted import Untrusted, visible

Replicas = Mapping[str, ServedReplica]
_GONE = "UNAVAILABLE"  # unloaded, or refused: as if it were not there


@dataclass(frozen=True, slots=True)
class Fleet:
    """The replicas of a workload, or a server that is alone, and what each said; `count` are ready."""

    ref: ObjectRef
    uid: str
    resource_version: str
    generation: int
    count: int
    replicas: Replicas


class ReplicaKind(WritingKind[Fleet]):
    """A kind of change; subclasses say what a replica is to have, and how it is called."""

    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission("list", "pods"),
        Permission("list", "replicasets", "apps"),
        Permission("get", "deployments", "apps"),
    )

    @abstractmethod
    def asked(self, world: World, fleet: Fleet, request: Request) -> Draft:
        """The draft without spec and diff, which are made here."""

    @abstractmethod
    def done(self, plan_id: str, parameters: Mapping[str, Any], replica: ServedReplica) -> ServedReplica:
        """The replica as it is after its call; itself when it is so already."""

    @abstractmethod
    def call(self, world: World, plan: Plan, replica: str, *, dry_run: bool = False) -> None:
        """Call one replica; raises what ServingPort says."""

    @abstractmethod
    def shown(self, parameters: Mapping[str, Any], replica: ServedReplica) -> str:
        """What of a replica is to change, in a word."""

    def read(self, world: World, ref: ObjectRef) -> Fleet:
        """Raises Unreachable when not every ready replica was met, or somebody else answers."""
        if ref.kind == "Server":
            replicas = world.serving.replicas(2)
            if len(replicas) > 1:
                raise GateNotMet(
                    "several replicas answer behind the serving address",
                    why="how many there are is not known, so that not every one may be reached",
                    fix="name their workload: deploy/NAME",
                )
            return Fleet(ref, "serving", "", 0, len(replicas), _decided(replicas))
        if not isinstance(ref, WorkloadRef):
            raise UsageError(f"{ref} serves no models", fix="name a workload, or server/serving")
        found = world.cluster.get_workload(ref)
        ready = _ready_pods(world.cluster, found)
        replicas = world.serving.replicas(len(ready)) if ready else {}
        _check_whose(ref, ready, replicas)
        return Fleet(ref, found.uid, found.resource_version, 0, len(ready), _decided(replicas))

    def target(self, found: Fleet) -> Target:
        state = digest([found.uid, _plain(found.replicas)])
        return Target(found.ref, found.uid, found.resource_version, found.generation, state)

    def draft(self, world: World, found: Fleet, request: Request) -> Draft:
        if not found.count:
            raise ActionFailed(f"no replica of {found.ref} is ready; there is nothing to call")
        draft = self.asked(world, found, request)
        after = self._after(request.change_id, draft.parameters, found.replicas)
        lacking = sorted(name for name, one in found.replicas.items() if after[name] != one)
        lines = tuple(
            DiffLine(
                Untrusted(f"replica {name}"),
                Untrusted(self.shown(draft.parameters, found.replicas[name])),
                Untrusted(self.shown(draft.parameters, after[name])),
            )
            for name in lacking
        )
        return replace(
            draft,
            parameters={**draft.parameters, "lacking": lacking},
            spec={"replicas": after},
            diff=Diff(lines),
        )

    def blast(self, world: World, found: Fleet, draft: Draft, request: Request) -> BlastRadius:
        """It ends nothing; it reaches the replicas that lack what is wanted."""
        return BlastRadius(
            workloads=1, replicas_now=found.count, replicas_after=found.count, namespace_share=0.0,
            recent=tuple(request.recent),
        )  # fmt: skip

    def needs(self, plan: Plan) -> tuple[Permission, ...]:
        """A server asks its caller for a key by itself."""
        kind = plan.target.ref.kind
        return () if kind == "Server" else permissions_of(kind, self.permissions)

    def is_up(self, found: Fleet) -> bool:
        return len(found.replicas) == found.count

    def spec(self, world: World, found: Fleet, plan: Plan) -> Spec:
        return {"replicas": self._after(plan.id, plan.parameters, found.replicas)}

    def spec_of(self, found: Fleet) -> Spec:
        return {"replicas": found.replicas}

    def part(self, spec: Spec) -> str:
        return digest(["replicas", _plain(spec["replicas"])])

    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> Fleet:
        """Call the first replica that lacks it; the versions do not matter, since it is called by its id."""
        found = self.read(world, plan.target.ref)
        after = self._after(plan.id, plan.parameters, found.replicas)
        lacking = sorted(name for name, one in found.replicas.items() if after[name] != one)
        if not lacking:
            raise StalePlan(f"every replica of {found.ref} is so already")
        self.call(world, plan, lacking[0], dry_run=dry_run)
        return replace(found, replicas=after)

    def probe(self, world: World, plan: Plan) -> Probe:
        """One of the replicas has it that lacked it when planned; none has: to call again is safe."""
        ref = plan.target.ref
        try:
            found = self.read(world, ref)
        except NotFound:
            return Probe(Sent.GONE, f"{ref} no longer exists")
        planned = {
            name: found.replicas[name] for name in plan.parameters["lacking"] if name in found.replicas
        }
        if not planned:
            return Probe(Sent.GONE, f"the replicas of {ref} that were planned for are gone", found)
        done = [name for name, one in planned.items() if self.done(plan.id, plan.parameters, one) == one]
        if not done:
            return Probe(Sent.NOT_APPLIED, f"no replica of {ref} was called", found)
        evidence = f"replica {done[0]} of {ref} is as wanted"
        return Probe(Sent.APPLIED, evidence, found, plan.payload_digest)

    def pending(self, world: World, plan: Plan) -> Mapping[str, ObjectRef]:
        """The replicas that lack it now, by id."""
        found = self.read(world, plan.target.ref)
        after = self._after(plan.id, plan.parameters, found.replicas)
        return {
            name: ObjectRef("Replica", found.ref.namespace, name)
            for name, one in sorted(found.replicas.items())
            if after[name] != one
        }

    def take(self, world: World, plan: Plan, ref: ObjectRef, uid: str) -> None:
        self.call(world, plan, uid)

    def observe(self, world: World, plan: Plan, *, left: str) -> Observation:
        """Every replica that is ready now has it."""
        ref = plan.target.ref
        try:
            found = self.read(world, ref)
        except NotFound as error:
            return Observation(Holds.SUPERSEDED, error.what)
        after = self._after(plan.id, plan.parameters, found.replicas)
        there = sum(after[name] == one for name, one in found.replicas.items())
        text = f"{there} of {counted(found.count, 'replica')} of {ref}: {plan.summary}"
        return Observation(Holds.YES if 0 < found.count <= there else Holds.NOT_YET, text)

    def _after(self, plan_id: str, parameters: Mapping[str, Any], replicas: Replicas) -> Replicas:
        return {name: self.done(plan_id, parameters, one) for name, one in replicas.items()}


def _ready_pods(cluster: ClusterPort, workload: Workload) -> Set[str]:
    """The uids of the pods that are ready and belong to the workload itself."""
    return {str(pod.uid) for pod in own_pods(cluster, workload) if pod.ready and not pod.deleting}


def _check_whose(ref: ObjectRef, ready: Set[str], replicas: Replicas) -> None:
    """Raises Unreachable unless each of these pods answered, and nobody else did."""
    if any(not one.pod for one in replicas.values()):
        raise Unreachable(
            f"whether the replicas of {ref} answer at the serving address is not known",
            why="a server there does not tell in which pod it runs",
            fix="set POD_UID in its pods from metadata.uid (docs/serving.md); if it is alone, name it server",
        )
    others = [name for name, one in sorted(replicas.items()) if one.pod not in ready]
    if others:
        raise Unreachable(
            f"replica {visible(others[0], 40)} at the serving address is in no ready pod of {ref}",
            why="a call would change the servers of something else",
            fix="look whether the context's serving address is that of this workload",
        )
    met = {one.pod for one in replicas.values()}
    if len(met) < len(ready):
        raise Unreachable(
            f"{len(met)} of {len(ready)} ready replicas of {ref} answered at the serving address",
            fix="look whether the context's serving address is that of this workload",
        )


def version_named(parameters: Mapping[str, Any]) -> str:
    """As replicas tell it: fraud@1."""
    return f"{parameters['model']}@{parameters['version']}"


def objection(code: str, what: str, why: str, fix: str) -> tuple[GateReason, ...]:
    """The one reason that the gate is given."""
    return (GateReason(code, ExitCode.GATE_NOT_MET, what, why=why, fix=fix),)


def drafted(
    parameters: Mapping[str, Any], summary: str, holds: str, undo: Undo | None,
    objections: tuple[GateReason, ...] = (),
) -> Draft:  # fmt: skip
    """A draft whose spec and diff are still to be made."""
    return Draft(parameters, summary, {}, Diff(), holds, undo, objections=objections)


def _decided(replicas: Replicas) -> Replicas:
    """What people decide about: the models that are there and the caches, not how the routing is followed."""
    return {
        name: replace(one, routing="", models={key: now for key, now in one.models.items() if now != _GONE})
        for name, one in sorted(replicas.items())
    }


def _plain(replicas: Replicas) -> dict[str, Any]:
    return {name: plain(one) for name, one in sorted(replicas.items())}
