"""What a terminal is drawn on with: it gets at once what it takes.

Invariant: all comes to the terminal in the order in which it was drawn. Whoever draws waits a few
milliseconds at most, for one that is being read. One that has gone away takes everything.
"""

from __future__ import annotations

import os
import select
from contextlib import suppress
from threading import RLock
from typing import Any

WAITS, WAIT_MS = 4, 1  # a pseudo-terminal takes 8 KB at a time, and less than a page has room in it


class Pen:
    """Draws on a terminal; what that does not take at once is written by a thread that may wait.

    Whoever draws hands the rest over in the same step, and lets no handler of a signal draw meanwhile.
    """

    def __init__(self, descriptor: int) -> None:
        """Raises OSError where it is no terminal, or one that cannot be opened a second time."""
        self._patient = descriptor
        # Opened anew: the shell and the keyboard share the other one, which has to block.
        self._hasty = os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        self._room = select.poll()
        self._room.register(self._hasty, select.POLLOUT)
        self._lock = RLock()
        self._awaited = 0  # texts that `write` has yet to write

    def draw(self, text: str) -> str:
        """Write what the terminal takes now; the rest is for `write`, as is all that is drawn before it."""
        text = text.encode("utf-8", "backslashreplace").decode()  # half characters are only its own
        with self._lock:
            if not self._awaited:
                text = self._left_of(text)
            self._awaited += bool(text)
            return text

    def _left_of(self, text: str) -> str:
        if self._hasty < 0:
            return text
        data = text.encode("utf-8", "surrogateescape")
        for _ in range(WAITS):
            try:
                data = data[os.write(self._hasty, data) :]
            except BlockingIOError:
                if not self._room.poll(WAIT_MS):
                    break
            except OSError:
                return ""
            if not data:
                return ""
        return data.decode("utf-8", "surrogateescape")  # it may begin within a character

    def write(self, text: str) -> int:
        """Write what `draw` answered, and wait until the terminal has taken it."""
        data = text.encode("utf-8", "surrogateescape")
        while data:
            try:
                data = data[os.write(self._patient, data) :]
            except BlockingIOError:  # whoever shares the terminal made it so
                select.select([], [self._patient], [])
            except OSError:
                break
        with self._lock:
            self._awaited -= 1
        return len(text)

    def flush(self) -> None:
        """Nothing is kept here."""

    def fileno(self) -> int:
        return self._patient

    def close(self) -> None:
        """Draw nothing at once any more; the terminal itself stays open."""
        with self._lock:
            hasty, self._hasty = self._hasty, -1
        if hasty >= 0:
            os.close(hasty)


def pen_for(file: Any) -> Pen | None:
    """For a file that is a terminal; None where it cannot be drawn on so."""
    with suppress(OSError):
        if file.isatty():
            return Pen(file.fileno())
    return None
