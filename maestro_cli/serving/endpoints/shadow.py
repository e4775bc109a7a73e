"""How the shadows compare."""

from __future__ import annotations

from collections.abc import Iterator

from maestro_cli.serving.access.permissions import Permission
from maestro_cli.serving.protocol.http import Reply, json_reply
from maestro_cli.serving.replica import Replica
from maestro_cli.serving.routes import Call, Route


class ShadowEndpoints:
    def __init__(self, replica: Replica) -> None:
        self._shadows = replica.shadows

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/v2/shadows", self._get, Permission.VIEW)

    async def _get(self, call: Call) -> Reply:
        return json_reply({"shadows": self._shadows.told()})
