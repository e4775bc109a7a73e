"""One kept-alive HTTP/1.1 connection that never blocks once it is open.

Invariant: it carries one request at a time, and an answer is given out only when it is whole and nothing
follows it.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass

_CHUNK_BYTES = 65_536
_CONNECT_SECONDS = 10.0
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


class Broken(Exception):
    """The connection ended, or what came over it is not one answer with a length."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


class Connection:
    """Opened at once; raises OSError when it cannot be."""

    def __init__(self, port: int, tls: ssl.SSLContext | None) -> None:
        plain = socket.create_connection(("127.0.0.1", port), _CONNECT_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = plain if tls is None else tls.wrap_socket(plain, server_hostname="127.0.0.1")
        self._socket.setblocking(False)
        self._received = b""
        self._whole = -1  # bytes of the answer under way, once its head is there

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        with suppress(OSError):
            self._socket.close()

    def send(self, request: bytes) -> None:
        """Hand a whole request to the system; raises Broken when it does not take it at once."""
        try:
            taken = self._socket.send(request)
        except OSError as error:
            raise Broken(f"not sent: {error}") from error
        if taken != len(request):
            raise Broken("the system did not take the request at once")

    def receive(self) -> Answer | None:
        """The answer once it is whole, None before; raises Broken."""
        self._read()
        if self._whole < 0:
            if (end := self._received.find(_HEAD_END)) < 0:
                return None
            self._whole = end + len(_HEAD_END) + _length(self._received[:end])
        if len(self._received) < self._whole:
            return None
        if len(self._received) > self._whole:
            raise Broken("more came than one answer")
        answer = self._received
        self._received, self._whole = b"", -1
        return Answer(int(answer[9:12]), answer[answer.find(_HEAD_END) + len(_HEAD_END) :])

    def _read(self) -> None:
        """Everything that is there: what TLS has decrypted already would not wake anybody."""
        while True:
            try:
                part = self._socket.recv(_CHUNK_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                return
            except OSError as error:
                raise Broken(f"not received: {error}") from error
            if not part:
                raise Broken("closed by the server")
            self._received = self._received + part if self._received else part
            if not isinstance(self._socket, ssl.SSLSocket):
                return


def _length(head: bytes) -> int:
    lower = head.lower()
    place = lower.find(_LENGTH)
    if not lower.startswith(b"http/1.1 ") or place < 0:
        raise Broken(f"not an answer with a length: {head[:80]!r}")
    return int(lower[place + len(_LENGTH) :].split(b"\r\n", 1)[0])
