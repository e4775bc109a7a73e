"""Server CPU: child processes of the model server of chosen pods compute, through its fault hooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Option, whole_number
from maestro_cli.chaos.faults.fault import InForce, Proof
from maestro_cli.chaos.faults.figures import more_cores, provable_cores, reaches
from maestro_cli.chaos.faults.server_fault import ServerFault
from maestro_cli.chaos.ports import Platform


class ServerCpu(ServerFault):
    """Parameters: `processes` that compute (1)."""

    name = "server-cpu"
    summary = "processes compute beside the model server of chosen pods"
    kind = "cpu"
    options: ClassVar[Mapping[str, Option]] = {"processes": Option(whole_number)}

    def asked(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"processes": said.get("processes", 1)}

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """Each pod uses as much more of the processors, by its containers' own counters."""
        least = provable_cores(float(self.asked(fault.order.parameters)["processes"]))
        return reaches(more_cores(platform, fault.targets), fault.targets, least, "cores")
