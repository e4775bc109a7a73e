"""What the server and its models are."""

from __future__ import annotations

from collections.abc import Iterator

from maestro_cli import __version__
from maestro_cli.serving.access.permissions import Permission
from maestro_cli.serving.protocol import binary, contract
from maestro_cli.serving.protocol.http import Reply, json_reply
from maestro_cli.serving.replica import Replica
from maestro_cli.serving.routes import Call, Route

SERVER_NAME = "maestro"
EXTENSIONS = ["model_repository", "model_configuration", binary.EXTENSION, "maestro_routing"]


class MetadataEndpoints:
    def __init__(self, replica: Replica) -> None:
        self._repository = replica.repository
        self._memory = replica.memory
        self._router = replica.router
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

    async def _configuration(self, call: Call) -> Reply:
        """What Triton's `extension_model_configuration.md` tells, as far as a client needs it to ask."""
        entry = self._repository.find(call.parameters["model"], call.parameters.get("version"))
        async with self._memory.using(entry) as model:
            rows = contract.MAX_ROWS if model.manifest.stackable else 0
            return json_reply(
                {
                    "name": model.name,
                    "platform": "onnxruntime_onnx",
                    "backend": "onnxruntime",
                    "max_batch_size": rows,
                    "input": contract.configure(model.manifest.inputs, without_rows=bool(rows)),
                    "output": contract.configure(model.manifest.outputs, without_rows=bool(rows)),
                }
            )
