"""A connection, and what its other end may have this process hold before anybody knows who it is.

Invariant: a head is at most MAX_HEAD_BYTES and what one read brought, and here within HEAD_SECONDS; there are
at most MAX_CONNECTIONS. uvicorn bounds none of them.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from maestro_cli.serving.protocol import messages

MAX_HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 15.0
MAX_CONNECTIONS = 1000


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's protocol with bounds; the request that is over one gets its answer and nothing else."""

    _head_bytes = 0
    _is_in_head = False
    _slow: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            transport.abort()
        else:
            self._slow = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._is_in_head or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(b"431 Request Header Fields Too Large", f"a head has {MAX_HEAD_BYTES} bytes at most")
        elif self._slow is None:
            self._slow = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes, self._is_in_head = 0, True

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def _stop_waiting(self) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None

    def _give_up(self) -> None:
        """A head that was begun is answered; without one an answer might be taken for that to the next."""
        self._slow = None
        if self._is_in_head:
            self._refuse(b"408 Request Timeout", f"a head may take {HEAD_SECONDS:g} s")
        else:
            self.transport.close()

    def _refuse(self, status: bytes, why: str) -> None:
        """Answer and close; while an answer to an earlier request is on its way, only close."""
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            body = messages.encode({"error": why})
            head = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\nconnection: close\r\n" % status
            self.transport.write(head + b"content-length: %d\r\n\r\n" % len(body) + body)
        self.transport.close()
