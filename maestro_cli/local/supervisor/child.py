"""One part as a process: start, readiness, exit, back-off.

Invariant: a process that was told to stop is not counted as one that crashed; one that answers no more is
killed, and counted.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from maestro_cli.core.clock import Clock, to_rfc3339
from maestro_cli.core.files import write_atomically
from maestro_cli.local.instance import PartRecord
from maestro_cli.local.ports import Ports
from maestro_cli.local.process import leashed
from maestro_cli.local.stopped_parts import go_on, is_marked, is_over
from maestro_cli.local.supervisor.model import Facts, Part
from maestro_cli.local.supervisor.pulse import Pulse

FIRST_BACKOFF_SECONDS = 0.2
MAX_BACKOFF_SECONDS = 10.0
_HEALTHY_SECONDS = 30.0  # a process that lived that long starts its back-off afresh
_BIND_SECONDS = 3.0  # a program that finds its port taken has ended by then


class Child:
    """A part and its current process. `facts` is None until the process is ready."""

    def __init__(self, part: Part, state: Path, environment: Mapping[str, str], ports: Ports, clock: Clock):
        self.part = part
        self.facts: Mapping[str, Any] | None = None
        self.early_exits = 0  # in a row, before it was ever ready
        self.restarts = 0
        self.reason = ""
        self._state = state
        self._environment = environment
        self._ports = ports
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at: datetime | None = None
        self._started = 0.0
        self._backoff = FIRST_BACKOFF_SECONDS
        self._retry_at = 0.0
        self._seen: dict[str, Mapping[str, Any] | None] = {}
        self._written: str | None = None
        self._unread = False  # the configuration changed since the process last read it
        self._wanted_stop = False
        self._pulse = Pulse(clock)
        self._is_hung = False

    @property
    def is_running(self) -> bool:
        return self._process is not None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def seconds_until_retry(self) -> float | None:
        """How long its back-off still lasts; None while it runs."""
        return None if self.is_running else max(0.0, self._retry_at - self._clock.monotonic())

    def is_due(self, facts: Facts) -> bool:
        """True when it should be started now."""
        return self.seconds_until_retry() == 0.0 and all(need in facts for need in self.part.needs)

    def start(self, facts: Facts) -> None:
        """Start the process; a program that cannot be executed counts as one that exited at once."""
        self._seen = {need: _known(facts, need) for need in self.part.needs}
        self.facts, self._wanted_stop, self._unread = None, False, False
        self._started, self._started_at = self._clock.monotonic(), self._clock.now()
        self._pulse, self._is_hung = Pulse(self._clock), False
        log = self._state / "logs" / f"{self.part.name}.log"
        with log.open("ab") as stream:
            try:
                self._process = _spawn(self.part, facts, stream.fileno(), self._state, self._environment)
            except OSError as error:
                self._exited(f"cannot be started: {error.strerror}")

    def reap(self) -> bool:
        """Notice an exit; True when there was one."""
        if self._process is None or self._process.poll() is None:
            return False
        code = self._process.returncode
        self._process = None
        self._pulse.stop()
        if self._wanted_stop:
            self.facts = None
            return True
        died_by = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"
        self._exited("it answered no more and was killed" if self._is_hung else died_by, killed=code < 0)
        return True

    async def look(self) -> bool:
        """Ask whether it is ready, and then whether it still answers; True when its facts changed."""
        if self._process is None:
            return False
        if self.facts is not None:
            if is_over(self._state, self.part.name, self._clock.now()):
                go_on(self._state, self.part.name, self._process.pid)
            if is_marked(self._state, self.part.name):
                self._pulse.stop()
                self._pulse = Pulse(self._clock)  # silent on purpose: counted from when it is resumed
            elif not self._wanted_stop and self._pulse.is_lost(self.facts):
                self._is_hung = True
                self.kill()
            return False
        self.facts = await self.part.ready(self._process.pid)
        if self.facts is not None:
            self.early_exits = 0
        return self.facts is not None

    def configure(self, facts: Facts) -> None:
        """Write the configuration when it changed, and have a ready process read it again."""
        if self.part.configuration is None:
            return
        import json

        file, content = self.part.configuration(facts)
        text = json.dumps(content, indent=1) + "\n"  # JSON is YAML
        if text != self._written:
            write_atomically(file, text, mode=0o600)
            self._written, self._unread = text, self.is_running
        if self._unread and self._process is not None and self.facts is not None:
            # not before it is ready: a Go program that has no handler yet ends on SIGHUP
            self._process.send_signal(signal.SIGHUP)
            self._unread = False

    def outdated(self, facts: Facts) -> bool:
        """True when something it needs came back different from what it was started with.

        Another process at the same address is not different: its clients connect again by themselves, and
        pods go on while the API server is away.
        """
        if self._process is None or self._wanted_stop:
            return False
        return any(need in facts and _known(facts, need) != self._seen[need] for need in self.part.needs)

    def ask_to_stop(self) -> None:
        """SIGTERM, and do not count the exit as a crash."""
        if self._process is not None:
            self._wanted_stop = True
            self._retry_at = self._clock.monotonic()
            self._process.terminate()
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGCONT)  # a stopped process must see SIGTERM

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()

    def record(self, facts: Facts, *, stopping: bool) -> PartRecord:
        """What to publish of it."""
        waits_for = [need for need in self.part.needs if need not in facts]
        if self.is_running:
            state, reason = ("ready" if self.facts is not None else "starting"), self.reason
        elif stopping:
            state, reason = "stopped", self.reason
        elif self.restarts or self.reason:
            state, reason = "failed", self.reason
        else:
            state, reason = "starting", f"waits for {', '.join(waits_for)}" if waits_for else ""
        started = to_rfc3339(self._started_at) if self._started_at and self.is_running else None
        shown = {key: value for key, value in (self.facts or {}).items() if key != "pid"}
        return PartRecord(self.part.name, state, self.pid, started, self.restarts, reason, shown)

    def _exited(self, reason: str, *, killed: bool = False) -> None:
        now = self._clock.monotonic()
        lived = now - self._started
        if lived >= _HEALTHY_SECONDS:
            self._backoff = FIRST_BACKOFF_SECONDS
        if self.facts is None:
            self.early_exits += 1
        # who finds its port taken ends by itself; who was killed comes back where its clients look for it
        if self.part.port_name and not killed and (self.facts is None or lived < _BIND_SECONDS):
            self._ports.taken(self.part.port_name)  # also when a stranger on it answered our probe
        self.facts = None
        self.reason = reason
        self.restarts += 1
        self._retry_at = now + self._backoff
        self._backoff = min(self._backoff * 2, MAX_BACKOFF_SECONDS)


def _known(facts: Facts, name: str) -> Mapping[str, Any] | None:
    found = facts.get(name)
    return None if found is None else {key: value for key, value in found.items() if key != "pid"}


def _spawn(
    part: Part, facts: Facts, log: int, state: Path, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    command = list(part.command(facts))
    program = shutil.which(command[0], path=environment.get("PATH"))
    if program is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    return subprocess.Popen(
        leashed([program, *command[1:]], orphan_signal=part.orphan_signal),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=state,
        env=dict(environment),
    )
