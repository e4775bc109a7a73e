"""The console's table in a terminal of its own: from a key until the terminal has its answer.

10,000 rows, at rest and with 500 of them changing a second, in the order in which they came and sorted.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.terminal import ROOT, Failed, environment, folder

ROWS = 10_000
KEYS = 300
LIMIT_MS = 50.0
REST_SECONDS = 5.0
_LINES, _COLUMNS = 50, 160
_LONGEST_SECONDS = 30.0
_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?<=>]*[A-Za-z]|[()][A-Z0-9]|[=>]|\][^\x07\x1b]*(?:\x07|\x1b\\))")


class Screen:
    """What a program writes to its terminal."""

    def __init__(self, words: list[str], home: Path) -> None:
        mine, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _LINES, _COLUMNS, 0, 0))
        self._file = mine
        self._raw = b""
        variables = {**environment(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.process = subprocess.Popen(
            words, stdin=theirs, stdout=theirs, stderr=theirs, env=variables, cwd=ROOT, start_new_session=True
        )
        os.close(theirs)

    def press(self, key: str) -> None:
        """Forget what was written, and type."""
        self._drain(0.0)
        self._raw = b""
        os.write(self._file, key.encode())

    def await_text(self, text: str) -> float:
        """Seconds until this has been written since the last key."""
        started = time.perf_counter()
        while text not in self.text():
            if time.perf_counter() - started > _LONGEST_SECONDS:
                raise Failed(f"{text!r} was not painted; the terminal had {self.text()[-300:]!r}")
            self._drain(0.5)
        return time.perf_counter() - started

    def pause(self, seconds: float) -> None:
        """Read what is written meanwhile."""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            self._drain(left)

    def text(self) -> str:
        return _SEQUENCE.sub("", self._raw.decode(errors="ignore"))

    def _drain(self, seconds: float) -> None:
        while select.select([self._file], [], [], seconds)[0]:
            with contextlib.suppress(OSError):
                self._raw += os.read(self._file, 1 << 16)
            seconds = 0.0

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self._file)

    def memory_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def scene() -> Iterator[Screen]:
    with folder() as home:
        screen = Screen([sys.executable, "-m", "tests.bench.table_scene", str(ROWS)], home)
        try:
            screen.await_text("pod-00000")
            yield screen
        finally:
            screen.close()


def measure() -> list[Figure]:
    """One program; each figure of keys is its 99th percentile."""
    started = time.perf_counter()
    with scene() as screen:
        first = time.perf_counter() - started
        screen.pause(1.0)
        figures = [
            Figure("table: process start to the first rows of 10,000", "ms", (first * 1000,)),
            Figure("table: core at rest", "%", (_busy(screen),), limit=2.0),
            _ends(screen),
            _keys(screen, "at rest"),
        ]
        screen.press("u")
        screen.pause(1.0)
        figures += [
            _keys(screen, "500 rows/s change"),
            Figure("table: core, 500 rows/s", "%", (_busy(screen),)),
        ]
        screen.press(">")
        screen.pause(1.0)
        figures.append(_keys(screen, "500 rows/s change, sorted"))
        figures.append(Figure("table: core, 500 rows/s, sorted", "%", (_busy(screen),)))
        figures.append(Figure("table: memory", "MB", (screen.memory_mb(),), limit=200.0))
    return figures


def _busy(screen: Screen) -> float:
    before = screen.cpu_seconds()
    screen.pause(REST_SECONDS)
    return (screen.cpu_seconds() - before) / REST_SECONDS * 100


def _ends(screen: Screen) -> Figure:
    taken = []
    for _ in range(20):
        for key, name in (("G", f"▸  pod-{ROWS - 1:05d}"), ("g", "▸  pod-00000")):
            screen.press(key)
            taken.append(screen.await_text(name) * 1000)
            screen.pause(0.02)
    return Figure("table: key to the other end of 10,000 rows", "ms", tuple(taken), limit=LIMIT_MS)


def _keys(screen: Screen, when: str) -> Figure:
    """Down and up through two screens, at moments that have nothing to do with the changes."""
    screen.press("g")
    screen.await_text("▸  pod-00000")
    taken: list[float] = []
    before = screen.cpu_seconds()
    at, step = 0, 1
    while len(taken) < KEYS:
        if not 0 <= at + step < 2 * _LINES:
            step = -step
        at += step
        screen.press("j" if step > 0 else "k")
        taken.append(screen.await_text(f"▸  pod-{at:05d}") * 1000)
        screen.pause(0.013 + (len(taken) % 7) * 0.005)
    ninety_nine = statistics.quantiles(taken, n=100)[98]
    cpu_ms = (screen.cpu_seconds() - before) / KEYS * 1000
    notes = {"median_ms": statistics.median(taken), "max_ms": max(taken), "cpu_ms_a_key": cpu_ms}
    return Figure(f"table: key to repaint, p99, {when}", "ms", (ninety_nine,), limit=LIMIT_MS, notes=notes)
