"""A terminal that goes away: what is drawn on it goes nowhere, and nothing waits for it."""

from __future__ import annotations

import errno
import io

import pytest
from textual.drivers.linux_driver import LinuxDriver
from textual.drivers.web_driver import WebDriver

from maestro_cli.tui.terminal import Lasting, drawing_driver


class Gone(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.EIO, "gone")

    def flush(self) -> None:
        raise OSError(errno.EIO, "gone")


def test_what_is_drawn_on_a_terminal_that_has_gone_is_dropped() -> None:
    gone = Gone()
    with pytest.raises(OSError, match="gone"):
        gone.write("x")
    lasting = Lasting(gone)
    assert lasting.write("four") == 4
    lasting.flush()


def test_what_is_drawn_on_a_terminal_reaches_it_whole() -> None:
    file = io.StringIO()
    lasting = Lasting(file)
    lasting.write("rows")
    lasting.flush()
    assert (file.getvalue(), lasting.closed) == ("rows", False)


def test_a_terminal_is_drawn_on_by_a_driver_that_lasts_and_a_browser_as_ever() -> None:
    assert issubclass(drawing_driver(LinuxDriver), LinuxDriver)
    assert drawing_driver(LinuxDriver) is not LinuxDriver
    assert drawing_driver(WebDriver) is WebDriver
