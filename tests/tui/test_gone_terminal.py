"""A console whose terminal has gone ends, also where no signal says so."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from threading import Event, Thread

from maestro_cli.config.locations import config_dir
from maestro_cli.core.errors import ExitCode
from maestro_cli.tui.keys.remembered import Remembered, remember
from maestro_cli.tui.terminal import end_when_gone
from tests.patience import PATIENCE_SECONDS


def test_the_console_of_a_terminal_that_is_not_its_sessions_ends_with_it() -> None:
    """The session of the terminal gets a signal; this console is of another one."""
    person, program = pty.openpty()
    fcntl.ioctl(program, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    remember(Remembered(has_seen_tour=True))
    config = config_dir() / "config.yaml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text("current_context: prod\ncontexts: {prod: {prometheus: {url: 'http://127.0.0.1:9'}}}\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "maestro_cli", "tui"], stdin=program, stdout=program, stderr=program,
        env={**os.environ, "TERM": "xterm-256color"}, start_new_session=True,
    )  # fmt: skip
    os.close(program)
    try:
        _await(person, b"incidents")
        os.close(person)
        assert process.wait(PATIENCE_SECONDS) == ExitCode.SIGTERM
    finally:
        process.kill()
        process.wait(PATIENCE_SECONDS)


def _await(person: int, words: bytes) -> None:
    seen = b""
    while words not in seen:
        readable, _, _ = select.select([person], [], [], PATIENCE_SECONDS)
        assert readable, f"it never showed {words!r}, but {seen[-400:]!r}"
        seen += os.read(person, 65_536)


def test_a_terminal_that_was_closed_here_is_watched_no_more_and_ends_nothing() -> None:
    person, program = pty.openpty()
    os.close(person)
    os.close(program)
    watch = Thread(target=end_when_gone, args=(program, Event()), daemon=True)
    watch.start()
    watch.join(20.0)
    assert not watch.is_alive()


def test_the_watch_of_a_terminal_that_stays_ends_with_the_console() -> None:
    person, program = pty.openpty()
    over = Event()
    watch = Thread(target=end_when_gone, args=(program, over))
    watch.start()
    over.set()
    watch.join(PATIENCE_SECONDS)
    assert not watch.is_alive()
    os.close(person)
    os.close(program)
