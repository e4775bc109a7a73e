"""Pod delete: have pods end at once, as a crash of them would, by the cluster's API.

Invariant: a pod is deleted by its uid, once. Its controller makes another: nothing has to be taken back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from maestro_cli.changes.kinds.delete_pod import DeletePod
from maestro_cli.changes.kinds.kind import ChangeKind, Holds, Observation, Option, Request, yes_or_no
from maestro_cli.changes.kinds.writing import Draft
from maestro_cli.changes.model import Plan
from maestro_cli.changes.ports import World
from maestro_cli.chaos.faults.cluster_fault import ClusterFault
from maestro_cli.chaos.faults.fault import InForce, Proof, Step
from maestro_cli.chaos.faults.pods import as_many_ready, pod_at, pod_candidates
from maestro_cli.chaos.model import Candidate, FaultOrder
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.errors import NotFound
from maestro_cli.core.facts.cluster import Pod


class KillPod(DeletePod):
    """As `delete-pod`, but it holds when that pod is gone: whether another comes is the question."""

    name = "kill-pod"

    def draft(self, world: World, found: Pod, request: Request) -> Draft:
        return replace(super().draft(world, found, request), holds=f"{found.ref} is gone")

    def observe(self, world: World, plan: Plan, *, left: str) -> Observation:
        try:
            now = self.read(world, plan.target.ref)
        except NotFound:
            return Observation(Holds.YES, f"{plan.target.ref} is gone")
        if now.uid != plan.target.uid:
            return Observation(Holds.YES, f"{plan.target.ref} was made anew")
        return Observation(Holds.NOT_YET, f"{now.ref} is {'ending' if now.deleting else 'there'}")


class PodDelete(ClusterFault):
    """Parameters: `evict` (no): ask for it as an eviction, which disruption budgets may refuse."""

    name = "pod-delete"
    summary = "pods end, and their controller makes others"
    options: ClassVar[Mapping[str, Option]] = {"evict": Option(yes_or_no)}

    def kinds(self, platform: Platform) -> Sequence[ChangeKind]:
        return (KillPod(),)

    def candidates(self, platform: Platform, order: FaultOrder) -> Sequence[Candidate]:
        return pod_candidates(platform, order)

    def steps(self, order: FaultOrder, targets: Sequence[Candidate], seconds: float) -> Sequence[Step]:
        outright = not order.parameters.get("evict", False)
        return [Step(KillPod.name, one.ref, {"without_eviction": outright}) for one in targets]

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """Every chosen pod is gone, by its uid, or ending."""
        for one in fault.targets:
            now = pod_at(platform, one)
            if now is not None and not now.deleting:
                return Proof(Holds.NOT_YET, f"{one.ref} is there")
        return Proof(Holds.YES, f"gone: {', '.join(str(one.ref) for one in fault.targets)}")

    def recovery(self, platform: Platform, fault: InForce) -> Proof:
        return as_many_ready(platform, fault)

    def residue(self, platform: Platform, fault: InForce) -> Sequence[str]:
        """A deletion leaves nothing that has to be taken away."""
        return ()
