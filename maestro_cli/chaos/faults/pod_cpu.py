"""Pod CPU: processes compute in chosen pods, started by their kubelets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Option, share_of_one, whole_number
from maestro_cli.chaos.faults.fault import InForce, Proof
from maestro_cli.chaos.faults.figures import more_cores, provable_cores, reaches
from maestro_cli.chaos.faults.leased_fault import LeasedFault
from maestro_cli.chaos.ports import Platform


class PodCpu(LeasedFault):
    """Parameters: `processes` (1; at most as the machine has processors), `load` of each (100%)."""

    name = "pod-cpu"
    summary = "processes compute in chosen pods"
    provider = "kubelet"
    kind = "cpu"
    options: ClassVar[Mapping[str, Option]] = {
        "processes": Option(whole_number),
        "load": Option(share_of_one),
    }

    def asked(self, said: Mapping[str, Any]) -> Mapping[str, float]:
        return {"processes": max(1, said.get("processes", 1)), "load": min(1.0, said.get("load", 1.0))}

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """Each pod uses as much more of the processors, by its containers' own counters."""
        asked = self.asked(fault.order.parameters)
        least = provable_cores(asked["processes"] * asked["load"])
        return reaches(more_cores(platform, fault.targets), fault.targets, least, "cores")
