"""What somebody unknown may have the server hold: heads, connections and paths have their bounds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from maestro_cli.serving import connections
from maestro_cli.serving.connections import MAX_HEAD_BYTES, BoundedConnection
from maestro_cli.serving.routes import MAX_PATH_CHARACTERS
from tests.unit.serving.served import Served

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
OK = b"GET / HTTP/1.1\r\nhost: a\r\n"


async def application(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def on_a_server(scenario: Callable[[Callable[[], Awaitable[Streams]]], Awaitable[None]]) -> None:
    async def whole() -> None:
        config, state = uvicorn.Config(application, log_config=None, ws="none"), ServerState()
        config.load()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: BoundedConnection(config, state, {}), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        opened: list[asyncio.StreamWriter] = []

        async def connect() -> Streams:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            opened.append(writer)
            return reader, writer

        try:
            async with asyncio.timeout(60):
                await scenario(connect)
        finally:
            for writer in opened:
                writer.close()
            server.close()

    asyncio.run(whole())


async def answered(reader: asyncio.StreamReader) -> int:
    return int((await reader.readuntil(b"\r\n\r\nok")).split()[1])


async def rest(reader: asyncio.StreamReader) -> bytes:
    """What comes before the connection ends, however it does."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def refused(reader: asyncio.StreamReader) -> tuple[int, str]:
    """The status and error that end the connection."""
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["error"]


@pytest.mark.parametrize("name", [b"x-pad: ", b"", b"GET /"])
def test_a_head_has_a_size(name: bytes) -> None:
    async def scenario(connect: Callable[[], Awaitable[Streams]]) -> None:
        reader, writer = await connect()
        writer.write((b"" if name.startswith(b"GET") else OK) + name)
        sent = 0
        while not writer.is_closing() and sent < 64 * MAX_HEAD_BYTES:
            writer.write(b"a" * 4096)
            sent += 4096
            try:
                await writer.drain()
            except ConnectionError:
                return
            if reader._buffer:  # type: ignore[attr-defined]
                break
        assert (await refused(reader))[0] == 431
        assert sent <= 16 * MAX_HEAD_BYTES

    on_a_server(scenario)


def test_a_connection_is_asked_often_and_each_head_counts_alone() -> None:
    async def scenario(connect: Callable[[], Awaitable[Streams]]) -> None:
        reader, writer = await connect()
        for _ in range(5):
            writer.write(OK + b"x-pad: ")
            await writer.drain()
            writer.write(b"a" * (MAX_HEAD_BYTES // 2) + b"\r\n\r\n")
            assert await answered(reader) == 200

    on_a_server(scenario)


def test_a_connection_that_asks_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.05)

    async def scenario(connect: Callable[[], Awaitable[Streams]]) -> None:
        reader, _ = await connect()
        assert await rest(reader) == b""

    on_a_server(scenario)


def test_a_head_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.05)

    async def scenario(connect: Callable[[], Awaitable[Streams]]) -> None:
        reader, writer = await connect()
        writer.write(OK)
        assert (await refused(reader))[0] == 408

    on_a_server(scenario)


def test_a_later_head_has_its_time_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(connect: Callable[[], Awaitable[Streams]]) -> None:
        reader, writer = await connect()
        writer.write(OK + b"\r\n")
        assert await answered(reader) == 200
        monkeypatch.setattr(connections, "HEAD_SECONDS", 0.05)
        writer.write(OK)
        assert (await refused(reader))[0] == 408

    on_a_server(scenario)


def test_there_are_so_many_connections_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 2)

    async def scenario(connect: Callable[[], Awaitable[Streams]]) -> None:
        both = [await connect(), await connect()]
        for reader, writer in both:
            writer.write(OK + b"\r\n")
            assert await answered(reader) == 200
        reader, _ = await connect()
        assert await rest(reader) == b""
        both[0][1].close()
        await both[0][1].wait_closed()
        while True:  # until the server has noticed
            reader, writer = await connect()
            try:
                writer.write(OK + b"\r\n")
                assert await answered(reader) == 200
                return
            except (ConnectionError, asyncio.IncompleteReadError):
                await asyncio.sleep(0)

    on_a_server(scenario)


def test_a_path_has_a_length_and_longer_ones_are_not_remembered() -> None:
    server = Served()
    answer = server.post(f"/v2/models/{'a' * MAX_PATH_CHARACTERS}/infer")
    assert (answer.status_code, "longer than" in answer.json()["error"]) == (414, True)
    assert server.application._routes._by_pattern.cache_info().currsize == 0
