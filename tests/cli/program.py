"""Runs the real `maestro` program as a person or a script would: a process, its streams, its exit code.

`maestro` spares its start (see forked.py); `started` is the same with it, and COMMAND is what starts it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from tests.cli.forked import Forks
from tests.patience import PATIENCE_SECONDS

COMMAND = (sys.executable, "-W", "error", "-m", "maestro_cli")
GOLDEN = Path(__file__).resolve().parent / "golden"
# What a developer's shell may hold and must not decide a test.
UNWANTED = ("CI", "TERM", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "MAESTRO_DEBUG", "PYTHONIOENCODING", "LC_ALL")

_OF_PYTHON = {"PYTHONIOENCODING", "LC_ALL", "LANG"}  # what an interpreter reads at its start
_LIMIT_SECONDS = PATIENCE_SECONDS
_PIPE_BYTES = 32768  # what a pipe takes before anybody reads


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def error_lines(self) -> tuple[str, str, str]:
        """what, why and fix of a three-line error; fails when it has another form."""
        lines = self.err.splitlines()
        assert len(lines) == 3, self.err
        what, why, fix = lines
        assert what.startswith("maestro: error: "), self.err
        assert why.startswith("  why: "), self.err
        assert fix.startswith("  fix: "), self.err
        return what.removeprefix("maestro: error: "), why.removeprefix("  why: "), fix.removeprefix("  fix: ")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    return {**clean, "TZ": "UTC", **(extra or {})}


def maestro(
    *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, stdin: str = ""
) -> Result:
    """Run to its end, at most a minute, in the home of the test."""
    given = stdin.encode()
    if not _OF_PYTHON & set(env or {}) and len(given) <= _PIPE_BYTES:
        with ExitStack() as files:
            reading, writing = os.pipe()
            source = files.enter_context(open(reading, "rb"))
            with open(writing, "wb") as sink:
                sink.write(given)
            out, err = (files.enter_context(tempfile.TemporaryFile()) for _ in range(2))
            folder = cwd or Path(os.environ["HOME"])
            code = _forks().run(arguments, environment(env), folder, (source, out, err), _LIMIT_SECONDS)
            if code is not None:
                return Result(code, _read(out), _read(err))
    return started(*arguments, env=env, cwd=cwd, stdin=stdin)


def _read(stream: IO[bytes]) -> str:
    """As text that came through a pipe."""
    stream.seek(0)
    return stream.read().decode().replace("\r\n", "\n").replace("\r", "\n")


@cache
def _forks() -> Forks:
    return Forks()


def started(
    *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, stdin: str = ""
) -> Result:
    """As `maestro`, from its very start."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(env),
        cwd=cwd or Path(os.environ["HOME"]),
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=_LIMIT_SECONDS,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def check_golden(name: str, text: str) -> None:
    """Compare with a file under golden/; MAESTRO_WRITE_GOLDEN=1 writes it instead."""
    file = GOLDEN / name
    if os.environ.get("MAESTRO_WRITE_GOLDEN") == "1":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), f"{name} changed; MAESTRO_WRITE_GOLDEN=1 writes it anew"
