"""Changes that put a fault of Chaos Mesh in force and take it away: a resource that is made, and deleted.

Invariant: what is made carries the id of its change as a label, and is deleted only where it does; sent
twice it is made once. Chaos Mesh takes the fault back before it lets a resource go: that it is gone is the
proof. A finalizer is never removed here but by the kind that says so, which only a sweep asks for by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from maestro_cli.changes.blast import pod_blast
from maestro_cli.changes.kinds.kind import Holds, Observation, Permission, Probe, Request, Sent
from maestro_cli.changes.kinds.writing import Draft, Spec, WritingKind
from maestro_cli.changes.model import BlastRadius, Diff, DiffLine, Plan, Target, Undo
from maestro_cli.changes.ports import World
from maestro_cli.changes.reach import owners_of, with_reach
from maestro_cli.chaos.mesh.far_ends import with_named_ends
from maestro_cli.chaos.mesh.fields import GROUP
from maestro_cli.chaos.mesh.following import CLEAN, FORCED, child_kinds
from maestro_cli.chaos.mesh.kinds import KINDS
from maestro_cli.chaos.mesh.resources import MANAGED, OWNED, Mesh, MeshSlot, slot_of
from maestro_cli.core.canonical import digest
from maestro_cli.core.errors import ActionFailed, GateNotMet, NotFound, UsageError
from maestro_cli.core.facts.cluster import Pod
from maestro_cli.core.quantities import counted
from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.untrusted import Untrusted

CREATE, DELETE, FORCE = "create-mesh-resource", "delete-mesh-resource", "force-mesh-resource"
_NO_BLAST = BlastRadius(workloads=0, replicas_now=0, replicas_after=0, namespace_share=0.0)


class MeshKindOfChange(WritingKind[MeshSlot]):
    """What they have in common; `mesh` is asked for when it is needed."""

    verb: ClassVar[str]
    permissions: ClassVar[tuple[Permission, ...]] = ()

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh

    def needs(self, plan: Plan) -> tuple[Permission, ...]:
        """In the namespace of what is made: to follow it and what it makes they are listed there."""
        kind = plan.target.ref.kind
        own = KINDS[kind].plural
        made = child_kinds(plan.parameters.get("document") or {"kind": kind})
        followed = dict.fromkeys((own, *(KINDS[one].plural for one in made)))
        return (
            Permission("get", own, GROUP),
            Permission(self.verb, own, GROUP),
            *(Permission("list", plural, GROUP, named=False) for plural in followed),
        )

    def read(self, world: World, ref: ObjectRef) -> MeshSlot:
        if ref.kind not in KINDS:
            raise UsageError(f"{ref} is no resource of Chaos Mesh")
        return slot_of(self.mesh(), ref)

    def target(self, found: MeshSlot) -> Target:
        return Target(found.ref, found.uid, found.resource_version, 0, found.resource_version)

    def is_up(self, found: MeshSlot) -> bool:
        return True

    def part(self, spec: Spec) -> str:
        return digest(["change", spec["change"]])

    def spec_of(self, found: MeshSlot) -> Spec:
        return {"change": found.change}

    def now(self, plan: Plan) -> MeshSlot:
        return slot_of(self.mesh(), plan.target.ref, plan.parameters.get("document"))


class CreateMeshResource(MeshKindOfChange):
    """Parameters: `document`, a manifest; `pods`, as namespace and name, those that it may meet; `ends`, how
    many of them it ends. The pods at the other end of connections that it alters are added to `pods`."""

    name = CREATE
    verb = "create"

    def known_parameters(self) -> frozenset[str]:
        return frozenset({"document", "pods", "ends"})

    def draft(self, world: World, found: MeshSlot, request: Request) -> Draft:
        document: Mapping[str, Any] = request.parameters["document"]
        pods: Sequence[Sequence[str]] = request.parameters["pods"]
        if not pods:
            raise ActionFailed(f"{found.ref} would meet no pod")
        if found.state is not None:
            state = found.state
            raise GateNotMet(
                f"{found.ref} is there already",
                why=state.holds_on if state.deleting else f"made by {found.change or 'somebody else'}",
                fix="maestro chaos sweep",
            )
        document, far = with_named_ends(world, document)
        met = [*map(list, pods), *([pod.namespace, pod.name] for pod in far)]
        return Draft(
            parameters={
                "document": document,
                "pods": [one for index, one in enumerate(met) if one not in met[:index]],
                "ends": int(request.parameters.get("ends", 0)),
            },
            summary=f"have Chaos Mesh carry out {found.ref}",
            spec={"change": request.change_id},
            diff=Diff(tuple(_lines(document["spec"]))),
            holds=f"the cluster has {found.ref}",
            notes=_far_words(far),
            undo=Undo(DELETE, {"change": request.change_id, "document": document}, f"delete {found.ref}"),
            ended=int(request.parameters.get("ends", 0)),
        )

    def blast(self, world: World, found: MeshSlot, draft: Draft, request: Request) -> BlastRadius:
        pods = _pods(world, draft.parameters["pods"])
        if not pods:
            return _NO_BLAST
        blast = pod_blast(world.cluster, pods[0], ended=draft.ended, recent=request.recent, blind=draft.blind)
        owners = {(pod.namespace, pod.owner) for pod in pods if pod.owner}
        others = tuple(sorted({pod.namespace for pod in pods} - {found.ref.namespace}))
        blast = replace(blast, workloads=len(owners), namespaces=others)
        return with_reach(blast, *owners_of(world.cluster, pods))

    def spec(self, world: World, found: MeshSlot, plan: Plan) -> Spec:
        return {"change": plan.id}

    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> MeshSlot:
        found = self.now(plan)
        if found.change == plan.id:
            return found
        made = labelled(plan.parameters["document"], plan.id)
        return MeshSlot(plan.target.ref, self.mesh().create(made, dry_run=dry_run))

    def probe(self, world: World, plan: Plan) -> Probe:
        """By its label. What was made and is gone again was deleted by somebody."""
        found = self.now(plan)
        if found.change == plan.id:
            return Probe(Sent.APPLIED, f"{found.ref} carries {plan.id}", found, self.part_of(found))
        if found.document is not None:
            return Probe(
                Sent.NOT_APPLIED, f"{found.ref} was made by {found.change or 'somebody else'}", found
            )
        return Probe(Sent.NOT_APPLIED, f"there is no {found.ref}", found)

    def observe(self, world: World, plan: Plan, *, left: str) -> Observation:
        found = self.now(plan)
        if found.change != plan.id:
            return Observation(Holds.SUPERSEDED, f"{found.ref} is gone")
        return Observation(Holds.YES, f"the cluster has {found.ref}")


class DeleteMeshResource(MeshKindOfChange):
    """Parameters: `change`, that made it; `document`, as it was made, by which what it made is found."""

    name = DELETE
    verb = "delete"

    def known_parameters(self) -> frozenset[str]:
        return frozenset({"change", "document"})

    def draft(self, world: World, found: MeshSlot, request: Request) -> Draft:
        change, document = request.parameters["change"], request.parameters.get("document")
        whole = slot_of(self.mesh(), found.ref, document)
        if whole.is_empty or (whole.document is not None and whole.change != change):
            raise NotFound(f"there is no {found.ref} of {change} any more")
        return Draft(
            parameters={"change": change, "document": document},
            summary=f"delete {found.ref}, and have Chaos Mesh take back what it did",
            spec={"change": f"{change} is deleted"},
            diff=Diff((DiffLine(Untrusted(str(found.ref)), Untrusted(change), None),)),
            holds=f"{found.ref} is gone, and what it made",
            undo=None,
        )

    def blast(self, world: World, found: MeshSlot, draft: Draft, request: Request) -> BlastRadius:
        return replace(_NO_BLAST, recent=tuple(request.recent))

    def spec(self, world: World, found: MeshSlot, plan: Plan) -> Spec:
        return {"change": f"{plan.parameters['change']} is deleted"}

    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> MeshSlot:
        found = self.now(plan)
        state = found.state
        if state is not None and found.change == plan.parameters["change"] and not state.deleting:
            ref = found.ref
            self.mesh().delete(ref.kind, ref.namespace, ref.name, uid=state.uid, dry_run=dry_run)
        return found

    def probe(self, world: World, plan: Plan) -> Probe:
        found = self.now(plan)
        state = found.state
        if state is None or state.deleting or found.change != plan.parameters["change"]:
            return Probe(Sent.APPLIED, f"{found.ref} is gone or going", found, plan.payload_digest)
        return Probe(Sent.NOT_APPLIED, f"{found.ref} is there", found)

    def observe(self, world: World, plan: Plan, *, left: str) -> Observation:
        """Gone, with everything that it made; what Chaos Mesh does not let go is named, with why."""
        found = self.now(plan)
        state = found.state
        if state is not None and found.change == plan.parameters["change"]:
            held = state.holds_on if state.deleting else f"{found.ref} is there"
            return Observation(Holds.NOT_YET, held)
        if found.children:
            child = found.children[0]
            held = child.holds_on if child.deleting else f"{child.kind} {child.name} is there"
            return Observation(Holds.NOT_YET, f"what {found.ref} made: {held}")
        return Observation(Holds.YES, f"{found.ref} is gone")

    def pending(self, world: World, plan: Plan) -> Mapping[str, ObjectRef]:
        """What it made, once it is gone itself: the cluster's own collector may take half a minute."""
        found = self.now(plan)
        if found.document is not None:
            return {}
        where = found.ref.namespace
        made = [one for one in found.children if not one.deleting]
        return {one.uid: ObjectRef(one.kind, where, one.name) for one in made}

    def take(self, world: World, plan: Plan, ref: ObjectRef, uid: str) -> None:
        self.mesh().delete(ref.kind, ref.namespace, ref.name, uid=uid)


class ForceMeshResource(DeleteMeshResource):
    """As to delete it, but Chaos Mesh is told to let it go although it took nothing back."""

    name = FORCE
    verb = "patch"

    def draft(self, world: World, found: MeshSlot, request: Request) -> Draft:
        whole = super().draft(world, found, request)
        words = f"have Chaos Mesh let {found.ref} go without taking back what it did"
        note = "what it did to its pods may stay: look at them, or have new ones made"
        spec = {"change": f"{whole.parameters['change']} is let go"}
        return replace(whole, summary=words, notes=(note,), spec=spec)

    def spec(self, world: World, found: MeshSlot, plan: Plan) -> Spec:
        return {"change": f"{plan.parameters['change']} is let go"}

    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> MeshSlot:
        found = super().apply(world, plan, resource_version=resource_version, dry_run=dry_run)
        own = [found.state] if found.change == plan.parameters["change"] and found.state else []
        for one in (*own, *found.children):
            try:
                self.mesh().annotate(
                    one.kind, found.ref.namespace, one.name, {CLEAN: FORCED}, uid=one.uid, dry_run=dry_run
                )
            except NotFound:
                continue  # it went by itself
        return found

    def probe(self, world: World, plan: Plan) -> Probe:
        found = self.now(plan)
        if found.is_empty:
            return Probe(Sent.APPLIED, f"{found.ref} is gone", found, plan.payload_digest)
        return Probe(Sent.NOT_APPLIED, f"{found.ref} is there; to tell it again is safe", found)


def labelled(document: Mapping[str, Any], change: str) -> dict[str, Any]:
    """The manifest with the labels of what maestro made; its own stay."""
    metadata: Mapping[str, Any] = document["metadata"]
    labels = {**(metadata.get("labels") or {}), **MANAGED, OWNED: change}
    return {**document, "metadata": {**metadata, "labels": labels}}


def mesh_kinds(mesh: Mesh) -> tuple[MeshKindOfChange, ...]:
    return (CreateMeshResource(mesh), DeleteMeshResource(mesh), ForceMeshResource(mesh))


def _pods(world: World, named: Sequence[Sequence[str]]) -> list[Pod]:
    """Those of them that are there."""
    found = []
    for namespace, name in named:
        try:
            found.append(world.cluster.get_pod(namespace, name))
        except NotFound:
            continue
    return found


def _far_words(far: Sequence[Pod]) -> tuple[str, ...]:
    if not far:
        return ()
    names = ", ".join(str(pod.ref) for pod in far[:5]) + ("…" if len(far) > 5 else "")
    return (f"it alters their connections also in {counted(len(far), 'pod')} at the other end: {names}",)


def _lines(value: Any, at: str = "spec") -> Sequence[DiffLine]:
    if isinstance(value, Mapping):
        return [line for key, inside in value.items() for line in _lines(inside, f"{at}.{key}")]
    if isinstance(value, list) and any(isinstance(one, (Mapping, list)) for one in value):
        return [line for index, one in enumerate(value) for line in _lines(one, f"{at}[{index}]")]
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return [DiffLine(Untrusted(at), None, Untrusted(text))]
