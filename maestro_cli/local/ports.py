"""Ports for the programs that cannot choose one themselves.

Invariant: a name keeps its port across restarts of its program until somebody says it is taken.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A TCP port of loopback that nobody listens on now; another may take it before it is used."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind((LOOPBACK, 0))
        return int(listener.getsockname()[1])


class Ports:
    """One port a name."""

    def __init__(self, choose: Callable[[], int] = free_port) -> None:
        self._choose = choose
        self._chosen: dict[str, int] = {}

    def of(self, name: str) -> int:
        """The port of this name, chosen the first time it is asked for."""
        if name not in self._chosen:
            self._chosen[name] = self._choose()
        return self._chosen[name]

    def taken(self, name: str) -> None:
        """The port did not do: the next question gets another."""
        self._chosen.pop(name, None)

    def url(self, name: str) -> str:
        """`http://127.0.0.1:PORT` of this name."""
        return f"http://{LOOPBACK}:{self.of(name)}"
