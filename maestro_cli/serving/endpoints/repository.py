"""The model repository extension: which versions there are."""

from __future__ import annotations

from collections.abc import Iterator

from maestro_cli.serving.access.permissions import Permission
from maestro_cli.serving.errors import RequestError
from maestro_cli.serving.protocol import messages
from maestro_cli.serving.protocol.http import Reply, json_reply
from maestro_cli.serving.replica import Replica
from maestro_cli.serving.routes import Call, Route


class RepositoryEndpoints:
    def __init__(self, replica: Replica) -> None:
        self._repository = replica.repository

    def routes(self) -> Iterator[Route]:
        yield Route("POST", "/v2/repository/index", self._index, Permission.VIEW)
        yield Route("POST", "/v2/repository/models/{model}/load", self._refuse, Permission.OPERATE)
        yield Route("POST", "/v2/repository/models/{model}/unload", self._refuse, Permission.OPERATE)

    async def _index(self, call: Call) -> Reply:
        only_ready = messages.read_index(await call.body()).ready
        return json_reply(
            [
                {"name": e.name, "version": str(e.version), "state": e.state, "reason": e.reason}
                for e in self._repository.entries
                if e.model is not None or not only_ready
            ]
        )

    async def _refuse(self, call: Call) -> Reply:
        raise RequestError("loading and unloading is not allowed: versions are fixed by --serve")
