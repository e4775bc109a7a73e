"""Link latency: what goes from the load balancer to chosen pods comes late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Option, whole_number
from maestro_cli.chaos.faults.fault import InForce
from maestro_cli.chaos.faults.link_fault import LinkFault
from maestro_cli.chaos.ports import Asked

_LEAST_SHARE = 0.8  # of the latency that was asked for


class LinkLatency(LinkFault):
    """Parameters: `milliseconds`, `jitter` (milliseconds at most besides, at random; 0)."""

    name = "link-latency"
    summary = "what goes from the load balancer to chosen pods comes late"
    options: ClassVar[Mapping[str, Option]] = {
        "milliseconds": Option(whole_number, needed=True),
        "jitter": Option(whole_number),
    }

    def asked(self, said: Mapping[str, Any]) -> Mapping[str, float]:
        jitter = said.get("jitter", 0)
        return {"milliseconds": said["milliseconds"], **({"jitter_milliseconds": jitter} if jitter else {})}

    def asks(self, fault: InForce) -> Asked:
        """A connection is made first, and comes late too."""
        said = fault.order.parameters
        return Asked(timeout_seconds=1.0 + 3 * (said["milliseconds"] + said.get("jitter", 0)) / 1000)

    def is_felt(self, fault: InForce, seconds: float | None) -> bool:
        return seconds is None or seconds >= _LEAST_SHARE * fault.order.parameters["milliseconds"] / 1000
