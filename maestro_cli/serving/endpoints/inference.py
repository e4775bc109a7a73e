"""The one route that matters: a request in, an answer out, counted and named."""

from __future__ import annotations

import time
from collections.abc import Iterator

from maestro_cli.serving.access.permissions import Permission
from maestro_cli.serving.errors import RequestError, ServingError
from maestro_cli.serving.execution import inference
from maestro_cli.serving.execution.predictor import deadline_in
from maestro_cli.serving.execution.timing import Timing
from maestro_cli.serving.models.artefact import LoadedModel
from maestro_cli.serving.models.repository import Entry
from maestro_cli.serving.protocol import messages
from maestro_cli.serving.protocol.http import ClientGone, Reply, error_reply
from maestro_cli.serving.replica import Replica
from maestro_cli.serving.routes import Call, Route

# How long the caller waits, as Envoy tells the server behind it (milliseconds).
TIMEOUT_HEADER = b"x-envoy-expected-rq-timeout-ms"


class InferenceEndpoints:
    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    def routes(self) -> Iterator[Route]:
        yield Route("POST", "/v2/models/{model}/infer", self._infer, Permission.PREDICT)
        yield Route("POST", "/v2/models/{model}/versions/{version}/infer", self._infer, Permission.PREDICT)

    async def _infer(self, call: Call) -> Reply:
        """Answer and count one inference request, errors included; one that was given up is not counted."""
        entry: Entry | None = None
        identity: str | None = None
        served_by = ""
        timing = Timing()
        code: int | None = 500  # what an error of our own will be answered with
        try:
            entry = self._replica.repository.find(call.parameters["model"], call.parameters.get("version"))
            async with self._replica.memory.using(entry) as model:
                served_by = model.served_by
                content = await call.body()
                if call.header(b"inference-header-content-length"):
                    raise RequestError("binary tensor data is not supported; send JSON")
                with timing.stage("features"):
                    body = messages.read_infer(content)
                    identity = messages.request_id(body)
                    timeout_seconds = self._timeout_seconds(call, body)
                    request = messages.decode_tensors(body, identity)
                reply = await self._answer(call, model, request, timeout_seconds, timing)
            code = reply.status
        except ServingError as error:
            self._replica.log.refusal(error, path=call.path, entry=entry, request_id=identity)
            reply = error_reply(error)
            code = error.status
        except ClientGone:
            code = None
            raise
        finally:
            if code is not None:
                self._replica.metrics.observe(entry, code, time.perf_counter() - call.started, timing)
        if served_by:
            reply.headers.append((b"x-maestro-served", served_by.encode("ascii")))
        return reply

    async def _answer(
        self,
        call: Call,
        model: LoadedModel,
        request: messages.InferRequest,
        timeout_seconds: float,
        timing: Timing,
    ) -> Reply:
        deadline = deadline_in(timeout_seconds - (time.perf_counter() - call.started))
        answer = await inference.answer(
            self._replica.predictor, model, request, deadline, timing, call.while_connected
        )
        with timing.stage("encode"):
            return Reply(200, messages.encode(answer))

    def _timeout_seconds(self, call: Call, body: messages.InferBody) -> float:
        """The shortest of the server's, the request's (Triton's `timeout`, µs) and the proxy's."""
        asked = [self._replica.timeout_seconds]
        parameter = (body.parameters or {}).get("timeout")
        if parameter is not None:
            if isinstance(parameter, bool) or not isinstance(parameter, int) or parameter <= 0:
                raise RequestError("parameter timeout must be a number of microseconds above 0")
            asked.append(parameter / 1e6)
        header = call.header(TIMEOUT_HEADER)
        if header.isascii() and header.isdigit() and int(header[:9]):
            asked.append(int(header[:9]) / 1e3)
        return min(asked)
