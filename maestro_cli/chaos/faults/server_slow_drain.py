"""Server slow drain: the model server of chosen pods takes longer to end, through its fault hooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Holds, Option, whole_number
from maestro_cli.chaos.faults.fault import InForce, Proof
from maestro_cli.chaos.faults.server_fault import ServerFault, active_of
from maestro_cli.chaos.ports import Platform


class ServerSlowDrain(ServerFault):
    """Parameters: `drain_seconds` that a drain takes longer. Nothing is felt until a pod ends: name a fault
    that ends pods after it.
    """

    name = "server-slow-drain"
    summary = "the model server of chosen pods takes longer to end"
    kind = "slow-drain"
    options: ClassVar[Mapping[str, Option]] = {"drain_seconds": Option(whole_number, needed=True)}

    def asked(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"drain_seconds": said["drain_seconds"]}

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """Each server says that its drain will take longer."""
        armed = {ref for ref, _ in active_of(platform, fault)}
        missing = [str(one.ref) for one in fault.targets if one.ref not in armed]
        if missing:
            return Proof(Holds.NOT_YET, f"not in force in {', '.join(missing)}")
        return Proof(Holds.YES, f"{len(armed)} will take longer to end")
