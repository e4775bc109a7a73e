"""A process: sh, bash or Python.

Invariant: values reach it as environment variables only; it is the leader of its own process group,
and when it ends, by itself, by time-out or by cancellation, nothing of that group is left.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import IO

from maestro_cli.core.errors import ActionFailed, ExitCode, InvalidFile
from maestro_cli.core.quantities import format_duration
from maestro_cli.runbooks.model import State, Step, StepOutcome
from maestro_cli.runbooks.steps.expected import with_value
from maestro_cli.runbooks.steps.kind import Work
from maestro_cli.runbooks.steps.output import Kept

GRACE_SECONDS = 5.0  # between SIGTERM and SIGKILL
_POLL_SECONDS = 0.02  # at most; a short step is looked at more often, so that little is added to it
_FIRST_POLL_SECONDS = 0.0005
_POLL_SHARE = 8
_TELL_SECONDS = 0.2
_DRAIN_SECONDS = 2.0


class ShellStep:
    """`program` is looked up on the path; empty means this Python."""

    def __init__(self, program: str, *arguments: str) -> None:
        self._program = program
        self._arguments = arguments

    def check(self, step: Step, file: str) -> None:
        if not step.body.strip():
            raise InvalidFile("the fence is empty", file=file, line=step.line, key=step.path)

    def variables(self, step: Step) -> set[str]:
        return set()  # the shell knows them as environment variables

    def run(self, step: Step, work: Work) -> StepOutcome:
        """Run it once; exit status 0 is OK."""
        process = self._start(step, work)
        out, err = Kept(), Kept()
        threads = [_reader(process.stdout, out), _reader(process.stderr, err)]
        ended = _wait(process, step.timeout_seconds, work, (out, err))
        for thread in threads:
            thread.join(_DRAIN_SECONDS)
        text = "\n".join(
            part.rstrip("\n") for part in (out.text(work.redactor), err.text(work.redactor)) if part
        )
        return _outcome(step, work, process.returncode, ended, text, out.whole())

    def _start(self, step: Step, work: Work) -> subprocess.Popen[bytes]:
        program = self._program or sys.executable
        folder = work.folder / step.cwd
        if not folder.is_dir():
            raise ActionFailed(f"the folder {step.cwd or work.folder} is not there", fix="look at cwd")
        own = {
            "MAESTRO_RUN": work.run_id,
            "MAESTRO_STEP": step.path,
            "MAESTRO_KEY": work.key,
            "MAESTRO_INCIDENT": work.incident or "",
        }
        try:
            return subprocess.Popen(
                [program, *self._arguments, step.body],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=folder,
                env={**work.environment, **work.values, **work.secrets, **own},
                start_new_session=True,
                pass_fds=work.inherited,
            )
        except OSError as error:
            raise ActionFailed(
                f"{program} cannot be started",
                why=error.strerror or str(error),
                fix=f"is {program} installed?",
            ) from error


def _reader(stream: IO[bytes] | None, kept: Kept) -> threading.Thread:
    def read() -> None:
        assert stream is not None  # both are pipes
        with stream, contextlib.suppress(OSError, ValueError):
            while data := os.read(stream.fileno(), 65536):
                kept.add(data)

    thread = threading.Thread(target=read, name="step-output", daemon=True)
    thread.start()
    return thread


def _wait(
    process: subprocess.Popen[bytes], timeout_seconds: float, work: Work, said: Sequence[Kept]
) -> State:
    """Wait for the leader and tell what it prints, then end its group; OK when it ended by itself."""
    started = told = work.clock.monotonic()
    shown = ""
    ended = State.OK
    while not _has_ended(process):
        elapsed = work.clock.monotonic() - started
        pause = min(max(elapsed / _POLL_SHARE, _FIRST_POLL_SECONDS), _POLL_SECONDS)
        if elapsed >= timeout_seconds:
            ended = State.TIMED_OUT
        elif work.cancellation.wait(pause):
            ended = State.CANCELLED
        if ended is not State.OK:
            _terminate(process)
            break
        if elapsed - (told - started) >= _TELL_SECONDS:
            told = started + elapsed
            now = "\n".join(filter(None, (kept.recent(work.redactor) for kept in said)))
            if now != shown:
                shown = now
                work.progress.update(now)
    # The leader has ended but is not reaped, so its group id cannot belong to anybody else yet.
    _signal_group(process, signal.SIGKILL)
    process.wait()
    return ended


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended, leaving it unreaped where the system can (macOS before Python 3.13 cannot)."""
    if not hasattr(os, "waitid"):
        return process.poll() is not None
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _terminate(process: subprocess.Popen[bytes]) -> None:
    _signal_group(process, signal.SIGTERM)
    patience = threading.Event()
    waited = 0.0
    while waited < GRACE_SECONDS and not _has_ended(process):
        patience.wait(_POLL_SECONDS)
        waited += _POLL_SECONDS


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _outcome(step: Step, work: Work, status: int, ended: State, text: str, stdout: str | None) -> StepOutcome:
    if ended is State.TIMED_OUT:
        reason = f"ran longer than {format_duration(step.timeout_seconds)}"
        return StepOutcome(ended, reason, output=text, exit_code=ExitCode.TIMEOUT)
    if ended is State.CANCELLED:
        # What a step that alters the world had done by then, only its probe can tell.
        state = State.UNKNOWN if step.mutates else State.CANCELLED
        return StepOutcome(state, "ended by cancellation", output=text)
    if status != 0:
        how = f"ended with {status}" if status > 0 else f"was ended by {signal.Signals(-status).name}"
        return StepOutcome(State.FAILED, how, output=text, process_exit=status)
    ended_well = StepOutcome(State.OK, "ended with 0", output=text, process_exit=0)
    return with_value(step, ended_well, stdout.strip() if stdout is not None else None, work.redactor)
