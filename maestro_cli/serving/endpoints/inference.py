"""The one route that matters: a request in, an answer out, counted and named."""

from __future__ import annotations

import time
from collections.abc import Iterator

from maestro_cli.serving.access.permissions import Permission
from maestro_cli.serving.errors import RequestError, ServingError
from maestro_cli.serving.execution import inference
from maestro_cli.serving.models.repository import Entry, ready_model
from maestro_cli.serving.protocol import messages
from maestro_cli.serving.protocol.http import ClientGone, Reply, error_reply
from maestro_cli.serving.replica import Replica
from maestro_cli.serving.routes import Call, Route


class InferenceEndpoints:
    def __init__(self, replica: Replica) -> None:
        self._repository = replica.repository
        self._metrics = replica.metrics
        self._log = replica.log

    def routes(self) -> Iterator[Route]:
        yield Route("POST", "/v2/models/{model}/infer", self._infer, Permission.PREDICT)
        yield Route("POST", "/v2/models/{model}/versions/{version}/infer", self._infer, Permission.PREDICT)

    async def _infer(self, call: Call) -> Reply:
        """Answer and count one inference request, errors included; one that was given up is not counted."""
        entry: Entry | None = None
        identity: str | None = None
        code: int | None = 500  # what an error of our own will be answered with
        try:
            entry = self._repository.find(call.parameters["model"], call.parameters.get("version"))
            model = ready_model(entry)
            content = await call.body()
            if call.header(b"inference-header-content-length"):
                raise RequestError("binary tensor data is not supported; send JSON")
            body = messages.read_infer(content)
            identity = messages.request_id(body)
            reply = Reply(200, inference.answer(model, body, identity))
            code = reply.status
        except ServingError as error:
            self._log.refusal(error, path=call.path, entry=entry, request_id=identity)
            reply = error_reply(error)
            code = error.status
        except ClientGone:
            code = None
            raise
        finally:
            if code is not None:
                self._metrics.observe(entry, code, time.perf_counter() - call.started)
        if entry is not None and entry.model is not None:
            reply.headers.append((b"x-maestro-served", entry.model.served_by.encode("ascii")))
        return reply
