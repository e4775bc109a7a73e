"""Server hang: requests get no answer in the model server of chosen pods, through its fault hooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Option
from maestro_cli.chaos.faults.server_fault import RequestFault


class ServerHang(RequestFault):
    """Parameters: `share` of requests (100%), `model` (any). Health is answered: the pod stays ready."""

    name = "server-hang"
    summary = "requests get no answer from the model server of chosen pods, and its health does"
    kind = "hang"
    options: ClassVar[Mapping[str, Option]] = RequestFault.scoped

    def asked(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        return {}
