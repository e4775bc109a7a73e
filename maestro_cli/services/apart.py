"""Work that a process of its own does beside this one, from which it is forked.

Invariant: it is forked while this process has one thread, and where a forked process may do anything: on
Linux. It ends once nobody hears it, whatever became of who began it. It has no terminal, and what this
process does at its end it leaves alone.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NoReturn

Tell = Callable[[bytes], None]

LONGEST_SILENCE_SECONDS = 45.0  # more than any request may take; then it counts as ended
UNHEARD_SECONDS = 60.0  # with what it says in the way of more, until it ends
_LENGTH = struct.Struct("!I")
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Apart:
    """The process, heard by one thread; `end` it, unless `messages` came to their end."""

    def __init__(self, pid: int, channel: socket.socket) -> None:
        self._pid, self._channel = pid, channel
        self._channel.settimeout(LONGEST_SILENCE_SECONDS)
        self._lock = threading.Lock()
        self._is_left = False

    def messages(self) -> Iterator[bytes]:
        """Each as it was told, until the process has ended, by itself or not."""
        with self._channel.makefile("rb") as stream:
            try:
                while (message := _message(stream.read)) is not None:
                    yield message
            finally:
                self.end()

    def hang_up(self) -> None:
        """Have it end, and the messages too; from any thread, and from a signal handler."""
        with suppress(OSError):  # it has ended
            self._channel.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Have it end, and wait until it has."""
        self.hang_up()
        with self._lock:
            if not self._is_left:
                self._is_left = True
                self._channel.close()
                with suppress(ChildProcessError):
                    os.waitpid(self._pid, 0)


def _message(read: Callable[[int], bytes]) -> bytes | None:
    """The next one; None where there is none, or not all of it."""
    with suppress(OSError):
        head = read(_LENGTH.size)
        if len(head) == _LENGTH.size:
            (size,) = _LENGTH.unpack(head)
            body = read(size)
            return body if len(body) == size else None
    return None


def begin_apart(work: Callable[[Tell], None]) -> Apart | None:
    """Have a process do it, which tells messages; None where it cannot be, or not safely."""
    if sys.platform != "linux" or threading.active_count() > 1:
        return None
    mine, its = socket.socketpair()
    held = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)  # no handler of this process runs in that one
    try:
        pid = os.fork()
    except OSError:
        mine.close()
        return None
    else:
        if pid == 0:
            _live(work, its, mine)
        return Apart(pid, mine)
    finally:
        its.close()
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _live(work: Callable[[Tell], None], channel: socket.socket, other: socket.socket) -> NoReturn:
    """The life of the process; an error that nobody foresaw ends it, and who hears it does the work."""
    try:
        other.close()
        for one in _ENDING:
            signal.signal(one, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        threading.Thread(target=_end_unheard, args=(channel.fileno(),), daemon=True).start()
        channel.settimeout(UNHEARD_SECONDS)
        work(lambda message: channel.sendall(_LENGTH.pack(len(message)) + message))
    finally:
        os._exit(0)


def _end_unheard(channel: int) -> None:
    """Nothing is ever said to it: what comes is that the other end is closed."""
    hearer = select.poll()
    hearer.register(channel, select.POLLIN)
    hearer.poll()
    os._exit(0)
