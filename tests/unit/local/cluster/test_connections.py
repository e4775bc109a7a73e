"""Connections that are slow, endless, too many or not HTTP end, with a Status where it can be told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
from collections.abc import AsyncIterator, Iterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from maestro_cli.local.cluster import connections
from maestro_cli.local.cluster.connections import Connection, connections_limit
from maestro_cli.local.cluster.http import (
    BODY_MAX_BYTES,
    HEADERS_MAX_BYTES,
    Answer,
    Receive,
    Request,
    Scope,
    Send,
    send_answer,
)

LIMIT_SECONDS = 30.0


async def _application(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuses at once what carries no token, and reads the body of the rest."""
    request = Request.of(scope, receive)
    if "authorization" not in request.headers:
        await send_answer(Answer(b"who?", 401), send)
        return
    await send_answer(Answer(str(len(await request.body())).encode()), send)


@asynccontextmanager
async def _serving(limit: int = 10) -> AsyncIterator[int]:
    config = uvicorn.Config(_application, http="httptools", lifespan="off", log_config=None)
    config.load()
    state = uvicorn.server.ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(config, state, {}, loop, limit=limit), "127.0.0.1", 0
    )
    async with server:
        yield server.sockets[0].getsockname()[1]
        for connection in tuple(state.connections):
            connection.transport.abort()


async def _said(port: int, content: bytes) -> bytes:
    """All that is answered until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(content)
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            return await reader.read()
    finally:
        writer.close()


def _answer(content: bytes) -> tuple[int, MutableMapping[str, Any]]:
    async def ask() -> bytes:
        async with _serving() as port:
            return await _said(port, content)

    head, _, body = asyncio.run(ask()).partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body) if body else {}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.1)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "content",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nContent-Length: 9\r\n\r\nhalf",
        b"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ],
    ids=["headers", "body", "chunks"],
)
def test_a_request_that_does_not_arrive_is_told_so_and_its_connection_ends(content: bytes) -> None:
    code, told = _answer(content)
    assert (code, told["kind"], told["reason"]) == (408, "Status", "Timeout")


@pytest.mark.usefixtures("impatient")
def test_a_connection_that_never_asks_or_sends_on_after_its_answer_ends() -> None:
    async def ask() -> tuple[bytes, bytes]:
        async with _serving() as port:
            refused = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"
            return await _said(port, b""), await _said(port, refused)

    silent, refused = asyncio.run(ask())
    assert silent == b""
    assert refused.startswith(b"HTTP/1.1 401 ")
    assert refused.endswith(b"who?")


@pytest.mark.usefixtures("impatient")
def test_a_second_request_on_the_connection_has_its_own_time() -> None:
    async def ask() -> bytes:
        async with _serving() as port:
            whole = b"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nContent-Length: 2\r\n\r\nab"
            return await _said(port, whole + b"GET / HTTP/1.1\r\nHost:")

    answers = asyncio.run(ask()).split(b"HTTP/1.1 ")
    assert [answer[:3] for answer in answers] == [b"", b"200", b"408"]


def _chunks() -> Iterator[bytes]:
    yield b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    while True:
        yield b"10000\r\n" + b"x" * 0x10000 + b"\r\n"


def test_an_endless_body_without_a_token_is_cut_off() -> None:
    sent = 0

    async def ask() -> None:
        nonlocal sent
        async with _serving() as port:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            async with asyncio.timeout(LIMIT_SECONDS):
                for chunk in _chunks():
                    writer.write(chunk)
                    await writer.drain()
                    sent += len(chunk)

    with pytest.raises(ConnectionError):
        asyncio.run(ask())
    assert sent < 20 * BODY_MAX_BYTES  # what the sockets hold comes on top of what the server reads


def test_endless_headers_are_refused() -> None:
    code, told = _answer(b"GET / HTTP/1.1\r\nX: " + b"x" * 2 * HEADERS_MAX_BYTES)
    assert (code, told["reason"]) == (431, "RequestHeaderFieldsTooLarge")


@pytest.mark.parametrize(
    ("line", "code", "reason"),
    [
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1", 414, "RequestURITooLong"),
        (b"BREW / HTTP/1.1", 405, "MethodNotAllowed"),
        (b"GET / HTTP/9.9", 400, "BadRequest"),
        (b"\x16\x03\x01 nonsense", 405, "MethodNotAllowed"),
    ],
    ids=["long", "method", "version", "nonsense"],
)
def test_what_cannot_be_parsed_is_answered_with_a_status(line: bytes, code: int, reason: str) -> None:
    answered, told = _answer(line + b"\r\nHost: x\r\n\r\n")
    assert (answered, told["kind"], told["reason"]) == (code, "Status", reason)


def test_one_connection_too_many_takes_the_place_of_one_that_does_not_ask() -> None:
    async def ask() -> tuple[bytes, bytes]:
        async with _serving(limit=1) as port:
            idle, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n")
            served = await _said(port, b"BREW / HTTP/1.1\r\n\r\n")
            left = b""
            with contextlib.suppress(ConnectionError):
                left = await idle.read()
            writer.close()
            return left, served

    ended, served = asyncio.run(ask())
    assert ended == b""
    assert b" 405 " in served


def test_one_connection_too_many_is_told_to_come_again_while_all_are_at_work() -> None:
    async def ask() -> tuple[bytes, bytes]:
        async with _serving(limit=1) as port:
            answers, first = await asyncio.open_connection("127.0.0.1", port)
            head = b"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nContent-Length: 9\r\n"
            first.write(head + b"Expect: 100-continue\r\n\r\nhalf")
            assert b" 100 " in await answers.readline()
            refused = await _said(port, b"")
            first.close()
            await first.wait_closed()
            while b" 429 " in (served := await _said(port, b"BREW / HTTP/1.1\r\n\r\n")):
                pass
            return refused, served

    refused, served = asyncio.run(ask())
    assert refused.startswith(b"HTTP/1.1 429 ")
    assert b"retryAfterSeconds" in refused
    assert b" 405 " in served


@pytest.mark.parametrize(("files", "connections_"), [(1_000_000, 1000), (1024, 640), (100, 64)])
def test_fewer_open_files_are_fewer_connections(
    monkeypatch: pytest.MonkeyPatch, files: int, connections_: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (min(files, 1024), files))
    monkeypatch.setattr(resource, "setrlimit", lambda which, limits: None)
    assert connections_limit() == connections_
