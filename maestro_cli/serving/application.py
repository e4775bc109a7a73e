"""The ASGI application: Open Inference Protocol v2 (REST), the repository index, and /metrics.

Invariant: every answer that is not 200 is JSON with an `error`, every error has one log line, and nothing
that a client sends ends in a traceback. Routes are few and fixed, so they are matched by hand: Starlette's
router would cost 11 MB and 0.1 s of start.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from maestro_cli import __version__
from maestro_cli.serving.errors import ModelError, RequestError, ServingError, quoted
from maestro_cli.serving.execution import inference
from maestro_cli.serving.models.repository import Entry, Repository, ready_model
from maestro_cli.serving.protocol import contract, messages
from maestro_cli.serving.protocol.http import (
    ClientGone,
    Receive,
    Reply,
    Scope,
    Send,
    header,
    read_body,
    send_reply,
)
from maestro_cli.serving.telemetry.logs import Log
from maestro_cli.serving.telemetry.metrics import Metrics

SERVER_NAME = "maestro"
EXTENSIONS = ["model_repository"]

Handler = Callable[[Scope, Receive], Awaitable[Reply]]


class Application:
    """`draining` is set by the process when it is told to stop."""

    def __init__(self, repository: Repository, metrics: Metrics, log: Log) -> None:
        self.repository = repository
        self.metrics = metrics
        self.log = log
        self.draining = False
        self._fixed: dict[str, tuple[str, Handler]] = {
            "/v2": ("GET", self._server_metadata),
            "/v2/": ("GET", self._server_metadata),
            "/v2/health/live": ("GET", self._live),
            "/v2/health/ready": ("GET", self._ready),
            "/v2/models": ("GET", self._models),
            "/v2/repository/index": ("POST", self._index),
            "/metrics": ("GET", self._metrics),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        if scope["type"] != "http":
            raise RuntimeError(f"{scope['type']} is not served")
        try:
            reply = await self._route(scope, receive, started)
        except ClientGone:
            return
        except ServingError as fault:
            self._log_fault(fault, path=scope["path"])
            reply = error_reply(fault)
        except Exception as error:  # noqa: BLE001 - the border of the process: a client gets JSON, the log the cause
            self.log.error("internal error", error=f"{type(error).__name__}: {error}", path=scope["path"])
            reply = error_reply(ModelError("internal error"))
        await send_reply(send, reply, close=self.draining)

    async def _route(self, scope: Scope, receive: Receive, started: float) -> Reply:
        path: str = scope["path"]
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        fixed = self._fixed.get(path)
        if fixed is not None:
            _require(method, fixed[0])
            return await fixed[1](scope, receive)
        match path.split("/"):
            case ["", "v2", "models", name, "infer"]:
                _require(method, "POST")
                return await self._infer(scope, receive, started, name, None)
            case ["", "v2", "models", name, "versions", version, "infer"]:
                _require(method, "POST")
                return await self._infer(scope, receive, started, name, version)
            case ["", "v2", "models", name, "ready"]:
                _require(method, "GET")
                return self._model_ready(self.repository.find(name, None))
            case ["", "v2", "models", name, "versions", version, "ready"]:
                _require(method, "GET")
                return self._model_ready(self.repository.find(name, version))
            case ["", "v2", "models", name]:
                _require(method, "GET")
                return self._model_metadata(self.repository.find(name, None))
            case ["", "v2", "models", name, "versions", version]:
                _require(method, "GET")
                return self._model_metadata(self.repository.find(name, version))
            case ["", "v2", "repository", "models", _, "load" | "unload"]:
                _require(method, "POST")
                raise RequestError("loading and unloading is not allowed: versions are fixed by --serve")
        raise RequestError(f"no such route: {quoted(path)}", status=404)

    async def _server_metadata(self, scope: Scope, receive: Receive) -> Reply:
        return _ok({"name": SERVER_NAME, "version": __version__, "extensions": EXTENSIONS})

    async def _live(self, scope: Scope, receive: Receive) -> Reply:
        return _ok({"live": True})

    async def _ready(self, scope: Scope, receive: Receive) -> Reply:
        # both members: the protocol's text says `live` here, its users say `ready`
        if not self.draining and self.repository.ready:
            return _ok({"live": True, "ready": True})
        refused = [f"{e.name}/{e.version}: {e.reason}" for e in self.repository.entries if e.model is None]
        why = "draining" if self.draining else "; ".join(refused)
        return Reply(503, messages.encode({"live": True, "ready": False, "error": why}))

    async def _models(self, scope: Scope, receive: Receive) -> Reply:
        return _ok({"models": self.repository.names})

    async def _index(self, scope: Scope, receive: Receive) -> Reply:
        only_ready = messages.read_index(await read_body(scope, receive)).ready
        return _ok(
            [
                {"name": e.name, "version": str(e.version), "state": e.state, "reason": e.reason}
                for e in self.repository.entries
                if e.model is not None or not only_ready
            ]
        )

    async def _metrics(self, scope: Scope, receive: Receive) -> Reply:
        body, content_type = self.metrics.exposition(header(scope, b"accept"))
        return Reply(200, body, content_type)

    def _model_ready(self, entry: Entry) -> Reply:
        if entry.model is not None and not self.draining:
            return _ok({"name": entry.name, "ready": True})
        why = "draining" if self.draining else entry.reason
        return Reply(503, messages.encode({"name": entry.name, "ready": False, "error": why}))

    def _model_metadata(self, entry: Entry) -> Reply:
        model = ready_model(entry)
        return _ok(
            {
                "name": model.name,
                "versions": self.repository.versions(model.name),
                "platform": model.manifest.platform,
                "inputs": contract.describe(model.manifest.inputs),
                "outputs": contract.describe(model.manifest.outputs),
            }
        )

    async def _infer(
        self, scope: Scope, receive: Receive, started: float, name: str, version: str | None
    ) -> Reply:
        """Answer and count one inference request, errors included; one that was given up is not counted."""
        entry: Entry | None = None
        identity: str | None = None
        code: int | None = 500  # what an error of our own will be answered with
        try:
            entry = self.repository.find(name, version)
            model = ready_model(entry)
            content = await read_body(scope, receive)
            if header(scope, b"inference-header-content-length"):
                raise RequestError("binary tensor data is not supported; send JSON")
            body = messages.read_infer(content)
            identity = messages.request_id(body)
            reply = Reply(200, inference.answer(model, body, identity))
            code = reply.status
        except ServingError as fault:
            self._log_fault(fault, entry=entry, request_id=identity, path=scope["path"])
            reply = error_reply(fault)
            code = fault.status
        except ClientGone:
            code = None
            raise
        finally:
            if code is not None:
                self.metrics.observe(entry, code, time.perf_counter() - started)
        if entry is not None and entry.model is not None:
            reply.headers.append((b"x-maestro-served", entry.model.served_by.encode("ascii")))
        return reply

    def _log_fault(
        self, fault: ServingError, *, path: str, entry: Entry | None = None, request_id: str | None = None
    ) -> None:
        failed = isinstance(fault, ModelError)
        self.log.write(
            "error" if failed else "warning",
            "inference failed" if failed else "request refused",
            model=entry.name if entry else None,
            version=str(entry.version) if entry else None,
            status=fault.status,
            error=fault.text,
            request_id=request_id,
            path=path,
        )


def error_reply(fault: ServingError) -> Reply:
    """The protocol's error body, with the Allow header a 405 must have."""
    headers = [(b"allow", fault.allow.encode("ascii"))] if fault.allow else []
    return Reply(fault.status, messages.encode({"error": fault.text}), headers=headers)


def _ok(value: object) -> Reply:
    return Reply(200, messages.encode(value))


def _require(method: str, allowed: str) -> None:
    if method != allowed:
        allow = "GET, HEAD" if allowed == "GET" else allowed
        raise RequestError(
            f"method {quoted(method, 16)} is not allowed here, only {allow}", status=405, allow=allow
        )
