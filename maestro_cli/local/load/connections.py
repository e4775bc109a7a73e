"""Kept-alive HTTP/1.1 connections of the load, spread over the replicas behind a TCP proxy.

Invariant: a connection carries one request at a time, and is used again only when its last answer was
read whole. The oldest idle one goes first, each is retired after some requests and no more are kept than
spread the load, because a proxy picks a replica once a connection: a single hot one would load a single
replica, and the many that a replica held up and then answered at once would load that one for minutes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from urllib.parse import urlsplit

WANTED_IDLE = 6
MOST_IDLE = 9
REQUESTS_EACH = 40
IDLE_SECONDS = 2.0  # well under the five seconds after which common servers close
_HEAD_LIMIT = 65_536


class ConnectionFailed(Exception):
    """No whole answer came: refused, reset, or not HTTP."""


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used: int = 0
    idle_since: float = 0.0


class Connections:
    """A pool for one service."""

    def __init__(self, url: str, key: str = "") -> None:
        self._key = f"x-api-key: {key}\r\n" if key else ""
        parts = urlsplit(url)
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or 80
        self._prefix = parts.path.rstrip("/")
        self._idle: deque[_Connection] = deque()

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Send one JSON request and read the whole answer: HTTP status, content. Raises ConnectionFailed."""
        connection = None
        try:
            connection = self._reusable() or await self._open()
            head = (
                f"POST {self._prefix}{path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{self._key}\r\n"
            )
            connection.writer.write(head.encode("ascii") + body)
            status, content, keep = await _read_answer(connection.reader)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            _close(connection)
            raise ConnectionFailed(repr(error)) from error
        except asyncio.CancelledError:
            _close(connection)
            raise
        self._put_back(connection, keep)
        return status, content

    def close(self) -> None:
        while self._idle:
            _close(self._idle.popleft())

    def _reusable(self) -> _Connection | None:
        """The connection idle longest, once there are enough to spread the load."""
        now = asyncio.get_running_loop().time()
        while self._idle and (now - self._idle[0].idle_since > IDLE_SECONDS or self._idle[0].reader.at_eof()):
            _close(self._idle.popleft())
        return self._idle.popleft() if len(self._idle) >= WANTED_IDLE else None

    async def _open(self) -> _Connection:
        reader, writer = await asyncio.open_connection(self._host, self._port, limit=_HEAD_LIMIT)
        return _Connection(reader, writer)

    def _put_back(self, connection: _Connection, keep: bool) -> None:
        connection.used += 1
        if not keep or connection.used >= REQUESTS_EACH or len(self._idle) >= MOST_IDLE:
            _close(connection)
            return
        connection.idle_since = asyncio.get_running_loop().time()
        self._idle.append(connection)


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bool]:
    """The status, the content, and whether the connection may be used again."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    version, status = first.split(" ", 2)[:2]
    if not version.startswith("HTTP/1."):
        raise ValueError(f"not HTTP/1: {first[:40]!r}")
    headers = {name.strip().lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    keep = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    if "content-length" in headers:
        content = await reader.readexactly(int(headers["content-length"]))
    elif headers.get("transfer-encoding", "").lower() == "chunked":
        content = await _read_chunks(reader)
    else:
        content = await reader.read()
        keep = False
    return int(status), content, keep


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    content = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        content += (await reader.readexactly(size + 2))[:-2]
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass
    return content


def _close(connection: _Connection | None) -> None:
    if connection is not None:
        connection.writer.close()
