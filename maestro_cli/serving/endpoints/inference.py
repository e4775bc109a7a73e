"""The one route that matters: a request in, an answer out, counted and named."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping

from maestro_cli.serving.access.permissions import Permission
from maestro_cli.serving.errors import RequestError, ServingError
from maestro_cli.serving.execution.deadline import Deadline
from maestro_cli.serving.execution.predictor import deadline_in
from maestro_cli.serving.protocol import answer, binary, messages
from maestro_cli.serving.protocol.http import ClientGone, Reply, error_reply
from maestro_cli.serving.protocol.tensors import Array
from maestro_cli.serving.replica import Replica
from maestro_cli.serving.routes import Call, Route
from maestro_cli.serving.routing.sticky import NO_KEYS, Keys
from maestro_cli.serving.routing.trail import Trail
from maestro_cli.serving.routing.tree import Question
from maestro_cli.serving.telemetry.spans import Finished

INFER = "/v2/models/{model}/infer"
INFER_VERSION = "/v2/models/{model}/versions/{version}/infer"

# How long the caller waits, as Envoy tells the server behind it (milliseconds).
TIMEOUT_HEADER = b"x-envoy-expected-rq-timeout-ms"
_LONGEST_MICROSECONDS = 10**15  # what is longer fits into no float
CLIENT_GONE = 499  # what nginx calls a request whose sender did not wait; nobody gets this answer
_LENGTH_HEADER = binary.LENGTH_HEADER.encode("ascii")


class InferenceEndpoints:
    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    def routes(self) -> Iterator[Route]:
        yield Route("POST", INFER, self._infer, Permission.PREDICT)
        yield Route("POST", INFER_VERSION, self._infer, Permission.PREDICT)

    async def _infer(self, call: Call) -> Reply:
        """Answer and count one inference request, errors included; one that was given up counts as 499."""
        trail = Trail(trace=self._replica.tracing.begin(call.scope))
        call.trace_id = trail.trace.trace_id
        if self._replica.injector is not None:
            trail.faults = self._replica.injector.meet(call.parameters["model"], call.header, trail.decision)
        self._replica.flights.count += 1
        identity: str | None = None
        code = 500  # what an error of our own will be answered with
        try:
            self._replica.router.knows(call.parameters["model"], call.parameters.get("version"))
            content = await call.body()
            began = trail.mark()
            if trail.faults is not None:
                within = self._replica.timeout_seconds - (time.perf_counter() - call.started)
                await self._meet_faults("parse", call, trail, deadline_in(within))
                began = time.perf_counter()
            head, tail = binary.split(content, call.header(_LENGTH_HEADER))
            body = messages.read_infer(head)
            identity = body.id or trail.decision  # KServe's clients require one in the answer
            trail.timing.features += time.perf_counter() - began
            reply = await self._answer(call, body, tail, identity, trail)
            code = reply.status
        except ServingError as error:
            self._replica.log.refusal(
                error, path=call.path, entry=trail.entry, request_id=identity, trace_id=call.trace_id
            )
            reply = error_reply(error)
            code = error.status
        except (ClientGone, asyncio.CancelledError) as given_up:
            code = CLIENT_GONE if isinstance(given_up, ClientGone) else 503  # the end of a drain
            raise
        finally:
            self._replica.flights.count -= 1
            self._count(call, trail, code)
        reply.headers += _identity_headers(trail)
        return reply

    async def _answer(
        self, call: Call, body: messages.InferBody, tail: binary.Tail, identity: str, trail: Trail
    ) -> Reply:
        timeout_seconds = self._timeout_seconds(call, body)
        deadline = deadline_in(timeout_seconds - (time.perf_counter() - call.started))
        began = time.perf_counter()
        request = messages.decode_tensors(body, identity, tail)
        trail.timing.features += trail.mark() - began
        if trail.faults is not None:
            await self._meet_faults("route", call, trail, deadline)
        name, version = call.parameters["model"], call.parameters.get("version")
        keys = Keys(call.scope["headers"], body.parameters or {}, body.id or "")
        outputs = await self._replica.router.answer(
            name, version, request, keys, deadline, trail, call.while_connected
        )
        if trail.is_routed:
            call.after.append(lambda: self._offer(name, request, outputs, trail))
        began = trail.mark()
        if trail.faults is not None:
            await self._meet_faults("encode", call, trail, deadline)
            began = time.perf_counter()
        reply = answer.compose(name, _version(trail), request, outputs, _parameters(trail))
        trail.timing.encode += time.perf_counter() - began
        return reply

    async def _meet_faults(self, stage: str, call: Call, trail: Trail, deadline: Deadline) -> None:
        """A drill's faults happen; they count what they take themselves."""
        if trail.faults is not None:
            model = trail.served[-1] if trail.served else None
            await call.while_connected(trail.faults.at(stage, deadline, trail.timing, model))

    def _count(self, call: Call, trail: Trail, code: int) -> None:
        """Count an answer now, and have the rest told after it was sent."""
        ended = time.perf_counter()
        self._replica.metrics.observe(trail, code, ended - call.started)
        if self._replica.tracing.wants(trail.trace, code):
            template = INFER_VERSION if "version" in call.parameters else INFER
            finished = Finished(
                trail, str(call.scope["method"]), template, call.path, str(call.scope.get("scheme", "http")),
                code, call.started, ended, time.time_ns(),
            )  # fmt: skip
            call.after.append(lambda: self._replica.tracing.tell(finished))

    def _offer(
        self, name: str, request: messages.InferRequest, outputs: Mapping[str, Array], trail: Trail
    ) -> None:
        """Show an answered request to the route's shadow."""
        question = Question(request.inputs, request.datatypes, request.wanted, NO_KEYS)
        self._replica.shadows.offer(name, question, trail.decision, outputs, trail.timing.infer)

    def _timeout_seconds(self, call: Call, body: messages.InferBody) -> float:
        """The shortest of the server's, the request's (Triton's `timeout`, µs) and the proxy's."""
        asked = [self._replica.timeout_seconds]
        parameter = (body.parameters or {}).get("timeout")
        if parameter is not None:
            if isinstance(parameter, bool) or not isinstance(parameter, int) or parameter <= 0:
                raise RequestError("parameter timeout must be a number of microseconds above 0")
            asked.append(min(parameter, _LONGEST_MICROSECONDS) / 1e6)
        header = call.header(TIMEOUT_HEADER)
        if header.isascii() and header.isdigit() and int(header[:9]):
            asked.append(int(header[:9]) / 1e3)
        return min(asked)


def _version(trail: Trail) -> str:
    """The version that answered; `mixed` when rows went to several, "" when none did."""
    versions = {model.version for model in trail.served}
    return "mixed" if len(versions) > 1 else next(iter(versions), "")


def _parameters(trail: Trail) -> dict[str, str]:
    return {"served": trail.served_by, "route": trail.route, "decision": trail.decision}


def _identity_headers(trail: Trail) -> list[tuple[bytes, bytes]]:
    """Who answered; on an error, who was asked last."""
    model = trail.entry.model if trail.entry is not None else None
    served = trail.served_by or (model.served_by if model is not None else "")
    told = [
        (b"x-maestro-route", trail.route.encode("ascii")),
        (b"x-maestro-decision", trail.decision.encode("ascii")),
        (b"traceparent", trail.trace.traceparent.encode("ascii")),
    ]
    return [(b"x-maestro-served", served.encode("ascii")), *told] if served else told
