"""Changes that start and end a fault in one pod, through hooks that take it by its note: a model server's.

Invariant: a fault carries the id of its change as its note, so that it is found again and ended by that:
what others have in the same server stays. It ends by itself too, when its time is over or its process ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from maestro_cli.changes.blast import pod_blast
from maestro_cli.changes.kinds.kind import Holds, Observation, Option, Permission, Probe, Request, Sent
from maestro_cli.changes.kinds.writing import Draft, Spec, WritingKind
from maestro_cli.changes.model import BlastRadius, Diff, DiffLine, Plan, Target, Undo
from maestro_cli.changes.ports import World
from maestro_cli.changes.reach import owners_of, with_reach
from maestro_cli.chaos.ports import ActiveFault, ServerFaults
from maestro_cli.core.canonical import digest
from maestro_cli.core.errors import NotFound, UsageError
from maestro_cli.core.facts.cluster import Pod
from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.untrusted import Untrusted

INJECT, END = "inject-server-fault", "end-server-fault"


@dataclass(frozen=True, slots=True)
class ServedPod:
    """A pod, and the faults that its model server has."""

    pod: Pod
    faults: tuple[ActiveFault, ...]

    @property
    def ref(self) -> ObjectRef:
        return self.pod.ref

    @property
    def uid(self) -> str:
        return self.pod.uid

    @property
    def resource_version(self) -> str:
        return self.pod.resource_version

    @property
    def generation(self) -> int:
        return 0

    @property
    def labels(self) -> Mapping[str, str]:
        return self.pod.labels

    @property
    def notes(self) -> frozenset[str]:
        return frozenset(fault.note for fault in self.faults)


class ServerFaultKind(WritingKind[ServedPod]):
    """What both have in common; `servers` is asked for when it is needed, `holder` what has the fault."""

    permissions: ClassVar[tuple[Permission, ...]] = (Permission("get", "pods"),)
    holder: ClassVar[str] = "the server of "

    def __init__(self, servers: Callable[[], ServerFaults]) -> None:
        self._servers = servers

    def read(self, world: World, ref: ObjectRef) -> ServedPod:
        if ref.kind != "Pod":
            raise UsageError(f"{ref} is not a pod", fix="name a pod: pod/NAME")
        pod = world.cluster.get_pod(ref.namespace, ref.name)
        return ServedPod(pod, tuple(self._servers().active(pod)))

    def target(self, found: ServedPod) -> Target:
        state = digest([found.uid, found.pod.deleting])
        return Target(found.ref, found.uid, found.resource_version, 0, state)

    def blast(self, world: World, found: ServedPod, draft: Draft, request: Request) -> BlastRadius:
        blast = pod_blast(world.cluster, found.pod, ended=0, recent=request.recent, blind=draft.blind)
        return with_reach(blast, *owners_of(world.cluster, [found.pod]))

    def is_up(self, found: ServedPod) -> bool:
        return found.pod.ready

    def part(self, spec: Spec) -> str:
        return digest(["server faults", spec["notes"]])

    def spec_of(self, found: ServedPod) -> Spec:
        return {"notes": sorted(found.notes)}

    def now(self, world: World, plan: Plan) -> ServedPod | None:
        """The very pod of the plan, or None when it is gone."""
        try:
            found = self.read(world, plan.target.ref)
        except NotFound:
            return None
        return found if found.uid == plan.target.uid else None


class InjectServerFault(ServerFaultKind):
    """Parameters: `order`, as `POST /v2/faults` takes it, without its note."""

    name = INJECT
    ended_by: ClassVar[str] = END
    options: ClassVar[Mapping[str, Option]] = {"order": Option(str, needed=True)}

    def draft(self, world: World, found: ServedPod, request: Request) -> Draft:
        order = request.parameters["order"]
        words = f"{order['kind']} for {order['seconds']:g} s in {self.holder}{found.ref}"
        return Draft(
            parameters={"order": order},
            summary=words,
            spec={"order": order, "notes": sorted({*found.notes, request.change_id})},
            diff=Diff((DiffLine(Untrusted("fault"), None, Untrusted(str(order["kind"]))),)),
            holds=f"{self.holder}{found.ref} has the fault",
            undo=Undo(
                self.ended_by, {"note": request.change_id}, f"end the fault in {self.holder}{found.ref}"
            ),
        )

    def spec(self, world: World, found: ServedPod, plan: Plan) -> Spec:
        return {"order": plan.parameters["order"], "notes": sorted({*found.notes, plan.id})}

    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> ServedPod:
        found = self.read(world, plan.target.ref)
        if not dry_run:
            self._servers().start(found.pod, {**plan.parameters["order"], "note": plan.id})
        mine = ActiveFault("", str(plan.parameters["order"]["kind"]), plan.id, 0)
        return replace(found, faults=(*found.faults, mine))

    def probe(self, world: World, plan: Plan) -> Probe:
        found = self.now(world, plan)
        if found is None:
            return Probe(Sent.GONE, f"{plan.target.ref} is gone, and its faults with it")
        if plan.id in found.notes:
            return Probe(
                Sent.APPLIED,
                f"{self.holder}{found.ref} has the fault of {plan.id}",
                found,
                self.part_of(found),
            )
        return Probe(Sent.NOT_APPLIED, f"{self.holder}{found.ref} has no fault of {plan.id}", found)

    def observe(self, world: World, plan: Plan, *, left: str) -> Observation:
        found = self.now(world, plan)
        if found is None:
            return Observation(Holds.SUPERSEDED, f"{plan.target.ref} is gone")
        there = plan.id in found.notes
        return Observation(Holds.YES if there else Holds.NEVER, "in force" if there else "over already")


class EndServerFault(ServerFaultKind):
    """Parameters: `note`, the id of the change that started it."""

    name = END
    options: ClassVar[Mapping[str, Option]] = {"note": Option(str, needed=True)}

    def draft(self, world: World, found: ServedPod, request: Request) -> Draft:
        note = request.parameters["note"]
        return Draft(
            parameters={"note": note},
            summary=f"end the fault of {note} in {self.holder}{found.ref}",
            spec={"notes": sorted(found.notes - {note})},
            diff=Diff((DiffLine(Untrusted("fault"), Untrusted(str(note)), None),)),
            holds=f"{self.holder}{found.ref} has no fault of {note}",
            undo=None,
        )

    def spec(self, world: World, found: ServedPod, plan: Plan) -> Spec:
        return {"notes": sorted(found.notes - {plan.parameters["note"]})}

    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> ServedPod:
        found, note = self.read(world, plan.target.ref), plan.parameters["note"]
        for fault in found.faults:
            if fault.note == note and not dry_run:
                try:
                    self._servers().end(found.pod, fault.id)
                except NotFound:
                    continue  # it was over by itself
        return replace(found, faults=tuple(one for one in found.faults if one.note != note))

    def probe(self, world: World, plan: Plan) -> Probe:
        found = self.now(world, plan)
        if found is None:
            return Probe(Sent.GONE, f"{plan.target.ref} is gone, and its faults with it")
        if plan.parameters["note"] in found.notes:
            return Probe(Sent.NOT_APPLIED, f"{self.holder}{found.ref} has the fault still", found)
        return Probe(Sent.APPLIED, f"{self.holder}{found.ref} has no such fault", found, self.part_of(found))

    def observe(self, world: World, plan: Plan, *, left: str) -> Observation:
        found = self.now(world, plan)
        over = found is None or plan.parameters["note"] not in found.notes
        return Observation(Holds.YES if over else Holds.NOT_YET, "over" if over else "still there")
