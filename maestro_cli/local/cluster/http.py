"""Requests and answers over ASGI.

Invariant: a body is read whole, capped and checked before anything acts on it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from maestro_cli.local.cluster.shapes import check_depth
from maestro_cli.local.cluster.status import ApiError, Object, bad_request, unsupported_media

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
BODY_MAX_BYTES = 3 * 1024 * 1024
HEADERS_MAX_BYTES = 1024 * 1024
JSON = "application/json"
PROTOBUF = "application/vnd.kubernetes.protobuf"


@dataclass(slots=True)
class Request:
    """One HTTP request, its body not yet read."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    receive: Receive

    @classmethod
    def of(cls, scope: Scope, receive: Receive) -> Request:
        pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        return cls(scope["method"], scope["path"], dict(pairs), headers, receive)

    def check_headers(self) -> None:
        """Raises ApiError 431 when there is too much of them."""
        if sum(len(name) + len(value) for name, value in self.headers.items()) > HEADERS_MAX_BYTES:
            told = f"the headers of the request are larger than {HEADERS_MAX_BYTES} bytes"
            raise ApiError(431, "RequestHeaderFieldsTooLarge", told)

    @property
    def media_type(self) -> str:
        """Of the body, without parameters; JSON when the client does not say."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower() or JSON

    async def body(self) -> bytes:
        """The whole body. Raises ApiError 413 over BODY_MAX_BYTES."""
        chunks, size, more = [], 0, True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise bad_request("the client went away")
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > BODY_MAX_BYTES:
                why = f"Request entity too large: limit is {BODY_MAX_BYTES}"
                raise ApiError(413, "RequestEntityTooLarge", why)
            more = message.get("more_body", False)
        return b"".join(chunks)

    async def object(self) -> Any:
        """The body as an object; None when there is none. Raises ApiError 400, 413, 415."""
        content = await self.body()
        if not content:
            return None
        if self.media_type == PROTOBUF:
            from maestro_cli.local.cluster.protobuf import decode_object

            return decode_object(content)
        if self.media_type != JSON:
            raise unsupported_media(self.media_type, (JSON,))
        return decode_json(content)


def decode_json(content: bytes) -> Any:
    """The value of a JSON text. Raises ApiError 400, also for text that nests too deep."""
    try:
        value = msgspec.json.decode(content)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise bad_request(f"the object provided is unrecognized or not JSON: {error}") from error
    check_depth(value)
    return value


@dataclass(slots=True)
class Answer:
    """What is sent back: a body, or chunks of one."""

    body: bytes = b""
    code: int = 200
    media_type: str = JSON
    chunks: AsyncIterator[bytes] | None = None
    close: Callable[[], None] | None = None
    headers: dict[str, str] = field(default_factory=dict)


def json_answer(obj: Object, code: int = 200) -> Answer:
    return Answer(msgspec.json.encode(obj), code)


async def send_answer(answer: Answer, send: Send) -> None:
    """Send an answer that has its whole body."""
    await _start(answer, send, [(b"content-length", str(len(answer.body)).encode())])
    await send({"type": "http.response.body", "body": answer.body})


async def start_stream(answer: Answer, send: Send) -> None:
    """Send the head of an answer in chunks, at once, so that the client knows it is connected."""
    await _start(answer, send, [])
    await send({"type": "http.response.body", "body": b"", "more_body": True})


async def _start(answer: Answer, send: Send, more: list[tuple[bytes, bytes]]) -> None:
    headers = [(b"content-type", answer.media_type.encode()), (b"cache-control", b"no-cache, private"), *more]
    headers += [(name.encode(), value.encode()) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.code, "headers": headers})
