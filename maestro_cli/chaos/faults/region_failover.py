"""Region failover: who comes in by the entrance is sent to the other region. It hurts nobody: it is the
remedy for what does, put in, proved and taken back like that.

Callers are sent back last, once the region answers again: a change to a region that is not well is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from maestro_cli.changes.kinds.kind import CHANGE_ANNOTATION, ChangeKind, Holds, Option
from maestro_cli.changes.kinds.switch_region import SWITCH
from maestro_cli.chaos.faults.fault import InForce, Proof, Step
from maestro_cli.chaos.faults.pods import lacks_cluster
from maestro_cli.chaos.faults.region_outage import lacks_regions
from maestro_cli.chaos.model import Candidate, FaultOrder
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.errors import GateNotMet
from maestro_cli.core.facts.entrances import Entrance

FAILOVER = "region-failover"


class RegionFailover:
    """Takes no parameters: the context says which region takes over, and where callers come in."""

    name = FAILOVER
    summary = "who comes in by the entrance is sent to the region that takes over"
    provider = "region"
    options: ClassVar[Mapping[str, Option]] = {}

    def kinds(self, platform: Platform) -> Sequence[ChangeKind]:
        return ()

    def lacks(self, platform: Platform) -> str:
        return lacks_cluster(platform) or lacks_regions(platform)

    def candidates(self, platform: Platform, order: FaultOrder) -> Sequence[Candidate]:
        """The entrance, where it leads to the region of the context. Raises GateNotMet."""
        found, regions = _entrance(platform), platform.regions
        if found.region != regions.own:
            raise GateNotMet(
                f"{found.ref} does not lead to {regions.own}, and there is nothing to fail over",
                why=f"it leads to {found.region or 'none of its regions'}",
                fix=f"maestro traffic region {found.ref} --to {regions.own}",
            )
        # which region takes over is part of what is proposed, and agreed to
        return [Candidate(found.ref, found.uid, f"{regions.own} → {regions.other}", whole=True)]

    def steps(self, order: FaultOrder, targets: Sequence[Candidate], seconds: float) -> Sequence[Step]:
        return [Step(SWITCH, one.ref, {"to": one.where.rpartition(" ")[2]}) for one in targets]

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """The slice leads to the other region, as it is read back; when callers are answered is the RTO."""
        found, other = _entrance(platform), platform.regions.other
        if found.region != other:
            return Proof(Holds.NOT_YET, f"{found.ref} leads to {found.region or 'none of its regions'}")
        return Proof(Holds.YES, f"{found.ref} leads to {other}")

    def recovery(self, platform: Platform, fault: InForce) -> Proof:
        left = self.residue(platform, fault)
        why = left[0] if left else platform.regions.unserved()
        text = why or f"{_entrance(platform).ref} leads to {platform.regions.own}, and answers"
        return Proof(Holds.NOT_YET if why else Holds.YES, text)

    def residue(self, platform: Platform, fault: InForce) -> Sequence[str]:
        """Its own switch alone: whoever sends callers elsewhere since has the word."""
        found, other = _entrance(platform), platform.regions.other
        own = found.annotations.get(CHANGE_ANNOTATION, "") in fault.changes
        return [f"{found.ref} leads to {other} still"] if own and found.region == other else []


def _entrance(platform: Platform) -> Entrance:
    ref = platform.regions.entrance
    return platform.entrances.get(ref.namespace, ref.name)
