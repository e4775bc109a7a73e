"""One replica among several: what it holds, and having it forget.

A call to any admin route may name the replica it is meant for in `x-maestro-replica`; another one answers 421
and does nothing. `GET /v2` tells which one answered.
"""

from __future__ import annotations

from collections.abc import Iterator

from maestro_cli.serving.access.permissions import Permission
from maestro_cli.serving.endpoints.routing import change_of
from maestro_cli.serving.errors import RequestError, quoted
from maestro_cli.serving.protocol import messages
from maestro_cli.serving.protocol.http import Reply, json_reply
from maestro_cli.serving.replica import Replica
from maestro_cli.serving.routes import Call, Route


class ReplicaEndpoints:
    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/v2/replica", self._get, Permission.VIEW)
        yield Route("POST", "/v2/cache/clear", self._clear, Permission.OPERATE)

    async def _get(self, call: Call) -> Reply:
        replica = self._replica
        return json_reply(
            {
                "replica": replica.id,
                "pod": replica.pod,
                "routing": replica.router.in_force.digest,
                "models": [
                    {"name": entry.name, "version": entry.version, "state": entry.state}
                    for entry in replica.repository.entries
                ],
                "cache": {"bytes": replica.predictor.cache.held_bytes, "cleared_by": replica.cleared_by},
            }
        )

    async def _clear(self, call: Call) -> Reply:
        """Forget the kept answers of every model, or of one: `{"parameters": {"model": "fraud"}}`."""
        model = messages.read_clear(await call.body())
        if model is not None and not self._replica.repository.of(model):
            raise RequestError(f"model {quoted(model)} is not served here", status=404)
        forgotten = self._replica.predictor.cache.clear(model)
        self._replica.cleared_by = change_of(call)
        call.audited["after"] = f"{forgotten} answers forgotten"
        return json_reply({"forgotten": forgotten})
