"""The parent of every process in the node's pods. Run as a file by `python -I -S`, not imported.

Invariant: it starts nothing of its own; when the kubelet is gone (its end of the socket closes), it
kills every process it started and every descendant they left behind, and ends. As the child
subreaper (Linux) it inherits those that escaped their group.

Wire format on the stream socket: 4 bytes length, big-endian, then JSON. To the spawner: {"start":
id} with two file descriptors, standard output and a file with {argv, env, cwd}, and {"signal": pid,
"number": n}. From it: {"started": id, "pid": n} or {"failed": id, "errno": n}, and {"exited": pid,
"code": n}, code as a shell has it (128 + signal).
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
_MARK = b"MAESTRO_CONTAINER_ID="


class Spawner:
    """Starts, signals and reaps; one thread, so that fork is safe."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._leaders: dict[int, str] = {}  # pid of a group leader, to its container id
        self._inbox = b""
        self._descriptors: list[int] = []
        if _LINUX:
            self._libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

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
            elif message["signal"] in self._leaders:
                self._signal(message["signal"], message["number"])
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
        told, tell = os.pipe()  # closes on exec: silence means success
        pid = os.fork()
        if pid == 0:
            self._become(order, output, tell)
        os.close(output)
        os.close(tell)
        problem = os.read(told, 16)
        os.close(told)
        if problem:
            os.waitpid(pid, 0)
            self._send({"failed": name, "errno": int(problem)})
            return
        self._leaders[pid] = name
        self._send({"started": name, "pid": pid})

    def _become(self, order: dict[str, Any], output: int, tell: int) -> None:
        """In the child: a session of its own, killed when the spawner dies; never returns."""
        try:
            os.setsid()
            if _LINUX:
                self._libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            signal.set_wakeup_fd(-1)
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

    def _signal(self, pid: int, number: int) -> None:
        try:
            os.killpg(pid, number)
        except ProcessLookupError:
            return  # it ended by itself meanwhile; strays are looked for when it is reaped

    def _reap(self) -> None:
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is None:
                return
            pid = found.si_pid
            container = self._leaders.pop(pid, None)
            if container is not None:
                # still a zombie, so the group number cannot have been given to somebody else
                self._kill_group(pid)
                self._kill_strays({container})
            os.waitpid(pid, 0)
            if container is not None:
                killed = found.si_code != os.CLD_EXITED
                code = 128 + found.si_status if killed else found.si_status
                self._send({"exited": pid, "code": code})

    def _kill_group(self, pid: int) -> None:
        try:
            os.killpg(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # macOS says EPERM for a group of zombies
            return

    def _kill_strays(self, containers: set[str]) -> None:
        """Kill processes that left their group but carry the mark of one of these containers."""
        if not _LINUX:
            return
        wanted = {_MARK + container.encode() for container in containers}
        for pid in _descendants(os.getpid()):
            if pid in self._leaders:
                continue
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    if wanted.intersection(file.read().split(b"\0")):
                        os.kill(pid, signal.SIGKILL)
            except OSError:
                continue

    def _kill_everything(self) -> None:
        for pid in self._leaders:
            self._kill_group(pid)
        while True:
            for pid in _descendants(os.getpid()) if _LINUX else ():
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    continue
            try:
                os.wait()
            except ChildProcessError:
                return


def _descendants(pid: int) -> list[int]:
    """All live descendants of a process, as /proc tells them."""
    found: list[int] = []
    pending = [pid]
    while pending:
        try:
            parent = pending.pop()
            with open(f"/proc/{parent}/task/{parent}/children") as file:
                children = [int(text) for text in file.read().split()]
        except OSError:
            continue
        found += children
        pending += children
    return found


def main() -> None:
    """Serve the kubelet on the inherited socket whose number is the only argument."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # it outlives a signal to the group; only its socket ends it
    connection = socket.socket(fileno=int(sys.argv[1]))
    Spawner(connection).serve()


if __name__ == "__main__":
    main()
