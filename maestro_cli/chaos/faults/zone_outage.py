"""Zone outage: everything of a zone is out of reach at once, as of a place without power or network.

The kubelets of its nodes stop, and nothing passes between the load balancer and the target's pods there. What
is left is the other zones: whether they carry the traffic is what an experiment asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from maestro_cli.changes.kinds.kind import ChangeKind, Holds, Option
from maestro_cli.chaos.faults.fault import InForce, Proof, Step
from maestro_cli.chaos.faults.kubelet_stop import kubelet_kinds, stop_step, stopped_of
from maestro_cli.chaos.faults.leased_fault import lacks_embedded, lease_kinds, lease_step
from maestro_cli.chaos.faults.pods import as_many_ready, ready_pods
from maestro_cli.chaos.model import Candidate, FaultOrder
from maestro_cli.chaos.ports import Asked, Platform
from maestro_cli.core.errors import NotFound
from maestro_cli.core.refs import ObjectRef

_KIND = "Zone"


class ZoneOutage:
    """Parameters: `zone` (drawn from those that run the target's pods, unless named)."""

    name = "zone-outage"
    summary = "everything of a zone is out of reach: its kubelets stop, and its pods get no traffic"
    provider = "region"
    options: ClassVar[Mapping[str, Option]] = {"zone": Option(str)}

    def kinds(self, platform: Platform) -> Sequence[ChangeKind]:
        return (*kubelet_kinds(platform), *lease_kinds(platform))

    def lacks(self, platform: Platform) -> str:
        """Why not here; a cluster of one zone has nothing to fail over to."""
        missing = lacks_embedded(platform)
        if missing:
            return missing
        zones = {node.zone for node in platform.cluster.list_nodes() if node.ready and node.zone}
        return "" if len(zones) > 1 else "all ready nodes are in one zone: nothing is left to fail over to"

    def candidates(self, platform: Platform, order: FaultOrder) -> Sequence[Candidate]:
        """The zones that run ready pods of the rule; each consists of its nodes and of these pods."""
        zone_of = {node.name: node.zone for node in platform.cluster.list_nodes() if node.zone}
        parts: dict[str, list[ObjectRef]] = {}
        for node, zone in sorted(zone_of.items()):
            parts.setdefault(zone, []).append(platform.cluster.get_node(node).ref)
        serving: set[str] = set()
        for pod in ready_pods(platform, order.target):
            zone = zone_of.get(pod.node, "")
            if zone:
                serving.add(zone)
                parts[zone].append(pod.ref)
        named = order.parameters.get("zone")
        zones = [zone for zone in sorted(serving) if named in (None, zone)]
        return [Candidate(ObjectRef(_KIND, "", zone), zone, zone, parts=tuple(parts[zone])) for zone in zones]

    def steps(self, order: FaultOrder, targets: Sequence[Candidate], seconds: float) -> Sequence[Step]:
        nodes = [stop_step(ref, seconds) for ref in _parts(targets, "Node")]
        pods = [Candidate(ref, "") for ref in _parts(targets, "Pod")]
        return [*(lease_step(pod, "link", {"partition": 1}, seconds) for pod in pods), *nodes]

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """Every kubelet of the zone is stopped, and who asks through the Service meets silence."""
        nodes, pods = _parts(fault.targets, "Node"), _parts(fault.targets, "Pod")
        stopped = stopped_of(platform, fault, nodes)
        names = [ref.name for ref in pods]
        trips = platform.embedded.round_trips(fault.order.target.namespace, names, Asked())
        silent = sum(one is None for one in trips)
        text = f"{len(stopped)} of {len(nodes)} kubelets stopped, {silent} of {len(trips)} unanswered"
        return Proof(Holds.YES if len(stopped) == len(nodes) and silent else Holds.NOT_YET, text)

    def recovery(self, platform: Platform, fault: InForce) -> Proof:
        left = self.residue(platform, fault)
        if left:
            return Proof(Holds.NOT_YET, left[0])
        for ref in _parts(fault.targets, "Node"):
            if not platform.cluster.get_node(ref.name).ready:
                return Proof(Holds.NOT_YET, f"{ref} is not ready")
        return as_many_ready(platform, fault)

    def residue(self, platform: Platform, fault: InForce) -> Sequence[str]:
        stopped = stopped_of(platform, fault, _parts(fault.targets, "Node"))
        return [*stopped, *self._cut(platform, fault)]

    def _cut(self, platform: Platform, fault: InForce) -> Sequence[str]:
        """The pods that have a lease of this fault, in words."""
        found = []
        for ref in _parts(fault.targets, "Pod"):
            try:
                pod = platform.cluster.get_pod(ref.namespace, ref.name)
            except NotFound:
                continue
            if any(one.note in fault.changes for one in platform.embedded.active(pod)):
                found.append(f"{ref} is cut off")
        return found


def _parts(targets: Sequence[Candidate], kind: str) -> list[ObjectRef]:
    return [ref for one in targets for ref in one.parts if ref.kind == kind]
