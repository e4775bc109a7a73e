"""Pod memory: a process in chosen pods holds memory, started by their kubelets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Option, whole_number
from maestro_cli.chaos.faults.fault import InForce, Proof
from maestro_cli.chaos.faults.figures import more_mebibytes, reaches
from maestro_cli.chaos.faults.leased_fault import LeasedFault
from maestro_cli.chaos.faults.server_memory import LEAST_SHARE
from maestro_cli.chaos.ports import Platform

_MOST_MEBIBYTES = 1024


class PodMemory(LeasedFault):
    """Parameters: `mebibytes`, up to 1024, and no more than a quarter of what the machine has free."""

    name = "pod-memory"
    summary = "a process holds memory in chosen pods"
    provider = "kubelet"
    kind = "memory"
    options: ClassVar[Mapping[str, Option]] = {"mebibytes": Option(whole_number, needed=True)}

    def asked(self, said: Mapping[str, Any]) -> Mapping[str, float]:
        return {"mebibytes": min(_MOST_MEBIBYTES, said["mebibytes"])}

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """Each pod holds as much more memory, by its containers' own figures."""
        least = LEAST_SHARE * self.asked(fault.order.parameters)["mebibytes"]
        return reaches(more_mebibytes(platform, fault.targets), fault.targets, least, "MiB")
