"""`python -m tests.bench.serving.echo PORT BODY`: a server that gives everybody the same answer at once.

It judges the load generator, which must be far faster than what it measures, and takes in exported traces.
Invariant: it does as little as an HTTP server can do, and ends with SIGTERM.
"""

from __future__ import annotations

import select
import socket
import sys


class _Client:
    """Counts the bytes of the requests on one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._received = b""

    def complete(self, part: bytes) -> int:
        """How many requests these bytes complete."""
        self._received += part
        count = 0
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            lower = self._received[:end].lower()
            place = lower.find(b"content-length:")
            length = int(lower[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
            if len(self._received) < end + 4 + length:
                break
            self._received = self._received[end + 4 + length :]
            count += 1
        return count


def main(port: int, body: bytes) -> None:
    """Serve until the process is ended."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    answer = head.encode("ascii") + body
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    poll, clients = select.epoll(), dict[int, _Client]()
    poll.register(listener.fileno(), select.EPOLLIN)
    while True:
        for fileno, _ in poll.poll():
            if fileno == listener.fileno():
                accepted, _ = listener.accept()
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                clients[accepted.fileno()] = _Client(accepted)
                poll.register(accepted.fileno(), select.EPOLLIN)
                continue
            client = clients[fileno]
            try:
                part = client.socket.recv(65_536)
                if part:
                    client.socket.sendall(answer * client.complete(part))
            except OSError:
                part = b""
            if not part:
                poll.unregister(fileno)
                clients.pop(fileno).socket.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2].encode("ascii"))
