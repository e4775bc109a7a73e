"""An answer that is read as it comes: a watch, a log that is followed.

Invariant: a read that waits ends as Interrupted as soon as the cancellation is set, from any thread; one to
a peer that vanished ends once the kernel has asked it in vain. Nothing is kept of what was read.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any, Self

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import MaestroError

if TYPE_CHECKING:
    import httpx

MAX_REFUSAL_BYTES = 262_144
# Asked after this many seconds of silence, again every so many, so many times: it costs no process anything.
_IDLE_SECONDS, _EVERY_SECONDS, _TIMES = 15, 5, 3


class Opened:
    """One answer under way; close it, or use it as a context."""

    def __init__(
        self, response: httpx.Response, cancellation: Cancellation,
        translated: Callable[[], AbstractContextManager[None]],
    ) -> None:  # fmt: skip
        self._response, self._cancellation, self._translated = response, cancellation, translated
        self._lock = threading.RLock()  # a signal handler may come while this thread holds it
        self._is_closed = False
        stream = response.extensions.get("network_stream")
        self._socket: socket.socket | None = stream.get_extra_info("socket") if stream is not None else None

    @property
    def status(self) -> int:
        return self._response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
        self._response.close()

    def chunks(self) -> Iterator[bytes]:
        """What comes, in the pieces in which it comes, to the end that the server sets.

        Raises Unreachable when it breaks off, Interrupted at once when cancelled.
        """
        with self._cancellation.calling(self._interrupt):
            try:
                with self._translated():
                    yield from self._response.iter_raw()
            except MaestroError:
                self._cancellation.raise_if_set()  # what it broke off with does not matter then
                raise
            self._cancellation.raise_if_set()

    def rest(self) -> bytes:
        """All that is still to come, cut at MAX_REFUSAL_BYTES."""
        body = bytearray()
        for chunk in self.chunks():
            body += chunk
            if len(body) >= MAX_REFUSAL_BYTES:
                break
        return bytes(body[:MAX_REFUSAL_BYTES])

    def _interrupt(self) -> None:
        """End a read that waits. A connection that is done with may serve another request: it is let be."""
        with self._lock:
            if not self._is_closed and self._socket is not None:
                with suppress(OSError):  # the plain socket's: TLS would wait for the peer, or miss its state
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def ask_when_silent(event: str, told: Mapping[str, Any]) -> None:
    """For the extension `trace` of a request: from when it is connected, its answer may be long in coming."""
    if event.endswith(".connect_tcp.complete"):
        _keep_alive(told["return_value"].get_extra_info("socket"))


def _keep_alive(connection: socket.socket) -> None:
    options: tuple[tuple[str, int], ...] = (
        ("TCP_KEEPIDLE", _IDLE_SECONDS), ("TCP_KEEPALIVE", _IDLE_SECONDS),  # Linux, macOS
        ("TCP_KEEPINTVL", _EVERY_SECONDS), ("TCP_KEEPCNT", _TIMES),
    )  # fmt: skip
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in options:
            option: Any = getattr(socket, name, None)
            if option is not None:
                connection.setsockopt(socket.IPPROTO_TCP, option, value)
