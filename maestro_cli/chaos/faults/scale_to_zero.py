"""Scale to zero: a workload has no replica for a while, as a dependency that is gone.

Invariant: what it had is in the undo, written before the call. An autoscaler leaves a workload alone that
wants no replica, so that it stays so until it is taken back.
"""

from __future__ import annotations

from collections.abc import Sequence

from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.changes.kinds.scale import Scale
from maestro_cli.chaos.faults.cluster_fault import ClusterFault
from maestro_cli.chaos.faults.fault import InForce, Proof, Step
from maestro_cli.chaos.faults.pods import ready_pods
from maestro_cli.chaos.faults.workloads import whole_workload, workload_at
from maestro_cli.chaos.model import Candidate, FaultOrder
from maestro_cli.chaos.ports import Platform


class ScaleToZero(ClusterFault):
    """Takes no parameters; the target names a workload, all of whose replicas end."""

    name = "scale-to-zero"
    summary = "a workload has no replica; then as many as it had"

    def candidates(self, platform: Platform, order: FaultOrder) -> Sequence[Candidate]:
        return whole_workload(platform, order)

    def steps(self, order: FaultOrder, targets: Sequence[Candidate], seconds: float) -> Sequence[Step]:
        return [Step(Scale.name, one.ref, {"replicas": 0}) for one in targets]

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """No replica of it is ready."""
        ready = ready_pods(platform, fault.order.target)
        text = f"{len(ready)} ready" if ready else f"no replica of {fault.targets[0].ref} is ready"
        return Proof(Holds.NOT_YET if ready else Holds.YES, text)

    def recovery(self, platform: Platform, fault: InForce) -> Proof:
        """As many ready as it wants, and it wants some."""
        for one in fault.targets:
            found = workload_at(platform, one)
            wanted, ready = (found.replicas_wanted, found.replicas_ready) if found else (0, 0)
            if not wanted or ready < wanted:
                return Proof(Holds.NOT_YET, f"{ready} of {wanted} replicas of {one.ref} ready")
        return Proof(Holds.YES, "as many ready as wanted")

    def residue(self, platform: Platform, fault: InForce) -> Sequence[str]:
        found = [(one, workload_at(platform, one)) for one in fault.targets]
        return [f"{one.ref} wants no replica" for one, now in found if now and not now.replicas_wanted]
