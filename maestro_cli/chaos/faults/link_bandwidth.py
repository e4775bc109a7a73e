"""Link bandwidth: between the load balancer and chosen pods passes so much a second, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Option, whole_number
from maestro_cli.chaos.faults.link_fault import LinkFault
from maestro_cli.chaos.model import FaultOrder
from maestro_cli.chaos.ports import Asked

_LEAST_SHARE = 0.8  # of the time that so many bytes need
_MOST_BYTES = 32_768  # that a model server reads of a request's head
_SECONDS = 0.5  # what asking should take, where so many bytes suffice


class LinkBandwidth(LinkFault):
    """Parameters: `bytes_per_second`, of each pod and each direction; 100 to 1,000,000."""

    name = "link-bandwidth"
    summary = "so many bytes a second pass between the load balancer and chosen pods, and no more"
    options: ClassVar[Mapping[str, Option]] = {"bytes_per_second": Option(whole_number, needed=True)}

    def asked(self, said: Mapping[str, Any]) -> Mapping[str, float]:
        return {"bytes_per_second": min(1_000_000, max(100, said["bytes_per_second"]))}

    def asks(self, order: FaultOrder) -> Asked:
        rate = self.asked(order.parameters)["bytes_per_second"]
        size = int(min(_MOST_BYTES, max(200, rate * _SECONDS)))
        return Asked(size, timeout_seconds=2.0 + 4 * size / rate)

    def is_felt(self, order: FaultOrder, seconds: float | None) -> bool:
        rate = self.asked(order.parameters)["bytes_per_second"]
        return seconds is not None and seconds >= _LEAST_SHARE * self.asks(order).size / rate
