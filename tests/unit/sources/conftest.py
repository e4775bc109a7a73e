"""Servers that misbehave in the ways of section "hostile": real sockets, scripted answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

Misbehave = Callable[[bytes], str]
HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 21\r\n\r\n<html>log in!</html>\n"


class ScriptedServer:
    """Answers every connection with the same bytes, then closes; counts connections."""

    def __init__(self, answer: bytes | Callable[[], Iterator[bytes]]) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.stopping = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while not self.stopping.is_set():
            connection, _ = self.listener.accept()
            with connection:
                if self.stopping.is_set():
                    return
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        try:
            self.requests.append(connection.recv(65_536))
            for part in [self.answer] if isinstance(self.answer, bytes) else self.answer():
                if self.stopping.is_set():
                    return
                connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(5)
            while connection.recv(65_536):
                pass
        except OSError:
            return  # the client went away

    def stop(self) -> None:
        self.stopping.set()
        with socket.create_connection(self.listener.getsockname()):
            pass
        self.thread.join(60)
        self.listener.close()


@pytest.fixture
def scripted() -> Iterator[Callable[[bytes | Callable[[], Iterator[bytes]]], ScriptedServer]]:
    """Start a server that answers with these bytes."""
    with ExitStack() as stack:

        def start(answer: bytes | Callable[[], Iterator[bytes]]) -> ScriptedServer:
            server = ScriptedServer(answer)
            stack.callback(server.stop)
            return server

        yield start


@pytest.fixture
def blackhole() -> Iterator[int]:
    """A port that takes connections in the kernel's queue and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port where nothing listens; it is kept, so that nobody else can begin to."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        yield int(kept.getsockname()[1])
