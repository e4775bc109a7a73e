"""Node drain: nodes that run the target's pods are emptied, as far as disruption budgets let them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from maestro_cli.changes.kinds.drain import Drain, evicted
from maestro_cli.changes.kinds.kind import Holds, Option, yes_or_no
from maestro_cli.chaos.faults.fault import InForce, Proof
from maestro_cli.chaos.faults.nodes import ClosedNode, closed_of
from maestro_cli.chaos.ports import Platform


class NodeDrain(ClosedNode):
    """Parameters: `empty_dir` (no): end pods too whose data on the node is lost. Its undo opens the nodes
    again; what was evicted stays where its controllers made it anew.
    """

    name = "node-drain"
    summary = "nodes that run the target's pods are emptied; disruption budgets are respected"
    kind = Drain.name
    options: ClassVar[Mapping[str, Option]] = {"empty_dir": Option(yes_or_no)}

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """Each node is closed, and no pod is left there that a drain ends."""
        closed = closed_of(platform, fault)
        if len(closed) < len(fault.targets):
            return Proof(Holds.NOT_YET, f"{len(closed)} of {len(fault.targets)} closed")
        left = [pod for one in closed for pod in evicted(platform.cluster.list_pods_on(one.name))]
        if left:
            return Proof(Holds.NOT_YET, f"{left[0].ref} is there still")
        return Proof(Holds.YES, f"empty: {', '.join(map(str, closed))}")
