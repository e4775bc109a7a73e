"""An HTTP server that answers as a test wants it, one connection at a time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.bench.serving.load import Target, request_bytes

BODIES = (b"0", b"1", b"2")
Script = Callable[[int, socket.socket], bytes | None]  # nth request, its connection → answer, None to hang up


def ok(body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


@contextmanager
def serving(script: Script) -> Iterator[Target]:
    """The server on a port of its own; whoever gets another answer than `yes` was answered wrongly."""
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_serve, args=(listener, script))
    thread.start()
    port = int(listener.getsockname()[1])
    requests = tuple(request_bytes("/infer", port, body) for body in BODIES)
    try:
        yield Target(port, requests, lambda number, answer: "" if answer == b"yes" else "wrong")
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _serve(listener: socket.socket, script: Script) -> None:
    number = 0
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection, suppress(ConnectionError):
                while _one_request(connection):
                    answer = script(number, connection)
                    number += 1
                    if answer is None:
                        break
                    connection.sendall(answer)


def _one_request(connection: socket.socket) -> bool:
    """Read one; False when the client went away. The body of each is one byte long."""
    received = b""
    while not received.endswith((b"\r\n\r\n0", b"\r\n\r\n1", b"\r\n\r\n2")):
        part = connection.recv(4096)
        if not part:
            return False
        received += part
    return True
