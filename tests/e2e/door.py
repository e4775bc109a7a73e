"""A way to an endpoint that can be closed: a network that is pulled, a server that refuses a token.

Invariant: it listens on loopback at one port for as long as it lives, so that what was cut comes back at the
same address; nothing is left of it afterwards.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
from contextlib import suppress
from enum import Enum
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

REFUSED = b'{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Unauthorized","code":401}'
DENIAL = (
    b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(REFUSED), REFUSED)
)


class Way(Enum):
    """OPEN passes everything on; CUT ends what there is and each that comes; SILENT takes and gives nothing;
    DENIES ends what there is and answers 401 to each that comes."""

    OPEN = "open"
    CUT = "cut"
    SILENT = "silent"
    DENIES = "denies"


class Door:
    """Plain HTTP on this side, whatever the endpoint speaks on the other."""

    def __init__(self, endpoint: str) -> None:
        found = urlsplit(endpoint)
        assert found.hostname is not None
        assert found.port is not None
        self._endpoint = (found.hostname, found.port)
        self._tls = found.scheme == "https"
        self._way, self._changed = Way.OPEN, threading.Condition()
        self._open: set[socket.socket] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._is_over = False
        self._start(self._accept)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def turn(self, way: Way) -> None:
        with self._changed:
            self._way = way
            if way in (Way.CUT, Way.DENIES):
                self._end_all()
            self._changed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._is_over = True
            self._end_all()
            self._changed.notify_all()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _end_all(self) -> None:
        for one in tuple(self._open):
            _end(one)

    @staticmethod
    def _start(work: object, *arguments: object) -> None:
        threading.Thread(target=work, args=arguments, daemon=True, name="door").start()  # type: ignore[arg-type]

    def _accept(self) -> None:
        while not self._is_over:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            self._start(self._serve, near)

    def _serve(self, near: socket.socket) -> None:
        with near, suppress(OSError):
            way = self._passing()
            if way is Way.DENIES:
                near.recv(65536)
                near.sendall(DENIAL)
            elif way is Way.OPEN:
                with self._connected() as far:
                    self._between(near, far)

    def _connected(self) -> socket.socket:
        far = socket.create_connection(self._endpoint, timeout=60)
        far.settimeout(None)
        if not self._tls:
            return far
        trusting = ssl._create_unverified_context()  # nosec: the platform of the test
        return trusting.wrap_socket(far, server_hostname=self._endpoint[0])

    def _between(self, near: socket.socket, far: socket.socket) -> None:
        """Both ways in one thread: OpenSSL lets no two use a connection at once."""
        self._open |= {near, far}
        other = {near: far, far: near}
        try:
            while True:
                held = isinstance(far, ssl.SSLSocket) and far.pending() > 0
                ready = [far] if held else select.select([near, far], [], [])[0]
                for source in ready:
                    read = source.recv(65536)
                    if not read or self._passing() is not Way.OPEN:
                        return
                    other[source].sendall(read)
        finally:
            self._open -= {near, far}
            _end(near)
            _end(far)

    def _passing(self) -> Way:
        """The way that there is, once it is not silent."""
        with self._changed:
            self._changed.wait_for(lambda: self._way is not Way.SILENT or self._is_over)
            return Way.CUT if self._is_over else self._way


def _end(one: socket.socket) -> None:
    """As the network would: TLS is not told, for another thread may be within it."""
    with suppress(OSError):
        socket.socket.shutdown(one, socket.SHUT_RDWR)
