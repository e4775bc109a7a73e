"""Link latency: what goes from the load balancer to chosen pods comes late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Option, whole_number
from maestro_cli.chaos.faults.link_fault import LinkFault
from maestro_cli.chaos.model import FaultOrder
from maestro_cli.chaos.ports import Asked
from maestro_cli.core.errors import UsageError
from maestro_cli.core.fault_leases import CONNECT_SECONDS

_LEAST_SHARE = 0.8  # of the latency that was asked for


class LinkLatency(LinkFault):
    """Parameters: `milliseconds`, `jitter` (milliseconds at most besides, at random; 0); together less than
    the load balancer waits for a connection, past which it would be a partition.
    """

    name = "link-latency"
    summary = "what goes from the load balancer to chosen pods comes late"
    options: ClassVar[Mapping[str, Option]] = {
        "milliseconds": Option(whole_number, needed=True),
        "jitter": Option(whole_number),
    }

    def asked(self, said: Mapping[str, Any]) -> Mapping[str, float]:
        jitter = said.get("jitter", 0)
        if said["milliseconds"] + jitter >= 1000 * CONNECT_SECONDS:
            raise UsageError(
                f"{self.name} of {said['milliseconds'] + jitter} ms lets no connection come about",
                why=f"the load balancer waits {CONNECT_SECONDS:g} s for one, and then asks another pod",
                fix="less than 2000 milliseconds with its jitter, or link-partition",
            )
        return {"milliseconds": said["milliseconds"], **({"jitter_milliseconds": jitter} if jitter else {})}

    def asks(self, order: FaultOrder) -> Asked:
        """A connection is made first, and comes late too."""
        said = order.parameters
        return Asked(timeout_seconds=1.0 + 3 * (said["milliseconds"] + said.get("jitter", 0)) / 1000)

    def is_felt(self, order: FaultOrder, seconds: float | None) -> bool:
        return seconds is not None and seconds >= _LEAST_SHARE * order.parameters["milliseconds"] / 1000
