"""Server latency: requests wait in the model server of chosen pods, through its fault hooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Option, whole_number
from maestro_cli.chaos.faults.server_fault import RequestFault


class ServerLatency(RequestFault):
    """Parameters: `milliseconds`, `jitter` (milliseconds, 0), `share` of requests (100%), `model` (any)."""

    name = "server-latency"
    summary = "requests wait in the model server of chosen pods"
    kind = "latency"
    options: ClassVar[Mapping[str, Option]] = {
        "milliseconds": Option(whole_number, needed=True),
        "jitter": Option(whole_number),
        **RequestFault.scoped,
    }

    def asked(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        jitter = {"jitter_milliseconds": said["jitter"]} if said.get("jitter") else {}
        return {"milliseconds": said["milliseconds"], **jitter}
