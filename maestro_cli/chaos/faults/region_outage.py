"""Region outage: everything that runs in a region is lost at once, as of all its zones without power.

The kubelets of its nodes stop, with every process of their pods: nothing there answers, writes or copies any
more. Its API stays, for by that the outage is taken back. What is left is the other region: how soon it
serves, and what it has, is what an experiment asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from maestro_cli.changes.kinds.kind import ChangeKind, Holds, Option
from maestro_cli.chaos.faults.fault import InForce, Proof, Step
from maestro_cli.chaos.faults.kubelet_stop import kubelet_kinds, stop_step, stopped_of
from maestro_cli.chaos.faults.leased_fault import lacks_embedded
from maestro_cli.chaos.faults.pods import as_many_ready
from maestro_cli.chaos.model import Candidate, FaultOrder
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.errors import NotFound
from maestro_cli.core.refs import ObjectRef

OUTAGE = "region-outage"
_KIND = "Region"


class RegionOutage:
    """Takes no parameters: a context has one region, and all of it is lost."""

    name = OUTAGE
    summary = "everything that runs in the region is lost: its nodes stop, with all their pods"
    provider = "region"
    options: ClassVar[Mapping[str, Option]] = {}

    def kinds(self, platform: Platform) -> Sequence[ChangeKind]:
        return kubelet_kinds(platform)

    def lacks(self, platform: Platform) -> str:
        """Why not here; a context that names no other region has nothing to fail over to."""
        return lacks_embedded(platform) or lacks_regions(platform)

    def candidates(self, platform: Platform, order: FaultOrder) -> Sequence[Candidate]:
        """The region, which consists of its nodes."""
        nodes = tuple(node.ref for node in platform.cluster.list_nodes() if node.ready)
        own = platform.regions.own
        return [Candidate(ObjectRef(_KIND, "", own), own, own, whole=True, parts=nodes)] if nodes else []

    def steps(self, order: FaultOrder, targets: Sequence[Candidate], seconds: float) -> Sequence[Step]:
        return [stop_step(ref, seconds, with_pods=True) for one in targets for ref in one.parts]

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """Every kubelet is stopped, and who asks the region itself gets no answer."""
        nodes = _nodes(fault)
        stopped = stopped_of(platform, fault, nodes)
        why = platform.regions.ails(platform.regions.own)
        text = f"{len(stopped)} of {len(nodes)} nodes stopped; {why or 'the region answers'}"
        return Proof(Holds.YES if len(stopped) == len(nodes) and why else Holds.NOT_YET, text)

    def recovery(self, platform: Platform, fault: InForce) -> Proof:
        left = self.residue(platform, fault)
        if left:
            return Proof(Holds.NOT_YET, left[0])
        for ref in _nodes(fault):
            if not platform.cluster.get_node(ref.name).ready:
                return Proof(Holds.NOT_YET, f"{ref} is not ready")
        why = platform.regions.ails(platform.regions.own)
        return Proof(Holds.NOT_YET, why) if why else as_many_ready(platform, fault)

    def residue(self, platform: Platform, fault: InForce) -> Sequence[str]:
        return stopped_of(platform, fault, _nodes(fault))


def lacks_regions(platform: Platform) -> str:
    """Why there is no other region, or ""."""
    try:
        return "" if platform.regions.other else "no other region takes over"
    except NotFound as error:
        return error.what


def _nodes(fault: InForce) -> list[ObjectRef]:
    return [ref for one in fault.targets for ref in one.parts]
