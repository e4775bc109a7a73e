"""Server dependency: what features come from does not answer, in the model server of chosen pods.

A stand-in of the hooks: the bundled server asks no feature store.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Option, whole_number
from maestro_cli.chaos.faults.server_fault import RequestFault


class ServerDependency(RequestFault):
    """Parameters: `milliseconds` that a request waits before its 503 (1000), `share`, `model`."""

    name = "server-dependency"
    summary = "what the model server of chosen pods depends on does not answer: a wait, then 503"
    kind = "dependency"
    options: ClassVar[Mapping[str, Option]] = {"milliseconds": Option(whole_number), **RequestFault.scoped}

    def asked(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"milliseconds": said.get("milliseconds", 1000)}
