"""The model repository extension: which versions there are, load one, unload one.

Shapes: Triton's `extension_model_repository.md`. A load or unload may name one version, `{"parameters":
{"version": 3}}`; without it the newest in the folder is loaded, and every version is unloaded.
"""

from __future__ import annotations

from collections.abc import Iterator

from maestro_cli.serving.access.permissions import Permission
from maestro_cli.serving.protocol import messages
from maestro_cli.serving.protocol.http import Reply, json_reply
from maestro_cli.serving.replica import Replica
from maestro_cli.serving.routes import Call, Route


class RepositoryEndpoints:
    def __init__(self, replica: Replica) -> None:
        self._repository = replica.repository
        self._memory = replica.memory

    def routes(self) -> Iterator[Route]:
        yield Route("POST", "/v2/repository/index", self._index, Permission.VIEW)
        yield Route("POST", "/v2/repository/models/{model}/load", self._load, Permission.OPERATE)
        yield Route("POST", "/v2/repository/models/{model}/unload", self._unload, Permission.OPERATE)

    async def _index(self, call: Call) -> Reply:
        only_ready = messages.read_index(await call.body()).ready
        return json_reply(
            [
                {"name": e.name, "version": str(e.version), "state": e.state, "reason": e.reason}
                for e in self._repository.entries
                if e.model is not None or not only_ready
            ]
        )

    async def _load(self, call: Call) -> Reply:
        version = messages.read_control(await call.body())
        call.audited["before"] = self._digests(call)
        entry = await self._memory.load(call.parameters["model"], version)
        call.audited["after"] = self._digests(call)
        return json_reply({"name": entry.name, "version": str(entry.version), "load": True})

    async def _unload(self, call: Call) -> Reply:
        version = messages.read_control(await call.body())
        call.audited["before"] = self._digests(call)
        entries = await self._memory.unload(call.parameters["model"], version)
        call.audited["after"] = self._digests(call)
        versions = [str(entry.version) for entry in entries]
        return json_reply({"name": entries[0].name, "versions": versions, "unload": True})

    def _digests(self, call: Call) -> str:
        """What is loaded of the call's model, as `version=digest`."""
        loaded = [entry for entry in self._repository.entries if entry.name == call.parameters["model"]]
        return " ".join(f"{e.version}={e.model.digest}" for e in loaded if e.model is not None)
