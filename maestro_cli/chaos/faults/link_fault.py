"""What faults of the way between the load balancer and pods have in common.

Invariant: an effect is felt by who asks through the Service, as callers do: nobody is asked whether it is so.
What is felt already before it is put in proves nothing, and lets it not begin; that nobody answers proves a
partition alone.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.chaos.faults.fault import InForce, Proof
from maestro_cli.chaos.faults.leased_fault import LeasedFault
from maestro_cli.chaos.faults.pods import as_many_ready
from maestro_cli.chaos.model import Candidate, FaultOrder
from maestro_cli.chaos.ports import Asked, Platform
from maestro_cli.core.errors import GateNotMet

_LOOKS = 3  # before what is seen is taken for how things are


class LinkFault(LeasedFault):
    """A fault that round trips through the load balancer show."""

    provider: ClassVar[str] = "balancer"
    kind: ClassVar[str] = "link"

    @abstractmethod
    def asks(self, order: FaultOrder) -> Asked:
        """How to ask, so that it is felt."""

    @abstractmethod
    def is_felt(self, order: FaultOrder, seconds: float | None) -> bool:
        """Whether a round trip shows it; None: no answer came."""

    def least(self, targets: int) -> int:
        """How many round trips have to show it, of so many pods that have it: one each."""
        return targets

    def candidates(self, platform: Platform, order: FaultOrder) -> Sequence[Candidate]:
        """Those that serve. Raises GateNotMet where round trips are already as the fault would have them."""
        found = super().candidates(platform, order)
        names, least = [one.ref.name for one in found], self.least(order.target.count.of(len(found)))
        for look in range(_LOOKS if found else 0):
            trips = self._trips(platform, order, names)
            ill = self._ill(order, trips)
            if ill < least:
                break
            if look == _LOOKS - 1:
                seen = f"{ill} of {len(trips)} round trips are so already; {_slowest(trips)}"
                what = f"whether {order.name} has an effect could not be told"
                raise GateNotMet(what, why=seen, fix="have the Service answer well first")
        return found

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        trips = self._trips(platform, fault.order, _names(fault))
        felt = sum(self.is_felt(fault.order, one) for one in trips)
        holds = Holds.YES if felt >= self.least(len(fault.targets)) else Holds.NOT_YET
        return Proof(holds, f"felt by {felt} of {len(trips)} round trips; {_slowest(trips)}")

    def recovery(self, platform: Platform, fault: InForce) -> Proof:
        """No lease is left, every pod serves, and fewer round trips show it, or get no answer, than would
        prove it.
        """
        left = self.residue(platform, fault)
        if left:
            return Proof(Holds.NOT_YET, left[0])
        ready = as_many_ready(platform, fault)
        if ready.holds is not Holds.YES:
            return ready
        trips = self._trips(platform, fault.order, _names(fault))
        ill = self._ill(fault.order, trips)
        holds = Holds.YES if ill < self.least(len(fault.targets)) else Holds.NOT_YET
        return Proof(holds, f"{ready.text}; {_slowest(trips)}")

    def _ill(self, order: FaultOrder, trips: Sequence[float | None]) -> int:
        """How many of them are not as they should be where nothing is in force."""
        return sum(one is None or self.is_felt(order, one) for one in trips)

    def _trips(self, platform: Platform, order: FaultOrder, pods: Sequence[str]) -> Sequence[float | None]:
        return platform.embedded.round_trips(order.target.namespace, pods, self.asks(order))


def _names(fault: InForce) -> list[str]:
    return [one.ref.name for one in fault.targets]


def _slowest(trips: Sequence[float | None]) -> str:
    answered = [one for one in trips if one is not None]
    silent = len(trips) - len(answered)
    slowest = f"the slowest answer took {1000 * max(answered):.0f} ms" if answered else "nobody answered"
    return f"{slowest}, {silent} got none" if silent and answered else slowest
