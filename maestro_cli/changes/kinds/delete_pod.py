"""Delete pod: have one pod end, by eviction, so that its controller makes another.

Invariant: a deletion is by uid, so that it never reaches a pod that came after under the same name, and
sent twice it ends one pod once. It leaves no mark: that this very pod is ending or gone is what shows it.
Past the disruption budgets it is deleted only when that is asked for by name, and the gate's risk accepted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from maestro_cli.changes.blast import pod_blast, replicas_beside
from maestro_cli.changes.kinds.kind import (
    Holds,
    Observation,
    Option,
    Permission,
    Probe,
    Request,
    Reversal,
    Sent,
    yes_or_no,
)
from maestro_cli.changes.kinds.writing import Draft, Spec, WritingKind
from maestro_cli.changes.model import BlastRadius, Diff, DiffLine, GateReason, Plan, Target
from maestro_cli.changes.ports import ClusterPort, World
from maestro_cli.changes.reach import owners_of, with_reach
from maestro_cli.core.canonical import digest
from maestro_cli.core.errors import ExitCode, GateNotMet, NotFound, Refused, StalePlan, UsageError
from maestro_cli.core.facts.cluster import Pod
from maestro_cli.core.quantities import counted
from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.untrusted import Untrusted

_GONE = "gone"
_PAST = "--without-eviction --accept disruption-budget"


class DeletePod(WritingKind[Pod]):
    """Parameters: `without_eviction` (bool, false): delete it outright, past every disruption budget."""

    name = "delete-pod"
    options: ClassVar[Mapping[str, Option]] = {"without_eviction": Option(yes_or_no)}
    permissions = (Permission("get", "pods"), Permission("create", "pods", subresource="eviction"))
    reversal = Reversal(
        "needless", "its controller makes another; a pod without a controller is gone for good"
    )

    def needs(self, plan: Plan) -> tuple[Permission, ...]:
        """A deletion outright is another verb."""
        if plan.parameters["without_eviction"]:
            return (Permission("get", "pods"), Permission("delete", "pods"))
        return self.permissions

    def read(self, world: World, ref: ObjectRef) -> Pod:
        if ref.kind != "Pod":
            raise UsageError(f"{ref} is not a pod", fix="name a pod: pod/NAME")
        return world.cluster.get_pod(ref.namespace, ref.name)

    def target(self, found: Pod) -> Target:
        state = digest([found.uid, found.deleting])
        return Target(found.ref, found.uid, found.resource_version, found.generation, state)

    def draft(self, world: World, found: Pod, request: Request) -> Draft:
        ref, outright = found.ref, request.parameters.get("without_eviction", False)
        if not isinstance(outright, bool):
            raise UsageError("without_eviction is neither true nor false")
        ready, blind = _ready_beside(world.cluster, found)
        beside = f", and {found.owner} has {counted(ready, 'replica')} ready" if found.owner and ready else ""
        verb = "delete" if outright else "evict"
        return Draft(
            parameters={"without_eviction": outright, "owner": found.owner, "ready": ready},
            summary=f"{verb} {ref}",
            spec={"deleting": True, "uid": found.uid},
            diff=Diff((DiffLine(Untrusted("pod"), Untrusted(found.phase), Untrusted(_GONE)),)),
            holds=f"{ref} is gone{beside}",
            undo=None,
            ended=0 if found.phase in ("Succeeded", "Failed") else 1,
            blind=blind,
            notes=() if found.owner else (f"no controller makes another: {ref} does not come back",),
        )

    def blast(self, world: World, found: Pod, draft: Draft, request: Request) -> BlastRadius:
        blast = pod_blast(world.cluster, found, ended=draft.ended, recent=request.recent, blind=draft.blind)
        return with_reach(blast, *owners_of(world.cluster, [found]))

    def objections(self, plan: Plan) -> tuple[GateReason, ...]:
        """The cluster evicts no pod that several budgets cover."""
        if len(plan.blast.budgets) < 2 or plan.parameters["without_eviction"]:
            return ()
        names = ", ".join(budget.name for budget in plan.blast.budgets)
        reason = GateReason(
            "several-budgets", ExitCode.GATE_NOT_MET,
            f"several disruption budgets cover {plan.target.ref}: {names}",
            why="the cluster evicts no pod that more than one budget covers",
            fix="have one budget cover it, or delete it without eviction",
        )  # fmt: skip
        return (reason,)

    def is_up(self, found: Pod) -> bool:
        return found.ready

    def spec(self, world: World, found: Pod, plan: Plan) -> Spec:
        return {"deleting": True, "uid": found.uid}

    def spec_of(self, found: Pod) -> Spec:
        return {"deleting": found.deleting, "uid": found.uid}

    def part(self, spec: Spec) -> str:
        return digest(["deleting", spec["deleting"], spec["uid"]])

    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> Pod:
        """By uid; the version does not matter, since what is deleted is the same in all of them."""
        ref, outright = plan.target.ref, plan.parameters["without_eviction"]
        end = world.cluster.delete_pod if outright else world.cluster.evict_pod
        try:
            found = world.cluster.get_pod(ref.namespace, ref.name)
            end(ref.namespace, ref.name, uid=plan.target.uid, dry_run=dry_run)
        except NotFound as error:
            raise StalePlan(f"{ref} is gone", why=error.what) from error
        except GateNotMet as error:
            why = "; ".join(filter(None, (error.what, error.why)))
            fix = f"wait until the budget has headroom, or delete it past the budget: {_PAST}"
            raise GateNotMet(f"the cluster does not evict {ref} now", why=why, fix=fix) from error
        return replace(found, deleting=True)

    def probe(self, world: World, plan: Plan) -> Probe:
        """That very pod is still there and not ending: nothing was sent, and to send it again is safe."""
        ref = plan.target.ref
        found = _still(world.cluster, plan)
        if found is not None and not found.deleting:
            return Probe(Sent.NOT_APPLIED, f"{ref} is there as when planned", found)
        state = "gone" if found is None else "ending"
        evidence = f"{ref} of uid {plan.target.uid} is {state}; a deletion does not say whose it was"
        return Probe(Sent.APPLIED, evidence, found, plan.payload_digest)

    def observe(self, world: World, plan: Plan, *, left: str) -> Observation:
        """Gone, and as many replicas beside it ready as there were with it."""
        ref, wanted = plan.target.ref, plan.parameters["ready"]
        found = _still(world.cluster, plan)
        if found is not None:
            return Observation(Holds.NOT_YET, f"{ref} is {'ending' if found.deleting else 'there'}")
        owner = plan.parameters["owner"]
        if not owner or not wanted:
            return Observation(Holds.YES, f"{ref} is gone")
        ready = sum(pod.ready for pod in replicas_beside(world.cluster, ref.namespace, owner))
        text = f"{ref} is gone, {owner} has {ready} of {counted(wanted, 'replica')} ready"
        return Observation(Holds.YES if ready >= wanted else Holds.NOT_YET, text)


def _still(cluster: ClusterPort, plan: Plan) -> Pod | None:
    """The very pod of the plan, or None when it is gone."""
    try:
        found = cluster.get_pod(plan.target.ref.namespace, plan.target.ref.name)
    except NotFound:
        return None
    return found if found.uid == plan.target.uid else None


def _ready_beside(cluster: ClusterPort, pod: Pod) -> tuple[int, list[str]]:
    """How many replicas of the same controller are ready, itself counted, and what was not seen."""
    if not pod.owner:
        return 0, []
    try:
        beside = replicas_beside(cluster, pod.namespace, pod.owner)
    except Refused:
        return 0, [f"replicas of {pod.owner}: whether another takes its place is not verified"]
    return sum(other.ready for other in beside), []
