"""Is it alive, is it ready, is a model ready: what probes and load balancers ask."""

from __future__ import annotations

from collections.abc import Iterator

from maestro_cli.serving.access.permissions import Permission
from maestro_cli.serving.protocol import messages
from maestro_cli.serving.protocol.http import Reply, json_reply
from maestro_cli.serving.replica import Replica
from maestro_cli.serving.routes import Call, Route
from maestro_cli.serving.routing.outline import unanswered


class HealthEndpoints:
    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/v2/health/live", self._live, Permission.OPEN)
        yield Route("GET", "/v2/health/ready", self._ready, Permission.OPEN)
        yield Route("GET", "/v2/models/{model}/ready", self._model_ready, Permission.OPEN)
        yield Route("GET", "/v2/models/{model}/versions/{version}/ready", self._model_ready, Permission.OPEN)

    async def _live(self, call: Call) -> Reply:
        return json_reply({"live": True})

    async def _ready(self, call: Call) -> Reply:
        # both members: the protocol's text says `live` here, its users say `ready`
        faults = self._replica.faults
        if not faults:
            return json_reply({"live": True, "ready": True})
        return Reply(503, messages.encode({"live": True, "ready": False, "error": "; ".join(faults)}))

    async def _model_ready(self, call: Call) -> Reply:
        name, version = call.parameters["model"], call.parameters.get("version")
        node = self._replica.router.node(name, version)
        if node is not None:
            why = unanswered(node, self._replica.repository)
        else:
            entry = self._replica.repository.find(name, version)
            why = "" if entry.can_answer else entry.reason or "it cannot answer"
        why = "draining" if self._replica.draining else why
        if not why:
            return json_reply({"name": name, "ready": True})
        return Reply(503, messages.encode({"name": name, "ready": False, "error": why}))
