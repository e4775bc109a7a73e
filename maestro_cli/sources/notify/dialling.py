"""A connection to a server by its name, whole in a given time.

Invariant: the time is that of all together: the look-up of the name, however many addresses it has, and
whatever is awaited afterwards while a `Cut` holds the connection.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, Self

from maestro_cli.sources.deadline import within

LookUp = Callable[..., list[tuple[Any, ...]]]


def dial(
    host: str,
    port: int,
    seconds: float,
    *,
    look_up: LookUp = socket.getaddrinfo,
    opened: Callable[..., socket.socket] = socket.socket,
    monotonic: Callable[[], float] = time.monotonic,
) -> socket.socket:
    """A connection to the first address that answers; each gets its share of what is left of the time.

    Raises OSError: that of the last address, TimeoutError, or for a name that has none.
    """
    until = monotonic() + seconds
    try:
        found = within(seconds, partial(look_up, host, port, type=socket.SOCK_STREAM))
    except UnicodeError as error:
        raise OSError(f"{type(error).__name__}: no host has such a name") from error
    last: OSError = TimeoutError("no time was left to try an address")
    for number, (family, kind, protocol, _, address) in enumerate(found):
        left = until - monotonic()
        if left <= 0:
            break
        line = opened(family, kind, protocol)
        try:
            line.settimeout(left / (len(found) - number))
            line.connect(address)
        except OSError as error:
            line.close()
            last = error
        else:
            return line
    raise last


class Cut:
    """Ends a connection at a time, whatever is awaited on it then; it fails with an OSError or as closed."""

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self._is_over = False

    def hold(self, line: socket.socket) -> None:
        """This is the connection; what encrypts it may take over the socket itself."""
        with self._lock:
            self._line = line.dup()
            if self._is_over:
                self._shut()

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            if self._line is not None:
                self._line.close()
            self._line = None

    def _end(self) -> None:
        with self._lock:
            self._is_over = True
            self._shut()

    def _shut(self) -> None:
        if self._line is not None:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)
