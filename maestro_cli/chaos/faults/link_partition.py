"""Link partition: nothing passes between the load balancer and chosen pods.

The pods stay ready, for their kubelets reach them. Who is connected waits; a new connection waits for two
seconds, as long as the load balancer tries, and then goes to another pod.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_cli.chaos.faults.link_fault import LinkFault
from maestro_cli.chaos.model import FaultOrder
from maestro_cli.chaos.ports import Asked


class LinkPartition(LinkFault):
    """Takes no parameters."""

    name = "link-partition"
    summary = "nothing passes between the load balancer and chosen pods"

    def asked(self, said: Mapping[str, Any]) -> Mapping[str, float]:
        return {"partition": 1}

    def asks(self, order: FaultOrder) -> Asked:
        return Asked(timeout_seconds=1.0)

    def is_felt(self, order: FaultOrder, seconds: float | None) -> bool:
        return seconds is None

    def least(self, targets: int) -> int:
        """One: the load balancer then tries others first for a while."""
        return 1
