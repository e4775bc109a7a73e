"""What stands on the terminal until the console does: its first line, and that it opens.

Invariant: it is there before anything of a full screen is imported, and says what the console's own first
line says. What is typed meanwhile is not echoed, and waits for the console; what is pasted is marked as that.
Whatever ends it before the console has the terminal gives that back as it was.
"""

from __future__ import annotations

import os
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress

ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"  # the other screen of a terminal, which has no history
_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
_CLEAR, _NO_WRAP, _WRAP = "\x1b[H\x1b[2J", "\x1b[?7l", "\x1b[?7h"
MARK_PASTES, NO_MARKS = "\x1b[?2004h", "\x1b[?2004l"
_HEAVY, _PLAIN = "\x1b[1;7m", "\x1b[0m"
_CRUMBS_LINE = 3
_MODE_OUT = termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR
_ECHO_OUT = termios.ECHO | termios.ICANON | termios.IEXTEN


class Opening:
    """The terminal, drawn on at `screen` and typed on at `keyboard`; files by their descriptors."""

    def __init__(self, screen: int, keyboard: int) -> None:
        self._screen, self._keyboard = screen, keyboard
        self._before: list[object] | None = None
        self._is_shown = False

    def show(self, first_line: str) -> None:
        """Take the terminal. `first_line` is shown text, of one line."""
        with suppress(termios.error, OSError):
            self._before = termios.tcgetattr(self._keyboard)
            quiet = termios.tcgetattr(self._keyboard)
            quiet[0] &= ~_MODE_OUT
            quiet[3] &= ~_ECHO_OUT
            termios.tcsetattr(self._keyboard, termios.TCSANOW, quiet)
        self._is_shown = True
        lines = f"{_HEAVY}{first_line}{_PLAIN}\x1b[{_CRUMBS_LINE}Hopening …"
        self._write(f"{ENTER}{MARK_PASTES}{_HIDE}{_CLEAR}{_NO_WRAP}{lines}{_WRAP}")

    def hand_over(self) -> bool:
        """Whoever asks has the terminal from now on, in its old mode; whether it shows the other screen."""
        was_shown, self._is_shown = self._is_shown, False
        self._restore()
        return was_shown

    def end(self) -> None:
        """Give the terminal back, unless the console has had it: that does it by itself."""
        if self.hand_over():
            self._write(f"{NO_MARKS}{LEAVE}{_SHOW}")

    def _restore(self) -> None:
        if self._before is not None:
            with suppress(termios.error, OSError):
                termios.tcsetattr(self._keyboard, termios.TCSANOW, self._before)  # type: ignore[arg-type]
            self._before = None

    def _write(self, text: str) -> None:
        with suppress(OSError):  # a terminal that has gone: what comes after it says so
            os.write(self._screen, text.encode("utf-8", "replace"))


@contextmanager
def opening(first_line: str) -> Iterator[Opening | None]:
    """The line on the terminal while the console is made; None where there is no terminal to show it on."""
    screen = next((one for one in (sys.__stderr__, sys.__stdout__) if one is not None and one.isatty()), None)
    if screen is None or sys.__stdin__ is None or not sys.__stdin__.isatty():
        yield None
        return
    opened = Opening(screen.fileno(), sys.__stdin__.fileno())
    try:
        opened.show(first_line)
        yield opened
    finally:
        opened.end()
