"""Connections to the API: how many there are, how long each may take to ask, and how much it may send.

Invariant: a request that is late, too large or no HTTP is answered with a Status where it still can be, and
its connection ends; so nobody holds a connection or memory for long without a valid token.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import sys
from collections.abc import Generator
from typing import Any

import httptools
import msgspec
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from maestro_cli.local.cluster.http import BODY_MAX_BYTES, HEADERS_MAX_BYTES, JSON
from maestro_cli.local.cluster.status import ApiError, bad_request

REQUEST_SECONDS = 30.0  # for the headers, and again for the body
_HANDSHAKE_SECONDS = 10.0
_SHUTDOWN_SECONDS = 2.0
CONNECTIONS_MAX = 1000  # each takes a quarter of a MiB, asyncio's buffer for TLS
_FILES = 4096
_OTHER_FILES = 64
_URL_MAX_BYTES = 65535  # of the parser
# A client that is still sending when it is answered may not see the answer if the connection ends at once.
_DISCARD_BYTES = 2 * BODY_MAX_BYTES


class ApiServer(uvicorn.Server):
    """uvicorn with connections of this module; whoever runs it sees to the signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """uvicorn's own handlers would wait for watches to end by themselves."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, with less patience for TLS than uvicorn lets one ask for."""
        loop, limit = asyncio.get_running_loop(), connections_limit()

        def connection() -> Connection:
            return Connection(self.config, self.server_state, {}, loop, limit=limit)

        self.servers = [
            await loop.create_server(
                connection,
                sock=listener,
                ssl=self.config.ssl,
                ssl_handshake_timeout=_HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=_SHUTDOWN_SECONDS,
            )
            for listener in sockets or ()
        ]
        self.started = True


def connections_limit() -> int:
    """How many connections are served at once: less where the system allows this process few open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _FILES:
        soft = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(CONNECTIONS_MAX, max(_OTHER_FILES, (soft - _OTHER_FILES) * 2 // 3))


class Connection(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with limits."""

    def __init__(self, *uvicorns: Any, limit: int) -> None:
        """`limit` connections are served, this one included."""
        super().__init__(*uvicorns)
        self._limit = limit
        self._deadline: asyncio.TimerHandle | None = None
        self._heard = False
        self._in_head = True
        self._size = 0  # of the head, or of the body, that is being received
        self.url = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._limit and not self._displace():
            told = f"the light cluster serves {self._limit} connections at once; try again later"
            self._refuse(ApiError(429, "TooManyRequests", told, {"retryAfterSeconds": 1}))
        else:
            self._begin(head=True)

    def _displace(self) -> bool:
        """End the connection that has kept its next request back for longest; False where none does."""
        others = (one for one in self.connections if isinstance(one, Connection) and one is not self)
        asking = [(one._deadline.when(), one) for one in others if one._deadline and one._in_head]
        if asking:
            min(asking, key=lambda pair: pair[0])[1].transport.abort()
        return bool(asking)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._heard = True
        if self._in_head:
            self._size += len(data)
            if self._size > 2 * HEADERS_MAX_BYTES:
                told = f"the headers of the request are larger than {HEADERS_MAX_BYTES} bytes"
                self._refuse(ApiError(431, "RequestHeaderFieldsTooLarge", told))
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._deadline is None:
            self._begin(head=True)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._begin(head=False)

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._size += len(body)
        if self._size > _DISCARD_BYTES and self.cycle.response_complete:
            self.transport.close()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head, self._size = True, 0
        self._expect(None)

    def send_400_response(self, msg: str) -> None:
        """Called where what came cannot be parsed; the parser's error is being handled."""
        if isinstance(sys.exception(), httptools.HttpParserInvalidMethodError):
            self._refuse(ApiError(405, "MethodNotAllowed", "the server does not allow this method"))
        elif len(self.url) > _URL_MAX_BYTES:
            told = f"the URL of the request is longer than {_URL_MAX_BYTES} bytes"
            self._refuse(ApiError(414, "RequestURITooLong", told))
        else:
            self._refuse(bad_request("the request is not valid HTTP"))

    def _begin(self, *, head: bool) -> None:
        self._in_head, self._size = head, 0
        self._expect(REQUEST_SECONDS)

    def _expect(self, seconds: float | None) -> None:
        """Have what is being received end within that time; None: nothing is."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._late)

    def _late(self) -> None:
        if not self._heard:
            self.transport.close()
            return
        told = f"the request did not arrive within {REQUEST_SECONDS:g} s"
        self._refuse(ApiError(408, "Timeout", told))

    def _refuse(self, error: ApiError) -> None:
        """Answer, unless something is being or has been answered, and end the connection."""
        answering = self.cycle is not None and self.cycle.response_started
        if not self.transport.is_closing() and not (answering and not self._between()):
            body = msgspec.json.encode(error.body())
            head = f"content-type: {JSON}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
            self.transport.write(STATUS_LINE[error.code] + head.encode() + body)
        self.transport.close()

    def _between(self) -> bool:
        """Whether the last answer belongs to a request before the one that is being received."""
        return self._in_head and bool(self.cycle.response_complete)
