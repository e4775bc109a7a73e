"""Until the console is there: where one is, on a terminal that is given back, and no key lost."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from textual.drivers.linux_driver import LinuxDriver

from maestro_cli.tui.opening import ENTER, LEAVE, NO_MARKS, Opening
from maestro_cli.tui.terminal import drawing_driver

HEAVY = ("textual", "rich", "asyncio", "ssl", "httpx", "maestro_cli.tui.screens", "maestro_cli.incidents")


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """The two ends: the person's, and the program's."""
    person, program = pty.openpty()
    yield person, program
    os.close(person)
    os.close(program)


def _shown(person: int) -> str:
    return os.read(person, 65_536).decode()


def test_where_one_is_stands_there_until_the_console_does(terminal: tuple[int, int]) -> None:
    person, program = terminal
    opening = Opening(program, program)
    opening.show("maestro  prod READ-ONLY")
    shown = _shown(person)
    assert shown.startswith(ENTER)
    assert "maestro  prod READ-ONLY" in shown
    assert "opening …" in shown


def test_what_is_typed_meanwhile_is_not_echoed_and_waits(terminal: tuple[int, int]) -> None:
    person, program = terminal
    opening = Opening(program, program)
    opening.show("here")
    _shown(person)
    os.write(person, b"j\r")
    assert os.read(program, 1) == b"j"  # no line has to be ended first
    assert opening.hand_over()
    os.set_blocking(person, False)
    with pytest.raises(BlockingIOError):
        os.read(person, 100)


def test_the_terminal_is_given_back_as_it_was_when_the_console_never_comes(
    terminal: tuple[int, int],
) -> None:
    person, program = terminal
    before: Any = termios.tcgetattr(program)
    opening = Opening(program, program)
    opening.show("here")
    assert termios.tcgetattr(program) != before
    _shown(person)
    opening.end()
    assert termios.tcgetattr(program) == before
    assert _shown(person).startswith(f"{NO_MARKS}{LEAVE}")


def test_who_takes_the_terminal_gives_it_back_itself(terminal: tuple[int, int]) -> None:
    person, program = terminal
    before: Any = termios.tcgetattr(program)
    opening = Opening(program, program)
    opening.show("here")
    _shown(person)
    assert opening.hand_over()
    assert termios.tcgetattr(program) == before  # so that it knows how it was
    opening.end()
    assert not opening.hand_over()
    os.set_blocking(person, False)
    with pytest.raises(BlockingIOError):
        os.read(person, 100)


@pytest.mark.parametrize(("is_shown", "entered"), [(True, []), (False, [ENTER])])
def test_a_screen_that_is_shown_is_not_blanked(is_shown: bool, entered: list[str], tmp_path: Path) -> None:
    keyboard = (tmp_path / "keys").open("w")

    class Driver(LinuxDriver):
        written: ClassVar[list[str]] = []

        def __init__(self) -> None:
            self.written.clear()
            self.fileno = keyboard.fileno()  # nothing can be waited for in a file
            self._key_thread = None
            self._app: Any = SimpleNamespace(_handle_exception=print)

        def start_application_mode(self) -> None:
            self.write(ENTER)
            self.write("rows")

        def write(self, data: str) -> None:
            self.written.append(data)

    kind: Any = drawing_driver(Driver, lambda: is_shown)
    made = kind()
    made.start_application_mode()
    made.write(ENTER)  # as after it was suspended
    assert Driver.written == [*entered, "rows", ENTER]
    keyboard.close()


def test_nothing_of_a_full_screen_is_imported_before() -> None:
    code = "import sys, maestro_cli.tui.launch; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = [name for name in done.stdout.split() if name.startswith(HEAVY)]
    assert heavy == []
