"""Link loss: of what passes between the load balancer and chosen pods a share is lost, and sent again.

TCP loses nothing: what is lost comes after a retransmission, 0.2 s later or more. That is what is done here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Option, share_of_one
from maestro_cli.chaos.faults.link_fault import LinkFault
from maestro_cli.chaos.model import FaultOrder
from maestro_cli.chaos.ports import Asked
from maestro_cli.core.fault_leases import CONNECT_SECONDS, RETRANSMISSION_SECONDS


class LinkLoss(LinkFault):
    """Parameters: `share` of the pieces that are lost."""

    name = "link-loss"
    summary = "some of what passes between the load balancer and chosen pods is lost, and sent again later"
    options: ClassVar[Mapping[str, Option]] = {"share": Option(share_of_one, needed=True)}

    def asked(self, said: Mapping[str, Any]) -> Mapping[str, float]:
        return {"loss": min(1.0, said["share"])}

    def asks(self, order: FaultOrder) -> Asked:
        """Where no connection is made in time, another pod answers after that."""
        return Asked(timeout_seconds=2 * CONNECT_SECONDS)

    def is_felt(self, order: FaultOrder, seconds: float | None) -> bool:
        return seconds is not None and seconds >= RETRANSMISSION_SECONDS

    def least(self, targets: int) -> int:
        """One: which of them are lost is chance."""
        return 1
