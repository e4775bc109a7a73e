"""The parent of every process in the node's pods. Run as a file by `python -I -S`, not imported.

Invariant: what a container starts ends with it. Each container has a keeper, a fork of this process that
inherits (as the child subreaper, on Linux) whatever leaves the container's process group, and kills all
of it when the container's own process is over. The keepers are this process's only children: any other is
what a killed keeper left behind, and is killed at sight. When the kubelet is gone (its end of the socket
closes), everything is killed; when this process is, each keeper sees to its own container.

Wire format on the stream socket: 4 bytes length, big-endian, then JSON. To the spawner: {"start":
id} with two file descriptors, standard output and a file with {argv, env, cwd}, and {"signal": pid,
"number": n}. From it: {"started": id, "pid": n, "keeper": n} or {"failed": id, "errno": n}, and
{"exited": pid, "code": n}, code as a shell has it (128 + signal).
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import select
import signal
import socket
import struct
import sys
from typing import Any

_LINUX = sys.platform == "linux"
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_KILLED = 128 + signal.SIGKILL
_libc = ctypes.CDLL(None, use_errno=True)


class Spawner:
    """Starts, signals and reaps; one thread, so that fork is safe."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._keepers: dict[int, int] = {}  # pid of a keeper, to its container's group leader
        self._inbox = b""
        self._descriptors: list[int] = []
        _inherit_orphans()

    def serve(self) -> None:
        """Work until the kubelet is gone, then kill what is left."""
        readable, writable = os.pipe()
        os.set_blocking(readable, False)
        os.set_blocking(writable, False)
        signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        try:
            while True:
                ready, _, _ = select.select([self._connection.fileno(), readable], [], [])
                if readable in ready:
                    os.read(readable, 4096)
                    self._reap()
                if self._connection.fileno() in ready and not self._receive():
                    return
        finally:
            self._kill_everything()

    def _receive(self) -> bool:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._connection, 1 << 16, 8)
        except ConnectionError:
            return False
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        self._descriptors += descriptors
        if not data:
            return False
        self._inbox += data
        while len(self._inbox) >= 4:
            (size,) = struct.unpack(">I", self._inbox[:4])
            if len(self._inbox) < 4 + size:
                break
            message = json.loads(self._inbox[4 : 4 + size])
            self._inbox = self._inbox[4 + size :]
            if "start" in message:
                self._start(message["start"], self._descriptors.pop(0), self._descriptors.pop(0))
            elif message["signal"] in self._keepers.values():
                _signal_group(message["signal"], message["number"])
        return True

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps(message).encode()
        try:
            self._connection.sendall(struct.pack(">I", len(body)) + body)
        except OSError:  # the kubelet is gone: the next read says so
            return

    def _start(self, name: str, output: int, order_file: int) -> None:
        os.lseek(order_file, 0, os.SEEK_SET)
        with open(order_file, encoding="utf-8", errors="surrogateescape") as file:
            order = json.load(file)
        told, tell = os.pipe()
        try:
            spawner, keeper = os.getpid(), os.fork()
            if keeper == 0:
                _keep(order, output, tell, spawner)
        except OSError as problem:  # the machine has no room for another process: the others go on
            os.close(told)
            self._send({"failed": name, "errno": problem.errno or errno.EAGAIN})
            return
        finally:
            os.close(output)
            os.close(tell)
        answer = os.read(told, 64).decode()
        os.close(told)
        if not answer.startswith("pid "):
            os.waitpid(keeper, 0)
            self._send({"failed": name, "errno": int(answer or errno.EAGAIN)})
            return
        leader = int(answer.removeprefix("pid "))
        self._keepers[keeper] = leader
        self._send({"started": name, "pid": leader, "keeper": keeper})

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                break
            leader = self._keepers.pop(pid, None)
            if leader is not None:
                code = os.waitstatus_to_exitcode(status)
                self._send({"exited": leader, "code": code if code >= 0 else _KILLED})
        for pid in _children(os.getpid()):
            if pid not in self._keepers:
                _kill(pid)

    def _kill_everything(self) -> None:
        for leader in self._keepers.values():
            _signal_group(leader, signal.SIGKILL)
        while True:
            for pid in _descendants(os.getpid()):
                _kill(pid)
            try:
                os.wait()
            except ChildProcessError:
                return


def _keep(order: dict[str, Any], output: int, tell: int, spawner: int) -> None:
    """As a keeper: start the container, outlive it, leave nothing of it; never returns."""
    code = _KILLED
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, lambda *_: _end_without_spawner())
        _signal_at_death_of_parent(signal.SIGTERM)
        if os.getppid() != spawner:
            os._exit(code)
        _inherit_orphans()
        for descriptor in range(3, 256):
            if descriptor not in (output, tell):
                _close(descriptor)
        leader = _launch(order, output, tell)
        os.close(output)
        os.write(tell, f"pid {leader}".encode())
        os.close(tell)
        code = _wait_for(leader)
        # the leader stays a zombie until the spawner has seen us go: nobody else gets its number
        _signal_group(leader, signal.SIGKILL)
        _kill_all_but(leader)
    finally:
        os._exit(code)


def _launch(order: dict[str, Any], output: int, tell: int) -> int:
    """Fork the group leader; its pid. Exits after telling why when it cannot be executed."""
    told, silent = os.pipe()  # closes on exec: silence means success
    keeper = os.getpid()
    leader = os.fork()
    if leader == 0:
        _become(order, output, silent, keeper)
    os.close(silent)
    problem = os.read(told, 16)
    os.close(told)
    if problem:
        os.write(tell, problem)
        os._exit(127)
    return leader


def _become(order: dict[str, Any], output: int, tell: int, keeper: int) -> None:
    """In the container's process: a session of its own, killed when its keeper dies; never returns."""
    try:
        os.setsid()
        _signal_at_death_of_parent(signal.SIGKILL)
        if os.getppid() != keeper:
            os._exit(_KILLED)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(order["cwd"])
        os.execvpe(order["argv"][0], order["argv"], order["env"])
    except OSError as problem:
        os.write(tell, str(problem.errno or errno.EINVAL).encode())
    except ValueError:  # a NUL in an argument
        os.write(tell, str(errno.EINVAL).encode())
    finally:
        os._exit(127)


def _wait_for(leader: int) -> int:
    """Reap whatever ends before the leader; the leader's exit code."""
    while True:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        if found is not None and found.si_pid == leader:
            ended = found.si_code == os.CLD_EXITED
            return found.si_status if ended else 128 + found.si_status
        if found is not None:
            os.waitpid(found.si_pid, 0)


def _kill_all_but(leader: int) -> None:
    while True:
        others = [pid for pid in _descendants(os.getpid()) if pid != leader]
        if not others:
            return
        for pid in others:
            _kill(pid)
        for pid in _children(os.getpid()):
            if pid != leader:
                os.waitpid(pid, 0)


def _end_without_spawner() -> None:
    """The spawner died: nobody is left to tell, and nothing of the container may stay."""
    _kill_all_but(0)
    os._exit(_KILLED)


def _signal_at_death_of_parent(number: int) -> None:
    if _LINUX:
        _libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


def _inherit_orphans() -> None:
    if _LINUX:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _signal_group(leader: int, number: int) -> None:
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):  # it ended meanwhile; macOS says EPERM for zombies
        return


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        return


def _close(descriptor: int) -> None:
    try:
        os.close(descriptor)
    except OSError:
        return


def _descendants(pid: int) -> list[int]:
    """All descendants of a process, as /proc tells them; none where there is no /proc."""
    found: list[int] = []
    pending = [pid]
    while pending:
        children = _children(pending.pop())
        found += children
        pending += children
    return found


def _children(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(text) for text in file.read().split()]
    except OSError:
        return []


def main() -> None:
    """Serve the kubelet on the inherited socket whose number is the only argument."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # it outlives a signal to the group; only its socket ends it
    connection = socket.socket(fileno=int(sys.argv[1]))
    Spawner(connection).serve()


if __name__ == "__main__":
    main()
