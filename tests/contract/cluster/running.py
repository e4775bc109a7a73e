"""The processes of a platform under test."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from maestro_cli.local.process import read_announcement
from tests.patience import PATIENCE_SECONDS

_PACE = threading.Event()
# every period short, so that a test of a back-off or of a lost node takes seconds
# but a node is not lost because the machine is busy: its processes may get no turn for seconds
NODE_GRACE, EVICT_AFTER = 20, 1
# events that the light cluster keeps a kind: few, so that a test can outrun them and be told 410
HISTORY = 600
CONTROLLERS = ("--node-grace", str(NODE_GRACE), "--evict-after", str(EVICT_AFTER))
KUBELET = (
    "--backoff-initial", "0.5", "--backoff-max", "4", "--volume-refresh", "0.3", "--lease-renew", "0.5",
    "--shutdown-grace", "0.5",
)  # fmt: skip


def until(holds: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """The first true answer, or a failure that says what was waited for.

    `seconds` can only lengthen the wait: how busy the machine is decides nothing.
    """
    seconds = max(seconds, PATIENCE_SECONDS)
    deadline = time.monotonic() + seconds
    while True:
        answer = holds()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {seconds:g} s for: {what}"
        _PACE.wait(0.05)


class Platform:
    """The processes of one cluster; `kind` is lite or kubernetes."""

    def __init__(self, state: Path, kind: str = "lite") -> None:
        self.state = state
        self.kind = kind
        self.marker = f"test-{uuid.uuid4().hex}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        (state / "logs").mkdir(parents=True)

    def start(self, name: str, module: str, *options: str) -> None:
        """Start one part and wait until it has announced itself."""
        (self.state / "run" / f"{name}.json").unlink(missing_ok=True)
        self.spawn(
            name, sys.executable, "-m", f"maestro_cli.local.{module}", "--state", str(self.state), *options
        )
        process = self.processes[name]
        until(lambda: read_announcement(self.state, name) or process.poll() is not None, name, 90)
        assert process.poll() is None, self.log(name)[-3000:]

    def spawn(self, name: str, *command: str) -> None:
        """Start one process, its output in the log of that name."""
        with (self.state / "logs" / f"{name}.log").open("ab") as log:
            environment = {**os.environ, "MAESTRO_LOCAL_PLATFORM": self.marker}
            self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, env=environment)

    def start_node(self, letter: str) -> None:
        index = str("abc".index(letter) + 1)
        place = ("--node", f"node-{letter}", "--zone", f"zone-{letter}", "--index", index)
        self.start(f"kubelet-{letter}", "kubelet", *place, *KUBELET)

    def log(self, name: str) -> str:
        return (self.state / "logs" / f"{name}.log").read_text()

    def announced(self, name: str) -> dict[str, Any]:
        facts = read_announcement(self.state, name)
        assert facts is not None
        return facts

    def end(self, name: str) -> None:
        """Stop one part, if it still runs."""
        process = self.processes.pop(name)
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop(self) -> None:
        """Stop all, the cluster last."""
        for name in reversed(list(self.processes)):
            self.end(name)

    def survivors(self) -> list[int]:
        """Pids of live processes that carry this platform's marker."""
        found = []
        mark = f"MAESTRO_LOCAL_PLATFORM={self.marker}".encode()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if mark in (entry / "environ").read_bytes().split(b"\0"):
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found
