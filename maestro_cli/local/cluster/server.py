"""The ASGI application: authentication, routing, and streams that end when the client or server does.

Invariant: every answer is JSON the client understands, a failure is a Status; nothing is answered
without a valid token but health and version.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from maestro_cli.local.cluster import discovery, openapi
from maestro_cli.local.cluster.access import Tokens, User
from maestro_cli.local.cluster.http import (
    Answer,
    Receive,
    Request,
    Scope,
    Send,
    json_answer,
    send_answer,
    start_stream,
)
from maestro_cli.local.cluster.lacking import lacking_kind
from maestro_cli.local.cluster.registry import Registry
from maestro_cli.local.cluster.representation import encode
from maestro_cli.local.cluster.resources import Resources
from maestro_cli.local.cluster.reviews import review
from maestro_cli.local.cluster.routes import Review, resolve
from maestro_cli.local.cluster.status import ApiError, lacking, no_such_path, not_allowed

KUBERNETES_MINOR = 37
VERSION = {
    "major": "1",
    "minor": str(KUBERNETES_MINOR),
    "gitVersion": f"v1.{KUBERNETES_MINOR}.0+maestro-lite",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}
_LOG = logging.getLogger(__name__)
_READY = "/readyz"
_HEALTH = ("/healthz", "/livez", _READY)
_READ_TRIES = 5  # each one but the last met a write that the disk refused


class Durable(Protocol):
    """Where what was done is kept."""

    trouble: str  # why the last of it could not be kept, else ""

    async def settled(self) -> None:
        """Return once all that was done is kept. Raises ApiError when it cannot be, and is undone."""


class Server:
    """The cluster API as an ASGI application."""

    def __init__(
        self, registry: Registry, tokens: Tokens, url: str, kubelets: ssl.SSLContext, disk: Durable
    ) -> None:
        """`kubelets` is how kubelets are trusted, and how they trust this server; `disk` has to be settled
        before anything is sent.
        """
        self._resources = Resources(registry, kubelets)
        self._tokens = tokens
        self._disk = disk
        self._address = urlsplit(url).netloc
        self._streams: set[Callable[[], None]] = set()
        self._closing = False

    def close_streams(self) -> None:
        """End all watches and logs, also those that are about to start."""
        self._closing = True
        for close in tuple(self._streams):
            close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request.of(scope, receive)
        answer = await self._settled_answer(request)
        if answer.chunks is None:
            await send_answer(answer, send)
        else:
            await self._stream(answer, receive, send)

    async def _settled_answer(self, request: Request) -> Answer:
        """The answer once it is on disk; a read that met somebody's refused write is done again."""
        tries = _READ_TRIES if request.method in ("GET", "HEAD") else 1
        while True:
            answer = await self._answer_or_failure(request)
            tries -= 1
            try:
                await self._disk.settled()
            except ApiError as error:
                if tries:
                    continue
                return _failure(error)
            return answer

    async def _answer_or_failure(self, request: Request) -> Answer:
        try:
            return await self._answer(request)
        except ApiError as error:
            return _failure(error)
        except Exception:  # noqa: BLE001 - a defect of ours, which the client is told in the form it knows
            _LOG.exception("%s %s", request.method, request.path)
            return _failure(
                ApiError(500, "InternalError", "Internal error occurred: the server's log says more")
            )

    async def _answer(self, request: Request) -> Answer:
        request.check_headers()
        path = request.path.rstrip("/") or "/"
        if path in _HEALTH or path.startswith(tuple(f"{one}/" for one in _HEALTH)):
            ill = self._disk.trouble if path.startswith(_READY) else ""
            text = f"[-]disk failed: {ill}\n" if ill else "ok"
            return Answer(text.encode(), 500 if ill else 200, media_type="text/plain; charset=utf-8")
        if path == "/version":
            return json_answer(VERSION)
        user = self._tokens.user(request.headers.get("authorization", ""))
        if any(name.startswith("impersonate-") for name in request.headers):
            raise lacking("impersonation")  # unheeded, the caller would act with its own rights
        if found := self._discover(request, path):
            return found
        if kind := lacking_kind(path):
            raise lacking(kind.names.resource)
        route = resolve(path)
        if route is None:
            raise no_such_path(path)
        if isinstance(route, Review):
            return await self._review(request, route, user)
        return await self._resources.answer(request, route, user)

    async def _review(self, request: Request, route: Review, user: User) -> Answer:
        if request.method != "POST":
            raise not_allowed(request.method, request.path)
        return json_answer(review(user, route.names, await request.object()), 201)

    def _discover(self, request: Request, path: str) -> Answer | None:
        """The answer to a discovery path, or None for any other."""
        parts = path.strip("/").split("/")
        if parts[:2] == ["openapi", "v3"] and request.method == "GET":
            content = openapi.document("/".join(parts[2:])) if len(parts) > 2 else encode(openapi.index())
            return Answer(content) if content else None
        groups = discovery.group_versions()
        top = parts[0]
        if request.method != "GET" or top not in ("api", "apis", ""):
            return None
        if path == "/":
            return json_answer({"paths": ["/api", "/apis", *_HEALTH, "/openapi/v3", "/version"]})
        if len(parts) == 1:
            if discovery.wants_aggregated(request.headers.get("accept", "")):
                wanted = [group for group in groups if (group == "") is (top == "api")]
                answer = json_answer(discovery.aggregated(wanted))
                answer.media_type = discovery.AGGREGATED_TYPE
                return answer
            core = discovery.core_versions(self._address)
            return json_answer(core if top == "api" else discovery.group_list())
        group = "" if top == "api" else parts[1]
        rest = parts[1:] if top == "api" else parts[2:]
        if group not in groups or (rest and rest[0] != groups[group]) or len(rest) > 1:
            return None
        return json_answer(discovery.resource_list(group, rest[0]) if rest else discovery.group(group))

    async def _stream(self, answer: Answer, receive: Receive, send: Send) -> None:
        """Send chunks until they end, the client goes away or the server closes."""
        assert answer.chunks is not None
        chunks = answer.chunks
        pump = asyncio.ensure_future(self._pump(answer, send))
        gone = asyncio.ensure_future(_disconnected(receive))

        def cancel() -> None:
            pump.cancel()

        close = answer.close or cancel
        self._streams.add(close)
        if self._closing:
            close()
        try:
            await asyncio.wait((pump, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._streams.discard(close)
            for task in (pump, gone):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            aclose = getattr(chunks, "aclose", None)
            if aclose is not None:
                await aclose()
        if not gone.done() or gone.cancelled():
            await send({"type": "http.response.body", "body": b""})

    async def _pump(self, answer: Answer, send: Send) -> None:
        assert answer.chunks is not None
        await start_stream(answer, send)
        async for chunk in answer.chunks:
            try:
                await self._disk.settled()
            except ApiError:
                return  # What the disk does not take is not told either; the client lists again.
            await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _failure(error: ApiError) -> Answer:
    answer = json_answer(error.body(), error.code)
    retry = (error.details or {}).get("retryAfterSeconds")
    if retry:
        answer.headers["retry-after"] = str(retry)
    if error.code == 401:
        answer.headers["www-authenticate"] = 'Bearer realm="maestro"'
    return answer
