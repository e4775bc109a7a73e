"""The parent's end of the child that performs an experiment.

Invariant: the child ends: well, by being told to, or by SIGKILL of its whole process group; nothing of that
group outlives it. What it answers to is given in threads of their own, so that a stop is never waited for.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from maestro_cli.chaos.line import Line
from maestro_cli.core.errors import MaestroError, defect

LAST_SECONDS = 20.0  # for a child that is not heard any more, to roll back and end
MODULE = "maestro_cli.chaos.worker"
INSISTING_SECONDS = 0.1
Events = Callable[[Mapping[str, Any]], None]
Answers = Callable[[str, Mapping[str, Any]], Any]


class Child:
    """One performance. `heard` is given each event, `answer` each request; both by other threads."""

    def __init__(
        self,
        order: Mapping[str, Any],
        heard: Events,
        answer: Answers,
        *,
        log: Path,
        environment: Mapping[str, str],
    ) -> None:
        ours, theirs = socket.socketpair()
        with log.open("ab") as stream, theirs:
            self._process = subprocess.Popen(
                # -P: nothing of the folder that one happens to be in is imported
                [sys.executable, "-P", "-m", MODULE, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                env=dict(environment),
            )
        self._heard, self._answer = heard, answer
        self._line = Line(ours)
        self._signalling = threading.Lock()
        self._is_reaped = False
        self._told_to_stop = False
        self._heeded = threading.Event()  # it rolls back, or is over
        self._how = ""
        self._killed = False
        self.unheard = ""  # why what it says is not heard any more, though it may be at work
        self.journal: Mapping[str, Any] | None = None
        self.over = threading.Event()
        with suppress(OSError):  # it ended at once: whoever waits sees how
            self._line.send({"order": order})
        threading.Thread(target=self._listen, daemon=True, name="experiment").start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        """End what is under way, and have it roll back; once."""
        if not self._told_to_stop:
            self._told_to_stop = True
            threading.Thread(target=self._insist, daemon=True, name="stop").start()

    def _insist(self) -> None:
        """A signal that comes right before something waits does not end the wait: another one does."""
        while not self._heeded.is_set():
            with self._signalling, suppress(ProcessLookupError):
                if not self._is_reaped:
                    os.kill(self._process.pid, signal.SIGUSR1)
            self._heeded.wait(INSISTING_SECONDS)

    def kill(self) -> None:
        """End it and all that it started, at once."""
        with self._signalling:
            if not self._is_reaped:
                self._killed = True
                self._kill_group()

    def ended(self) -> str:
        """How it ended, "" when it gave its journal; nothing of its group is left. Waits for it."""
        self.over.wait()
        return self._how

    def _listen(self) -> None:
        """Whatever comes of it, the child ends: unheard, it rolls back as one whose parent is gone."""
        try:
            self._hear_out()
        except Exception as error:  # noqa: BLE001 - nobody would wait for its end, or see it
            self.unheard = defect(error)
        last = threading.Timer(LAST_SECONDS, self.kill)
        last.daemon = True
        last.start()
        try:
            self._line.hang_up()
            self._how = self._reaped()
        finally:
            last.cancel()
            self._line.close()
            self._heeded.set()
            self.over.set()

    def _hear_out(self) -> None:
        for message in self._line.messages():
            if "request" in message:
                threading.Thread(target=self._give, args=(message,), daemon=True, name="answer").start()
                continue
            if message.get("event") == "finished":
                self.journal = message["journal"]
            if message.get("event") == "rollbacks":
                self._heeded.set()
            self._heard(message)
        self.unheard = self._line.broken

    def _give(self, message: Mapping[str, Any]) -> None:
        number = message["request"]
        try:
            said: dict[str, Any] = {"value": self._answer(str(message["do"]), message.get("arguments") or {})}
        except MaestroError as error:
            said = {"error": "; ".join(filter(None, (error.what, error.why)))}
        except Exception as error:  # noqa: BLE001 - the child waits for an answer, whatever happened
            said = {"error": defect(error)}
        with suppress(OSError):
            self._line.send({"answer": number, **said})

    def _reaped(self) -> str:
        """Wait for its end, and end its group while its number cannot be anybody else's yet."""
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        with self._signalling:
            self._kill_group()
            code = self._process.wait()
            self._is_reaped = True  # its number may be anybody's from here on
        if self.journal is not None:
            return ""
        if self.unheard:
            return f"what its process said could not be understood: {self.unheard}"
        if self._killed:
            return "it did not end in time and was killed"
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"the process that performed it ended without a journal ({how})"

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
