"""A real terminal: a program under tmux, on a tmux server of its own, driven by keys.

Invariant: nothing is assumed about how fast anything is: each step waits for the words that it needs. The
server is ended by its socket, whatever happens.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import psutil

LIMIT_SECONDS = 180.0
LOOK_SECONDS = 0.1


def is_missing() -> bool:
    """Whether there is no tmux here."""
    return shutil.which("tmux") is None


class Terminal:
    """One pane with one program in it; the pane stays when the program has ended."""

    def __init__(self, socket: str, environment: Mapping[str, str]) -> None:
        self._socket, self._environment = socket, environment

    def tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-u", "-L", self._socket, "-f", "/dev/null", *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env=self._environment,
        )
        return done.stdout

    def start(self, program: Sequence[str], folder: str, width: int, height: int) -> None:
        """Its pane stays when it ends, so that its last words and its exit code can be read."""
        size = ("-x", str(width), "-y", str(height))
        self.tmux(
            "new-session", "-d", *size, "-c", folder, "--", "sleep", "infinity",
            ";", "set-option", "-g", "remain-on-exit", "on",
            ";", "respawn-pane", "-k", "-c", folder, "--", *program,
        )  # fmt: skip

    # What is seen

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p")

    def sees(self, pattern: str) -> bool:
        return re.search(pattern, self.screen()) is not None

    def await_text(self, pattern: str, seconds: float = LIMIT_SECONDS) -> str:
        """The screen that has it first; AssertionError, with the screen, when none has it in time."""
        return self.await_screen(lambda shown: re.search(pattern, shown) is not None, pattern, seconds)

    def await_no(self, pattern: str, seconds: float = LIMIT_SECONDS) -> str:
        return self.await_screen(lambda shown: re.search(pattern, shown) is None, f"no {pattern}", seconds)

    def await_screen(self, holds: Callable[[str], bool], words: str, seconds: float = LIMIT_SECONDS) -> str:
        deadline = time.monotonic() + seconds
        while not holds(shown := self.screen()):
            assert time.monotonic() < deadline, f"not within {seconds:g} s: {words}\n{shown}"
            time.sleep(LOOK_SECONDS)
        return shown

    # What is pressed

    def press(self, *keys: str) -> None:
        """Keys as tmux names them: `Enter`, `C-q`, `Tab`, `x`."""
        self.tmux("send-keys", "--", *keys)

    def type(self, text: str) -> None:
        self.tmux("send-keys", "-l", "--", text)

    # Its program

    @property
    def pid(self) -> int:
        return int(self.tmux("display-message", "-p", "#{pane_pid}"))

    def processes(self) -> list[psutil.Process]:
        """The program and everything that it has started and that still runs."""
        own = psutil.Process(self.pid)
        return [own, *own.children(recursive=True)]

    @classmethod
    def await_end(cls, processes: Sequence[psutil.Process]) -> None:
        """Until each has ended; tmux may leave its own as a zombie, and then never tells an exit code."""
        left = cls._left_of(processes)
        assert left == [], f"not ended within {LIMIT_SECONDS:g} s: {left}"

    @staticmethod
    def _left_of(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
        """Those that have not ended in time; a zombie has."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while left := [one for one in processes if not _is_over(one)]:
            if time.monotonic() > deadline:
                return left
            time.sleep(LOOK_SECONDS)
        return []

    def close(self) -> list[str]:
        """Take the terminal away; what does not end by itself then is killed, and told."""
        try:
            own = self.processes()
        except (psutil.NoSuchProcess, subprocess.CalledProcessError):
            own = []  # it has ended already
        subprocess.run(
            ["tmux", "-L", self._socket, "kill-server"], capture_output=True, timeout=60, check=False
        )
        alive = self._left_of(own)
        left = [f"{one.pid} {' '.join(one.cmdline())[:120]}" for one in alive]
        for one in alive:
            one.kill()
        return left


@contextmanager
def terminal(
    program: Sequence[str], environment: Mapping[str, str], folder: str, width: int = 140, height: int = 45
) -> Iterator[Terminal]:
    """The program in a terminal of that size, which goes away with all that runs in it."""
    # readline, which pytest loads, sets the size in the environment of the workers that it starts
    hidden = {"TMUX", "TMUX_PANE", "NO_COLOR", "COLUMNS", "LINES"}
    own = {name: value for name, value in environment.items() if name not in hidden}
    opened = Terminal(
        f"maestro-test-{uuid.uuid4().hex[:12]}", {**own, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
    )
    try:
        opened.start(program, folder, width, height)
        yield opened
    finally:
        left = opened.close()
    assert left == []


def _is_over(process: psutil.Process) -> bool:
    try:
        return str(process.status()) == str(psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
