"""Node cordon: nodes that run the target's pods take no new ones."""

from __future__ import annotations

from maestro_cli.changes.kinds.cordon import Cordon
from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.chaos.faults.fault import InForce, Proof
from maestro_cli.chaos.faults.nodes import ClosedNode, closed_of
from maestro_cli.chaos.ports import Platform


class NodeCordon(ClosedNode):
    """Takes no parameters. Its undo opens the nodes again."""

    name = "node-cordon"
    summary = "nodes that run the target's pods take no new ones"
    kind = Cordon.name

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """Each node says that it takes no new pods."""
        closed = closed_of(platform, fault)
        text = f"{len(closed)} of {len(fault.targets)} closed"
        return Proof(Holds.YES if len(closed) == len(fault.targets) else Holds.NOT_YET, text)
