"""Server error: requests fail in the model server of chosen pods, through its fault hooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Option, whole_number
from maestro_cli.chaos.faults.server_fault import RequestFault


class ServerError(RequestFault):
    """Parameters: `status` (500), `share` of requests (100%), `model` (any)."""

    name = "server-error"
    summary = "requests fail in the model server of chosen pods"
    kind = "error"
    options: ClassVar[Mapping[str, Option]] = {"status": Option(whole_number), **RequestFault.scoped}

    def asked(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"status": said.get("status", 500)}
