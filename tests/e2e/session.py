"""A newcomer's terminal: `maestro` as a process, with state of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

KUBECTL = Path(sys.executable).with_name("kubectl")


class Session:
    """Runs commands with their own XDG folders, and knows which processes they left."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {
            **os.environ,
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "KUBECACHEDIR": str(home / "kubecache"),
            "MAESTRO_ACTOR": "tester",
        }

    @property
    def state(self) -> Path:
        return self.home / "state" / "maestro"

    @staticmethod
    def command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "maestro_cli", *arguments]

    def start(self, *arguments: str, extra: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.home,
            env={**self.environment, **(extra or {})},
        )

    def run(
        self, *arguments: str, timeout: float = 180.0, extra: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, extra=extra)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"maestro {' '.join(arguments)} took over {timeout} s: {err}") from None
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def json(self, *arguments: str) -> Any:
        """The JSON a command prints; its exit code does not matter."""
        return json.loads(self.run(*arguments, "-o", "json").stdout)

    def kubectl(self, *arguments: str) -> str:
        config = self.run("local", "kubeconfig").stdout.strip()
        return subprocess.run(
            [str(KUBECTL), *arguments, "--kubeconfig", config],
            capture_output=True,
            text=True,
            check=True,
            timeout=180,
            env=self.environment,
        ).stdout

    def survivors(self) -> list[str]:
        """Processes that work in this home: by their marker, working folder or arguments."""
        found = []
        for process in psutil.process_iter():
            try:
                words = process.cmdline()
                marked = "MAESTRO_LOCAL_PLATFORM" in process.environ() and str(self.home) in str(
                    process.environ().get("XDG_STATE_HOME", "")
                )
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue
            if marked or any(str(self.home) in word for word in words):
                found.append(f"{process.pid} {' '.join(words)[:120]}")
        return found

    def supervisor(self) -> int:
        return int(self.json("local", "status")["supervisor_pid"])

    def kill_supervisor(self) -> None:
        pid = self.supervisor()
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not psutil.pid_exists(pid))


@contextmanager
def platform_up(home: Path) -> Iterator[Session]:
    """A session whose embedded platform is up, and leaves no process when it is over."""
    session = Session(home)
    try:
        up = session.run("local", "up", "-o", "json")
        assert up.returncode == 0, up.stderr
        yield session
    finally:
        session.run("local", "down")
        assert session.survivors() == []


def eventually(holds: Any, seconds: float = 90.0) -> None:
    """Wait for a condition; AssertionError when it does not come."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
