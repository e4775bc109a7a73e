"""What the server and its models are."""

from __future__ import annotations

from collections.abc import Iterator

from maestro_cli import __version__
from maestro_cli.serving.access.permissions import Permission
from maestro_cli.serving.protocol import contract
from maestro_cli.serving.protocol.http import Reply, json_reply
from maestro_cli.serving.replica import Replica
from maestro_cli.serving.routes import Call, Route

SERVER_NAME = "maestro"
EXTENSIONS = ["model_repository", "maestro_routing"]


class MetadataEndpoints:
    def __init__(self, replica: Replica) -> None:
        self._repository = replica.repository
        self._memory = replica.memory
        self._router = replica.router

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/v2", self._server, Permission.OPEN)
        yield Route("GET", "/v2/", self._server, Permission.OPEN)
        yield Route("GET", "/v2/models", self._models, Permission.VIEW)
        yield Route("GET", "/v2/models/{model}", self._model, Permission.VIEW)
        yield Route("GET", "/v2/models/{model}/versions/{version}", self._model, Permission.VIEW)

    async def _server(self, call: Call) -> Reply:
        return json_reply(
            {
                "name": SERVER_NAME,
                "version": __version__,
                "extensions": EXTENSIONS,
                "routing": self._router.in_force.digest,
            }
        )

    async def _models(self, call: Call) -> Reply:
        return json_reply({"models": self._repository.names})

    async def _model(self, call: Call) -> Reply:
        entry = self._repository.find(call.parameters["model"], call.parameters.get("version"))
        async with self._memory.using(entry) as model:
            return json_reply(
                {
                    "name": model.name,
                    "versions": self._repository.versions(model.name),
                    "platform": model.manifest.platform,
                    "inputs": contract.describe(model.manifest.inputs),
                    "outputs": contract.describe(model.manifest.outputs),
                }
            )
