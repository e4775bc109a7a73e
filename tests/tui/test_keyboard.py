"""What is typed at a terminal comes to the app in order, in the loop's own turn."""

from __future__ import annotations

import asyncio
import os
import pty
import threading
import tty
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any
from unittest.mock import Mock

import pytest
from textual import constants
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key, Paste
from textual.message import Message

from maestro_cli.tui import keyboard
from maestro_cli.tui.keyboard import Keyboard, is_watchable
from maestro_cli.tui.pasting import BEGIN
from maestro_cli.tui.terminal import drawing_driver
from tests.patience import PATIENCE_SECONDS

HELD_SECONDS = 20.0  # what is not over by then is held


class Desk:
    """A keyboard, and what came of it."""

    def __init__(self, person: int, program: int) -> None:
        self.person, self.program = person, program
        self.taken: list[Message] = []
        self.failed: list[Exception] = []
        self.keyboard = Keyboard(program, self.taken.append, self.failed.append)

    def type(self, typed: bytes) -> None:
        os.write(self.person, typed)

    @property
    def keys(self) -> list[str]:
        return [one.key if isinstance(one, Key) else type(one).__name__ for one in self.taken]


@pytest.fixture
def desk() -> Iterator[Desk]:
    person, program = pty.openpty()
    tty.setraw(program)
    made = Desk(person, program)
    yield made
    os.close(program)
    if made.person >= 0:
        os.close(person)


def run(desk: Desk, script: Callable[[], Awaitable[None]]) -> None:
    async def opened() -> None:
        desk.keyboard.open()
        try:
            await script()
        finally:
            desk.keyboard.close()

    asyncio.run(opened())


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():
            await asyncio.sleep(0.001)


def test_keys_come_in_the_order_in_which_they_were_typed(desk: Desk) -> None:
    async def script() -> None:
        desk.type(b"jk\x1b[A\x1b[200~pasted\x1b[201~G")
        await until(lambda: len(desk.taken) == 5)

    run(desk, script)
    assert desk.keys == ["j", "k", "up", "Paste", "G"]
    assert [one.text for one in desk.taken if isinstance(one, Paste)] == ["pasted"]


def test_a_paste_with_an_escape_in_it_presses_no_key(desk: Desk) -> None:
    """Textual types the rest of such a paste, which armed the console."""

    async def script() -> None:
        desk.type(b"\x1b[200~\x1b:write 60\n\t\n" + b"j" * 40 + b"\x1b[201~")
        await until(lambda: bool(desk.taken))
        desk.type(b"G")
        await until(lambda: "G" in desk.keys)

    run(desk, script)
    assert desk.keys == ["Paste", "G"]
    assert [one.text for one in desk.taken if isinstance(one, Paste)] == [":write 60\n\t\n" + "j" * 40]


@pytest.mark.parametrize("size", range(1, len(BEGIN)))
def test_a_paste_whose_mark_was_held_up_on_its_way_presses_no_key(desk: Desk, size: int) -> None:
    """Between two packets of a network. What escape alone presses was pressed by then."""

    async def script() -> None:
        mark = BEGIN.encode()
        desk.type(mark[:size])
        await asyncio.sleep(constants.ESCAPE_DELAY * 1.5)
        desk.type(mark[size:] + b"\x1b:write 60\nq\x1b[201~")
        await until(lambda: "Paste" in desk.keys)

    run(desk, script)
    alone = {1: ["escape"], 2: ["left_square_bracket"]}.get(size, [])
    assert [key for key in desk.keys if key != "Paste"] in ([], alone)
    assert [one.text for one in desk.taken if isinstance(one, Paste)] == [":write 60\nq"]


def test_the_rest_of_a_paste_that_was_waited_for_in_vain_presses_no_key(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyboard, "UNENDED_SECONDS", 0.05)

    async def script() -> None:
        desk.type(b"\x1b[200~a")
        await until(lambda: "Paste" in desk.keys)
        desk.type(b":write 60\n\x1b[201~")
        await until(lambda: desk.keys.count("Paste") == 2)
        desk.type(b"G")
        await until(lambda: "G" in desk.keys)

    run(desk, script)
    assert desk.keys == ["Paste", "Paste", "G"]


def test_the_rest_of_a_paste_during_which_the_console_was_stopped_presses_no_key(desk: Desk) -> None:
    class Driver(LinuxDriver):
        def __init__(self) -> None:
            self.fileno = desk.program
            self._key_thread = threading.current_thread()
            self._app = Mock(post_message=desk.taken.append)

        def start_application_mode(self) -> None: ...

        def disable_input(self) -> None: ...

        def process_message(self, message: Message) -> None:
            desk.taken.append(message)

    async def script() -> None:
        kind: Any = drawing_driver(Driver)
        driver = kind()
        driver.start_application_mode()
        desk.type(b"\x1b[200~a")
        await until(lambda: driver._keyboard._pastes.is_open)
        driver.disable_input()
        driver.start_application_mode()
        await until(lambda: desk.keys == ["Paste"])
        desk.type(b":write 60\nq\x1b[201~")
        await until(lambda: desk.keys == ["Paste", "Paste"])
        driver.disable_input()

    asyncio.run(script())


def test_a_character_that_comes_in_parts_is_one(desk: Desk) -> None:
    async def script() -> None:
        first, rest = "é".encode()[:1], "é".encode()[1:]
        desk.type(first)
        await asyncio.sleep(0.01)
        assert desk.taken == []
        desk.type(rest)
        await until(lambda: bool(desk.taken))

    run(desk, script)
    assert [one.character for one in desk.taken if isinstance(one, Key)] == ["é"]


def test_bytes_that_are_no_text_lose_no_key_behind_them(desk: Desk) -> None:
    async def script() -> None:
        desk.type(b"\xff\xfej")
        await until(lambda: "j" in desk.keys)

    run(desk, script)
    assert desk.failed == []


def test_escape_alone_is_a_key_though_nothing_follows(desk: Desk) -> None:
    async def script() -> None:
        desk.type(b"\x1b")
        await until(lambda: bool(desk.taken))

    run(desk, script)
    assert desk.keys == ["escape"]


def test_after_the_end_nothing_is_read_and_what_was_typed_stays_with_the_terminal(desk: Desk) -> None:
    async def script() -> None:
        desk.keyboard.close()
        desk.type(b"j")
        await asyncio.sleep(0.02)
        assert desk.taken == []
        desk.keyboard.open()
        await until(lambda: desk.keys == ["j"])

    run(desk, script)


def test_a_keyboard_that_has_gone_is_read_no_more(desk: Desk) -> None:
    async def script() -> None:
        os.close(desk.person)
        desk.person = -1
        await until(lambda: desk.keyboard.is_closed)

    run(desk, script)
    assert (desk.taken, desk.failed) == ([], [])


def test_another_program_that_reads_first_does_not_hold_the_console(desk: Desk) -> None:
    async def script() -> None:
        desk.type(b"j")
        assert os.read(desk.program, 1) == b"j"
        reading = Thread(target=desk.keyboard._read, daemon=True)
        reading.start()
        reading.join(HELD_SECONDS)
        assert not reading.is_alive()
        desk.type(b"k")
        await until(lambda: desk.keys == ["k"])

    run(desk, script)


@pytest.fixture
def standing_by(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> tuple[Thread, Event]:
    """A thread that tells the loop, which is not told itself, and what ends it."""
    monkeypatch.setattr(keyboard, "is_watchable", lambda descriptor: False)
    desk.keyboard = Keyboard(desk.program, desk.taken.append, desk.failed.append)
    over = Event()
    return Thread(target=desk.keyboard.stand_by, args=(over,), daemon=True), over


def test_where_the_loop_is_not_told_a_thread_tells_it_and_a_paste_is_no_key_there_either(
    desk: Desk, standing_by: tuple[Thread, Event]
) -> None:
    thread, over = standing_by
    thread.start()

    async def script() -> None:
        desk.type(b"j\x1b[200~\x1b:write 60\n" + b"j" * 40 + b"\x1b[201~")
        await until(lambda: desk.keys == ["j", "Paste"])
        desk.type(b"k")
        await until(lambda: desk.keys == ["j", "Paste", "k"])

    run(desk, script)
    over.set()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    assert desk.failed == []


def test_a_thread_that_stands_by_ends_though_the_loop_has_no_time_to_read(
    desk: Desk, standing_by: tuple[Thread, Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    thread, over = standing_by
    look, asks = desk.keyboard._is_ready, Event()

    def looked() -> bool:
        is_ready = look()
        if is_ready:
            asks.set()
        return is_ready

    monkeypatch.setattr(desk.keyboard, "_is_ready", looked)

    async def script() -> None:
        desk.type(b"j")
        thread.start()
        assert asks.wait(PATIENCE_SECONDS)
        over.set()
        thread.join(HELD_SECONDS)  # the loop stands still
        assert not thread.is_alive()

    run(desk, script)


def test_no_file_is_left_open(desk: Desk) -> None:
    async def script() -> None:
        for _ in range(3):
            desk.keyboard.close()
            desk.keyboard.open()

    before = len(os.listdir("/proc/self/fd"))
    run(desk, script)
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_nobody_expected_of_a_key_is_told_and_the_next_one_is_read(desk: Desk) -> None:
    def take(message: Message) -> None:
        if isinstance(message, Key) and message.key == "x":
            raise ValueError(message.key)
        desk.taken.append(message)

    desk.keyboard = Keyboard(desk.program, take, desk.failed.append)

    async def script() -> None:
        desk.type(b"x")
        await until(lambda: bool(desk.failed))
        desk.type(b"j")
        await until(lambda: desk.keys == ["j"])

    run(desk, script)
    assert [str(one) for one in desk.failed] == ["x"]


def test_a_plain_file_cannot_be_waited_for(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "typed"
    file.write_bytes(b"j")
    with file.open("rb") as opened:
        assert not is_watchable(opened.fileno())
    assert is_watchable(desk.person)
