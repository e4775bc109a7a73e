"""`maestro` without its start: a process that has imported it already forks for each command.

Each command is a process of its own with its own environment, folder, streams and exit code, and ends as any
does. What it does not show is what a start costs and which modules it needs: tests/architecture and the tests
that start COMMAND show that.

Invariant: the process that forks has run no command, opened no file of a test and started no thread.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

_ROOT = Path(__file__).resolve().parents[2]
_ROOMS = ("cli", "services", "output", "sources", "changes", "runbooks")
_NUMBER_BYTES = 16
_STREAMS = 3


class Forks:
    """The forking process, from the first command to the end of the tests."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._near, far = socket.socketpair()
        with far:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", __name__, str(far.fileno())],
                pass_fds=[far.fileno()],
                cwd=_ROOT,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # or numpy would start a thread
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        atexit.register(self.close)

    def close(self) -> None:
        self._near.close()
        self._process.wait()

    def run(
        self, arguments: tuple[str, ...], environment: Mapping[str, str], folder: Path,
        streams: tuple[IO[bytes], IO[bytes], IO[bytes]], timeout_seconds: float,
    ) -> int | None:  # fmt: skip
        """The exit code, below zero for a signal; None while another command runs: start that one anew.

        Raises subprocess.TimeoutExpired, and the command is dead.
        """
        if not self._turn.acquire(blocking=False):
            return None
        try:
            request = json.dumps([arguments, dict(environment), str(folder)]).encode()
            numbers = [stream.fileno() for stream in streams]
            socket.send_fds(self._near, [_told(len(request))], numbers)
            self._near.sendall(request)
            pid = _heard(self._near)
            self._near.settimeout(timeout_seconds)
            try:
                return _heard(self._near)
            except TimeoutError:
                with suppress(ProcessLookupError):  # it ended just then
                    os.kill(pid, signal.SIGKILL)
                self._near.settimeout(None)
                _heard(self._near)
                raise subprocess.TimeoutExpired(arguments, timeout_seconds) from None
            finally:
                self._near.settimeout(None)
        finally:
            self._turn.release()


def _told(number: int) -> bytes:
    return b"%*d" % (_NUMBER_BYTES, number)


def _heard(near: socket.socket) -> int:
    told = near.recv(_NUMBER_BYTES, socket.MSG_WAITALL)
    if not told:
        raise ChildProcessError("the process that forks has ended, see stderr: can every module be imported?")
    return int(told)


def _serve(near: socket.socket) -> list[str] | None:
    """Fork for each request: its arguments, in the child, which is to run them; None at the end."""
    while True:
        size, streams, _, _ = socket.recv_fds(near, _NUMBER_BYTES, _STREAMS)
        if not size:
            near.close()
            return None
        request = near.recv(int(size), socket.MSG_WAITALL)
        pid = os.fork()
        if pid == 0:
            near.close()
            arguments, environment, folder = json.loads(request)
            _become(streams, environment, folder)
            return list(arguments)
        for stream in streams:
            os.close(stream)
        near.sendall(_told(pid))
        near.sendall(_told(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))


def _become(streams: list[int], environment: Mapping[str, str], folder: str) -> None:
    """Take a command's streams, environment and folder, as a process that was started with them."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    sys.path[0] = folder
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()


def _main() -> int:
    near = socket.socket(fileno=int(sys.argv[1]))
    for room in _ROOMS:
        package = importlib.import_module(f"maestro_cli.{room}")
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(found.name)
    assert threading.active_count() == 1
    gc.collect()
    gc.freeze()
    arguments = _serve(near)
    if arguments is None:
        return 0
    program = importlib.import_module("maestro_cli.__main__")
    sys.argv = [str(program.__file__), *arguments]
    return int(program.main())


if __name__ == "__main__":
    sys.exit(_main())
