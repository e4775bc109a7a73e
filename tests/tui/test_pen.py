"""What is drawn on a terminal is there at once, whole and in order, and nobody waits for one that is slow."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
import tty
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread
from typing import Any

import pytest
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key

from maestro_cli.tui.pen import Pen, pen_for
from maestro_cli.tui.terminal import drawing_driver

Ends = tuple[int, int]
SLOW = "grün ▸ " * 100_000  # more than any terminal takes while nobody reads it


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Who looks at a terminal, and the terminal."""
    looking, terminal = pty.openpty()
    tty.setraw(terminal)
    yield looking, terminal
    for one in (looking, terminal):
        with suppress(OSError):
            os.close(one)


def read(looking: int, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := os.read(looking, 1 << 16)):
        data += more
    return data


def test_what_is_drawn_is_on_the_terminal_before_anything_else_is_done(ends: Ends) -> None:
    looking, terminal = ends
    pen = Pen(terminal)
    assert pen.draw("▸ rows") == ""
    assert read(looking, 8).decode() == "▸ rows"
    pen.close()


def test_what_a_terminal_does_not_take_is_left_and_all_after_it_too_until_it_is_written(ends: Ends) -> None:
    looking, terminal = ends
    pen = Pen(terminal)
    left = pen.draw(SLOW)
    whole = (SLOW + "after").encode()
    taken = len(SLOW.encode()) - len(left.encode("utf-8", "surrogateescape"))
    assert 0 < taken < len(SLOW.encode())
    found = [read(looking, taken)]  # now it would take more
    assert pen.draw("after") == "after"
    reader = Thread(target=lambda: found.append(read(looking, len(whole) - taken)))
    reader.start()
    pen.write(left)
    assert pen.draw("more") == "more"
    pen.write("after")
    reader.join(60)
    assert b"".join(found) == whole
    pen.write("more")
    assert read(looking, 4) == b"more"
    assert pen.draw("now") == ""
    pen.close()


def test_the_terminal_still_waits_for_whoever_else_writes_on_it(ends: Ends) -> None:
    _, terminal = ends
    pen = Pen(terminal)
    assert os.get_blocking(terminal)
    pen.close()


def test_a_terminal_that_has_gone_takes_everything(ends: Ends) -> None:
    looking, terminal = ends
    pen = Pen(terminal)
    os.close(looking)
    assert pen.draw("rows") == ""
    pen.write("rows")
    pen.close()


def test_after_its_end_all_is_left_to_whoever_waits(ends: Ends) -> None:
    pen = Pen(ends[1])
    pen.close()
    pen.close()
    assert pen.draw("rows") == "rows"


def test_a_file_that_is_no_terminal_is_not_drawn_on(ends: Ends) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as file:
        assert pen_for(file) is None
    os.close(reading)
    with os.fdopen(os.dup(ends[1]), "w") as file:
        pen = pen_for(file)
        assert pen is not None
        pen.close()


def test_a_driver_draws_at_once_on_its_terminal_and_tells_keys_to_the_app(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking, terminal = ends
    told: list[object] = []

    class Listening(App[None]):
        def post_message(self, message: object) -> bool:
            told.append(message)
            return True

    async def script() -> None:
        with os.fdopen(os.dup(terminal), "w") as screen, os.fdopen(os.dup(terminal)) as keyboard:
            monkeypatch.setattr(sys, "__stderr__", screen)
            monkeypatch.setattr(sys, "__stdin__", keyboard)
            driver: Any = drawing_driver(LinuxDriver)(Listening())
            for words in ("rows", "rows after a while in the shell"):
                driver.start_application_mode()
                driver.write(words)
                assert driver._writer_thread._queue.empty()
                driver.send_message(key := Key("G", "G"))
                assert told[-1] is key
                driver.suspend_application_mode()
                assert words in os.read(looking, 1 << 16).decode()

    asyncio.run(script())


def test_half_a_character_that_somebody_draws_is_told_in_signs(ends: Ends) -> None:
    looking, terminal = ends
    pen = Pen(terminal)
    assert pen.draw("a\udc9b\ud800") == ""
    assert read(looking, 13) == b"a\\udc9b\\ud800"
    pen.close()


def test_a_terminal_that_somebody_made_impatient_is_waited_for(ends: Ends) -> None:
    looking, terminal = ends
    pen = Pen(terminal)
    pen.close()
    os.set_blocking(terminal, False)
    found: list[bytes] = []
    reader = Thread(target=lambda: found.append(read(looking, len(SLOW.encode()))))
    reader.start()
    pen.write(pen.draw(SLOW))
    reader.join(60)
    assert b"".join(found) == SLOW.encode()


@pytest.mark.parametrize("handler", ["_sigcont_application", "_sigtstp_application"])
def test_a_signal_while_something_is_drawn_is_handled_after_it(
    ends: Ends, monkeypatch: pytest.MonkeyPatch, handler: str
) -> None:
    done: list[str] = []

    class Known(LinuxDriver):
        def write(self, data: str) -> None:
            """Where the terminal took not all of it."""
            getattr(self, handler)()
            assert done == []
            done.append("drawn")

        def _sigcont_application(self, *_: object) -> None:
            done.append("handled")

    async def script() -> None:
        with os.fdopen(os.dup(ends[1]), "w") as screen:
            monkeypatch.setattr(sys, "__stderr__", screen)
            monkeypatch.setattr(os, "kill", lambda *_: done.append("handled"))
            driver: Any = drawing_driver(Known)(App[None]())
            driver._auto_restart = False
            driver.write("rows")
            assert done == ["drawn", "handled"]
            getattr(driver, handler)()
            assert done[2:] == ["handled"]

    asyncio.run(script())
