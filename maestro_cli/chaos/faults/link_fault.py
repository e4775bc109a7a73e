"""What faults of the way between the load balancer and pods have in common.

Invariant: an effect is felt by who asks through the Service, as callers do: nobody is asked whether it is so.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.chaos.faults.fault import InForce, Proof
from maestro_cli.chaos.faults.leased_fault import LeasedFault
from maestro_cli.chaos.faults.pods import as_many_ready
from maestro_cli.chaos.ports import Asked, Platform


class LinkFault(LeasedFault):
    """A fault that round trips through the load balancer show."""

    provider: ClassVar[str] = "balancer"
    kind: ClassVar[str] = "link"

    @abstractmethod
    def asks(self, fault: InForce) -> Asked:
        """How to ask, so that it is felt."""

    @abstractmethod
    def is_felt(self, fault: InForce, seconds: float | None) -> bool:
        """Whether a round trip shows it; None: no answer came."""

    def least(self, fault: InForce) -> int:
        """How many round trips have to show it: one for each pod that has it."""
        return len(fault.targets)

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        trips = self._trips(platform, fault)
        felt = sum(self.is_felt(fault, one) for one in trips)
        holds = Holds.YES if felt >= self.least(fault) else Holds.NOT_YET
        return Proof(holds, f"felt by {felt} of {len(trips)} round trips; {_slowest(trips)}")

    def recovery(self, platform: Platform, fault: InForce) -> Proof:
        """No lease is left, every pod serves, and fewer round trips show it than would prove it."""
        left = self.residue(platform, fault)
        if left:
            return Proof(Holds.NOT_YET, left[0])
        ready = as_many_ready(platform, fault)
        if ready.holds is not Holds.YES:
            return ready
        trips = self._trips(platform, fault)
        felt = sum(self.is_felt(fault, one) for one in trips)
        holds = Holds.YES if felt < self.least(fault) else Holds.NOT_YET
        return Proof(holds, f"{ready.text}; {_slowest(trips)}")

    def _trips(self, platform: Platform, fault: InForce) -> Sequence[float | None]:
        names = [one.ref.name for one in fault.targets]
        return platform.embedded.round_trips(fault.order.target.namespace, names, self.asks(fault))


def _slowest(trips: Sequence[float | None]) -> str:
    answered = [one for one in trips if one is not None]
    silent = len(trips) - len(answered)
    slowest = f"the slowest answer took {1000 * max(answered):.0f} ms" if answered else "nobody answered"
    return f"{slowest}, {silent} got none" if silent and answered else slowest
