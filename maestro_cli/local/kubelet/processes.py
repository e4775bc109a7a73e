"""The kubelet's side of the spawner: starts process groups and learns how they ended.

Invariant: every started process has exactly one exit code, also when the spawner itself dies (137).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import struct
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

_SPAWNER = Path(__file__).with_name("spawner.py")


@dataclass(frozen=True, slots=True)
class Launch:
    """What to run; `argv[0]` is looked up in the PATH of `environment`."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    folder: Path


class LaunchFailed(Exception):
    """The program could not be executed; the message is the system's."""


class Running:
    """A process group; `pid` is also its group number, `keeper` the ancestor of all it started."""

    def __init__(self, pid: int, keeper: int, signaller: Callable[[int, int], None]) -> None:
        self.pid = pid
        self.keeper = keeper
        self._signaller = signaller
        self._done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def signal(self, number: int) -> None:
        """Signal the whole group; nothing happens once it has ended."""
        if not self._done.done():
            self._signaller(self.pid, number)

    def ended(self, code: int) -> None:
        if not self._done.done():
            self._done.set_result(code)

    async def wait(self) -> int:
        """The exit code, 128 + signal for a killed one; may be awaited more than once."""
        return await asyncio.shield(self._done)


class Processes:
    """Talks to one spawner; `run` must be running before `start` is used."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._numbers = count(1)
        self._starting: dict[str, asyncio.Future[Running]] = {}
        self._running: dict[int, Running] = {}
        self.lost = asyncio.Event()

    async def run(self) -> None:
        """Start the spawner and read what it says until cancelled; however it ends, `lost` is set."""
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", str(_SPAWNER), str(self._theirs.fileno()),
            pass_fds=[self._theirs.fileno()], start_new_session=True, stdin=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        self._theirs.close()
        reader, writer = await asyncio.open_connection(sock=self._ours.dup())
        try:
            while True:
                (size,) = struct.unpack(">I", await reader.readexactly(4))
                self._heard(json.loads(await reader.readexactly(size)))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # it died
        finally:
            writer.close()
            self._ours.close()  # the spawner sees the end, kills what is left and exits
            try:
                await child.wait()
            finally:
                self._all_lost()

    def _heard(self, message: dict[str, int]) -> None:
        if "exited" in message:
            running = self._running.pop(message["exited"], None)
            if running is not None:
                running.ended(message["code"])
            return
        waiting = self._starting.pop(str(message.get("started") or message.get("failed")))
        if "started" in message:
            # known before the next message is read: the exit may be right behind
            running = Running(message["pid"], message["keeper"], self._signal)
            self._running[running.pid] = running
            waiting.set_result(running)
        else:
            waiting.set_exception(LaunchFailed(os.strerror(message["errno"])))

    def _all_lost(self) -> None:
        for running in self._running.values():
            running.ended(128 + signal.SIGKILL)
        for waiting in self._starting.values():
            if not waiting.done():
                waiting.set_exception(LaunchFailed("the spawner is gone"))
        self.lost.set()

    async def start(self, launch: Launch, output: int) -> Running:
        """Run it with this descriptor as standard output and error. Raises LaunchFailed.

        Whoever is cancelled meanwhile, as a probe whose container ends, leaves nothing behind. The
        environment gets MAESTRO_CONTAINER_ID, which tells a pod's processes from the platform's.
        """
        name = f"{os.getpid()}-{next(self._numbers)}"
        environment = {**launch.environment, "MAESTRO_CONTAINER_ID": name}
        order = {"argv": list(launch.argv), "env": environment, "cwd": str(launch.folder)}
        started: asyncio.Future[Running] = asyncio.get_running_loop().create_future()
        self._starting[name] = started
        # the order travels in an unlinked file: it may be large, and messages must stay atomic
        try:
            with tempfile.TemporaryFile() as file:
                file.write(json.dumps(order).encode("utf-8", "surrogateescape"))
                file.flush()
                socket.send_fds(self._ours, [_framed({"start": name})], [output, file.fileno()])
        except OSError as problem:  # a full disk, or a spawner that does not listen
            del self._starting[name]
            raise LaunchFailed(f"the spawner was not told: {problem}") from None
        try:
            return await asyncio.shield(started)
        except asyncio.CancelledError:
            started.add_done_callback(_end)
            raise

    def _signal(self, pid: int, number: int) -> None:
        try:
            self._ours.send(_framed({"signal": pid, "number": number}))
        except BlockingIOError:  # the spawner is stopped: try again when it may have moved
            asyncio.get_running_loop().call_later(0.1, self._signal, pid, number)
        except OSError:
            self._all_lost()


def _end(started: asyncio.Future[Running]) -> None:
    """Nobody waits for what was started."""
    if started.exception() is None:
        started.result().signal(signal.SIGKILL)


def _framed(message: object) -> bytes:
    body = json.dumps(message).encode()
    return struct.pack(">I", len(body)) + body
