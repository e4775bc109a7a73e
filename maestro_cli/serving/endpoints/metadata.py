"""What the server and its models are."""

from __future__ import annotations

from collections.abc import Iterator

from maestro_cli import __version__
from maestro_cli.serving.access.permissions import Permission
from maestro_cli.serving.protocol import binary, contract
from maestro_cli.serving.protocol.http import Reply, json_reply
from maestro_cli.serving.replica import Replica
from maestro_cli.serving.routes import Call, Route
from maestro_cli.serving.routing.document import Node
from maestro_cli.serving.routing.outline import Outline, outline, outline_of_model

SERVER_NAME = "maestro"
EXTENSIONS = ["model_repository", "model_configuration", binary.EXTENSION, "maestro_routing"]


class MetadataEndpoints:
    def __init__(self, replica: Replica) -> None:
        self._repository = replica.repository
        self._memory = replica.memory
        self._router = replica.router
        self._id = replica.id
        self._extensions = [*EXTENSIONS, *(["maestro_chaos"] if replica.injector is not None else [])]

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/v2", self._server, Permission.OPEN)
        yield Route("GET", "/v2/", self._server, Permission.OPEN)
        yield Route("GET", "/v2/models", self._models, Permission.VIEW)
        yield Route("GET", "/v2/models/{model}", self._model, Permission.VIEW)
        yield Route("GET", "/v2/models/{model}/versions/{version}", self._model, Permission.VIEW)
        yield Route("GET", "/v2/models/{model}/config", self._configuration, Permission.VIEW)
        yield Route(
            "GET", "/v2/models/{model}/versions/{version}/config", self._configuration, Permission.VIEW
        )

    async def _server(self, call: Call) -> Reply:
        return json_reply(
            {
                "name": SERVER_NAME,
                "version": __version__,
                "extensions": self._extensions,
                "routing": self._router.in_force.digest,
                "replica": self._id,
            }
        )

    async def _models(self, call: Call) -> Reply:
        return json_reply({"models": sorted({*self._repository.names, *self._router.in_force.asks})})

    async def _model(self, call: Call) -> Reply:
        name = call.parameters["model"]
        told, node = await self._outline(call)
        return json_reply(
            {
                "name": name,
                "versions": self._repository.versions(name) if self._repository.of(name) else [],
                "platform": told.platform,
                "inputs": contract.describe(told.inputs),
                "outputs": contract.describe(told.outputs),
                **({} if node is None else {"routed_to": told.models}),
            }
        )

    async def _configuration(self, call: Call) -> Reply:
        """What Triton's `extension_model_configuration.md` tells, as far as a client needs it to ask."""
        told, _ = await self._outline(call)
        rows = contract.MAX_ROWS if told.stackable else 0
        return json_reply(
            {
                "name": call.parameters["model"],
                "platform": "onnxruntime_onnx",
                "backend": "onnxruntime",
                "max_batch_size": rows,
                "input": contract.configure(told.inputs, without_rows=bool(rows)),
                "output": contract.configure(told.outputs, without_rows=bool(rows)),
            }
        )

    async def _outline(self, call: Call) -> tuple[Outline, Node | None]:
        """Of what answers that name and version, and its route when a route does."""
        name, version = call.parameters["model"], call.parameters.get("version")
        node = self._router.node(name, version)
        if node is not None:
            return await outline(node, self._repository, self._memory), node
        return await outline_of_model(name, version, self._repository, self._memory), None
