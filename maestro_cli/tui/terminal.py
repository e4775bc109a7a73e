"""Which stream the screen is drawn on. Invariant: on the terminal, wherever messages and errors are sent."""

from __future__ import annotations

import sys
from typing import Any

from textual.driver import Driver


def drawing_driver(found: type[Driver]) -> type[Driver]:
    """The driver, or one that draws on stdout: Textual draws on stderr, which is a file after `2>file`."""
    from textual.drivers.linux_driver import LinuxDriver

    if not issubclass(found, LinuxDriver) or sys.__stderr__ is None or sys.__stderr__.isatty():
        return found

    class StdoutDriver(found):  # type: ignore[misc, valid-type]  # the class that was found
        def __init__(self, *args: Any, **named: Any) -> None:
            super().__init__(*args, **named)
            self._file = sys.__stdout__

    return StdoutDriver
