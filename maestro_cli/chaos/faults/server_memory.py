"""Server memory: the model server of chosen pods grows up to a ceiling, through its fault hooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Option, whole_number
from maestro_cli.chaos.faults.fault import InForce, Proof
from maestro_cli.chaos.faults.figures import more_mebibytes, reaches
from maestro_cli.chaos.faults.server_fault import ServerFault
from maestro_cli.chaos.ports import Platform

LEAST_SHARE = 0.8


class ServerMemory(ServerFault):
    """Parameters: `mebibytes` it grows by, at most; `mebibytes_per_second` (64)."""

    name = "server-memory"
    summary = "the model server of chosen pods grows up to a ceiling"
    kind = "memory"
    options: ClassVar[Mapping[str, Option]] = {
        "mebibytes": Option(whole_number, needed=True),
        "mebibytes_per_second": Option(whole_number),
    }

    def asked(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        rate = said.get("mebibytes_per_second", 64)
        return {"ceiling_mebibytes": said["mebibytes"], "mebibytes_per_second": rate}

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """Each pod grew by as much, nearly, by its containers' own figures."""
        least = LEAST_SHARE * float(fault.order.parameters["mebibytes"])
        return reaches(more_mebibytes(platform, fault.targets), fault.targets, least, "MiB")
