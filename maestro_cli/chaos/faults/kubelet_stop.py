"""Kubelet stop: the kubelets of nodes that run the target's pods do nothing, as of machines that hang.

The pods go on, and nobody hears of them: after the cluster's grace their node is not ready, and its pods are
taken out of Services.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from maestro_cli.changes.kinds.kind import ChangeKind, Holds, Option
from maestro_cli.chaos.faults.fault import InForce, Proof, Step
from maestro_cli.chaos.faults.kubelet_kinds import STOP, ResumeKubelet, StopKubelet
from maestro_cli.chaos.faults.leased_fault import lacks_embedded
from maestro_cli.chaos.faults.leash import LEASH_SECONDS
from maestro_cli.chaos.faults.nodes import hosting_nodes, node_of
from maestro_cli.chaos.faults.pods import as_many_ready
from maestro_cli.chaos.model import Candidate, FaultOrder
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.refs import ObjectRef


class KubeletStop:
    """Takes no parameters."""

    name = "kubelet-stop"
    summary = "the kubelets of nodes that run the target's pods do nothing"
    provider = "kubelet"
    options: ClassVar[Mapping[str, Option]] = {}

    def kinds(self, platform: Platform) -> Sequence[ChangeKind]:
        return kubelet_kinds(platform)

    def lacks(self, platform: Platform) -> str:
        return lacks_embedded(platform)

    def candidates(self, platform: Platform, order: FaultOrder) -> Sequence[Candidate]:
        return hosting_nodes(platform, order)

    def steps(self, order: FaultOrder, targets: Sequence[Candidate], seconds: float) -> Sequence[Step]:
        return [stop_step(one.ref, seconds) for one in targets]

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """Each kubelet's process is stopped, as the system tells."""
        stopped = stopped_of(platform, fault, [one.ref for one in fault.targets])
        text = f"{len(stopped)} of {len(fault.targets)} stopped"
        return Proof(Holds.YES if len(stopped) == len(fault.targets) else Holds.NOT_YET, text)

    def recovery(self, platform: Platform, fault: InForce) -> Proof:
        """Each node is ready, and every pod serves."""
        left = self.residue(platform, fault)
        if left:
            return Proof(Holds.NOT_YET, left[0])
        for one in fault.targets:
            node = node_of(platform, one)
            if node is not None and not node.ready:
                return Proof(Holds.NOT_YET, f"{node.ref} is not ready")
        return as_many_ready(platform, fault)

    def residue(self, platform: Platform, fault: InForce) -> Sequence[str]:
        return stopped_of(platform, fault, [one.ref for one in fault.targets])


def kubelet_kinds(platform: Platform) -> Sequence[ChangeKind]:
    return (StopKubelet(lambda: platform.embedded), ResumeKubelet(lambda: platform.embedded))


def stop_step(node: ObjectRef, seconds: float, *, with_pods: bool = False) -> Step:
    lasts = {"seconds": seconds + LEASH_SECONDS}
    return Step(STOP, node, {**lasts, "pods": True} if with_pods else lasts)


def stopped_of(platform: Platform, fault: InForce, nodes: Sequence[ObjectRef]) -> Sequence[str]:
    """Those whose kubelet's process does nothing for this fault, or for nobody who says so, in words."""
    own = {*fault.changes, ""}
    stopped = [one for one in nodes if platform.embedded.stopped_for(one.name) in own]
    return [f"the kubelet of {one} is stopped" for one in stopped]
