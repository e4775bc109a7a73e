"""What all faults have in common that the embedded platform's load balancer and kubelets carry out.

Invariant: they end by themselves soon after they are wanted, whether maestro lives or not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import ChangeKind, Option
from maestro_cli.chaos.faults.fault import InForce, Proof, Step
from maestro_cli.chaos.faults.lease_kinds import LEASE, EndFaultLease, LeaseFault
from maestro_cli.chaos.faults.leash import leashed
from maestro_cli.chaos.faults.pods import lacks_cluster, pod_at, pod_candidates, serve_again
from maestro_cli.chaos.model import Candidate, FaultOrder
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.errors import NotFound
from maestro_cli.core.fault_leases import MAX_SECONDS


class LeasedFault(ABC):
    """A fault of pods; `kind` is what the lease says."""

    name: ClassVar[str]
    summary: ClassVar[str]
    provider: ClassVar[str]
    kind: ClassVar[str]
    options: ClassVar[Mapping[str, Option]] = {}

    @abstractmethod
    def asked(self, said: Mapping[str, Any]) -> Mapping[str, float]:
        """The parameters of the lease, from those that people give."""

    def kinds(self, platform: Platform) -> Sequence[ChangeKind]:
        return lease_kinds(platform)

    def lacks(self, platform: Platform) -> str:
        return lacks_embedded(platform)

    def candidates(self, platform: Platform, order: FaultOrder) -> Sequence[Candidate]:
        return pod_candidates(platform, order)

    def steps(self, order: FaultOrder, targets: Sequence[Candidate], seconds: float) -> Sequence[Step]:
        return [lease_step(one, self.kind, self.asked(order.parameters), seconds) for one in targets]

    @abstractmethod
    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """What was measured of it."""

    def recovery(self, platform: Platform, fault: InForce) -> Proof:
        return serve_again(platform, fault, self.residue(platform, fault))

    def residue(self, platform: Platform, fault: InForce) -> Sequence[str]:
        return leases_left(platform, fault, fault.targets)


def lease_kinds(platform: Platform) -> Sequence[ChangeKind]:
    return (LeaseFault(lambda: platform.embedded), EndFaultLease(lambda: platform.embedded))


def lacks_embedded(platform: Platform) -> str:
    """Why the context's load balancer and kubelets are not maestro's, or ""."""
    try:
        return lacks_cluster(platform) or ("" if platform.embedded else "it is not the embedded platform")
    except NotFound as error:
        return error.what


def lease_step(target: Candidate, kind: str, parameters: Mapping[str, float], seconds: float) -> Step:
    lasts = leashed(seconds, MAX_SECONDS)
    return Step(
        LEASE, target.ref, {"order": {"kind": kind, "seconds": lasts, "parameters": dict(parameters)}}
    )


def leases_left(platform: Platform, fault: InForce, targets: Sequence[Candidate]) -> Sequence[str]:
    """Leases of its changes that are still written on these pods; a pod that is gone has none."""
    left = []
    for target in targets:
        pod = pod_at(platform, target)
        for one in platform.embedded.active(pod) if pod is not None else ():
            if one.note in fault.changes:
                left.append(f"{one.kind} is leased to {target.ref}")
    return left
