"""Runs the real `maestro` program as a person or a script would: a process, its streams, its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

COMMAND = (sys.executable, "-W", "error", "-m", "maestro_cli")
GOLDEN = Path(__file__).resolve().parent / "golden"
# What a developer's shell may hold and must not decide a test.
UNWANTED = ("CI", "TERM", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "MAESTRO_DEBUG", "PYTHONIOENCODING", "LC_ALL")


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
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(env),
        cwd=cwd or Path(os.environ["HOME"]),
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
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
