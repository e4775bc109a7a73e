"""Real programs with folders of their own.

Invariant: everything lies on the disk of the checkout (a /tmp in memory would make fsync free), nothing of
the user's configuration is read, and no process or file of a bench is left.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from tests.e2e.session import Session

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".bench"
BYTECODE = KEPT / "bytecode"
BIN = Path(sys.executable).parent
LONGEST_SECONDS = 300.0


class Failed(Exception):
    """A program that was to be measured did not do its work: there is no figure."""


@contextmanager
def folder() -> Iterator[Path]:
    """An empty folder on the checkout's disk, removed afterwards."""
    KEPT.mkdir(exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix="work-", dir=KEPT))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def environment(home: Path) -> dict[str, str]:
    """A user's environment: folders of its own, bytecode written and kept, as where it is installed."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "MAESTRO_CONTEXT")
    }
    return {
        **inherited,
        "PYTHONPYCACHEPREFIX": str(BYTECODE),
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
    }


@contextmanager
def terminal() -> Iterator[Session]:
    """A terminal without a platform; on the way out, what it started is taken down and looked for."""
    with folder() as home:
        session = Session(home)
        session.environment = environment(home)
        try:
            yield session
        finally:
            session.run("local", "down")
            if left := session.survivors():
                raise Failed("processes are left: " + "; ".join(left))


def run(
    words: Sequence[str], environment: Mapping[str, str], codes: Sequence[int] = (0,)
) -> subprocess.CompletedProcess[str]:
    """A whole process, its output read to the end; raises Failed for another exit code."""
    try:
        done = subprocess.run(
            words,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"{words[0]}: {error}") from error
    if done.returncode not in codes:
        raise Failed(f"{' '.join(words)} ended with {done.returncode}: {done.stderr.strip()[-400:]}")
    return done


@contextmanager
def serving(words: Sequence[str], ready_url: str, where: Path) -> Iterator[None]:
    """A server as a child process, from when it answers 200 until the end."""
    with (where / "log").open("wb") as log:
        process = subprocess.Popen(words, cwd=where, stdout=log, stderr=log)
    try:
        _await(process, ready_url)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], url: str) -> None:
    pause = Event()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(600):
        if process.poll() is not None:
            raise Failed(f"{process.args!r} ended with {process.returncode} before it was ready")
        with contextlib.suppress(urllib.error.URLError, OSError), opener.open(url, timeout=2):
            return
        pause.wait(0.05)
    raise Failed(f"{url} did not answer")


def program(*names: str) -> str:
    """The first of these programs that is installed; raises Failed."""
    for name in names:
        if found := shutil.which(name, path=f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"):
            return found
    raise Failed(f"none of {', '.join(names)} is installed")
