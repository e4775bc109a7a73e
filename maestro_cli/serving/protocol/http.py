"""ASGI as this server uses it: read one bounded body, send one whole reply.

Invariant: no body is held beyond its limit or waited for beyond its time, and every reply has a length.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from maestro_cli.serving.errors import RequestError, ServingError
from maestro_cli.serving.protocol import compression, messages

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_BODY_BYTES = 4 * 1024 * 1024
DISCARD_BYTES = 64 * 1024 * 1024  # of a body that is too large: read on, or the close would eat the answer
BODY_SECONDS = 15.0
JSON_TYPE = "application/json"


class ClientGone(Exception):
    """The client closed its connection before its request was complete: there is nobody to answer."""


@dataclass(slots=True)
class Reply:
    status: int
    body: bytes
    content_type: str = JSON_TYPE
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


def json_reply(value: object) -> Reply:
    """200 with that value as JSON."""
    return Reply(200, messages.encode(value))


def error_reply(error: ServingError) -> Reply:
    """The protocol's error body, with the headers that belong to the status."""
    headers = [(name.encode("ascii"), value.encode("ascii")) for name, value in error.headers.items()]
    return Reply(error.status, messages.encode({"error": error.text}), headers=headers)


def header(scope: Scope, name: bytes) -> str:
    """The first header of that lower-case name, or ""."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return ""


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """The whole body, expanded when it came compressed.

    Raises RequestError (413 too large, 408 too slow, 415 or 400 for its compression) or ClientGone.
    """
    declared = header(scope, b"content-length")
    too_large = declared.isascii() and declared.isdigit() and int(declared[:20]) > MAX_BODY_BYTES
    limit_bytes = 0 if too_large else MAX_BODY_BYTES
    if _is_here(receive):  # most bodies come with their head, and need no timer
        content = await _collect(receive, limit_bytes)
    else:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                content = await _collect(receive, limit_bytes)
        except TimeoutError as error:
            raise RequestError(f"the body did not arrive within {BODY_SECONDS:g} s", status=408) from error
    coding = header(scope, b"content-encoding")
    return compression.expand(content, coding, MAX_BODY_BYTES) if coding else content


def _is_here(receive: Receive) -> bool:
    """Whether the whole body was read already, as uvicorn's request knows; False when nobody can tell."""
    return getattr(getattr(receive, "__self__", None), "more_body", True) is False


async def _collect(receive: Receive, limit_bytes: int) -> bytes:
    """The body; beyond the limit its parts are dropped as they come, and the end is a RequestError (413)."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part = message.get("body", b"")
        size += len(part)
        last = not message.get("more_body", False)
        if size > limit_bytes:
            parts.clear()
            if last or size > DISCARD_BYTES:
                raise RequestError(f"the body is larger than {MAX_BODY_BYTES} bytes", status=413)
            continue
        parts.append(part)
        if last:
            return parts[0] if len(parts) == 1 else b"".join(parts)


async def send_reply(send: Send, reply: Reply, *, close: bool) -> None:
    """Send it; with `close` the client is told that this connection ends."""
    headers = [
        (b"content-type", reply.content_type.encode("latin-1")),
        (b"content-length", str(len(reply.body)).encode("ascii")),
        *reply.headers,
    ]
    if close or reply.status in (408, 413):  # the rest of such a body is not read
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
