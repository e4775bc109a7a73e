"""`maestro tui --web` as a program, over a context where nothing answers."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil

from tests.cli.program import COMMAND, environment

CONTEXTS = 'contexts: {nowhere: {prometheus: {url: "http://127.0.0.1:1"}}}'


def configure() -> None:
    """Give the home of the test that context."""
    settings = Path(os.environ["XDG_CONFIG_HOME"], "maestro", "config.yaml")
    settings.parent.mkdir(parents=True)
    settings.write_text(CONTEXTS, encoding="utf-8")


class Program:
    """The server, as a process; `url` is what it printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.url = _of(process.stdout).readline().strip()
        self.home = self.url.partition("/?")[0]

    def consoles(self) -> list[int]:
        """The process ids of what it started."""
        return [one.pid for one in psutil.Process(self.process.pid).children(recursive=True)]

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send it a signal; its exit code, and what it said on stderr."""
        self.process.send_signal(number)
        said = _of(self.process.stderr).read()
        return self.process.wait(timeout=180), said


@contextmanager
def running(*arguments: str) -> Iterator[Program]:
    configure()
    with subprocess.Popen(
        [*COMMAND, "--context", "nowhere", *arguments, "tui", "--web"],
        env=environment(),
        cwd=os.environ["HOME"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Program(process)
        finally:
            process.kill()


def _of(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
