"""Parts of the platform that a drill has stopped: the process is there and does nothing.

Invariant: a part that is marked as stopped is not taken for one that hangs, so the supervisor leaves it alone
until it is resumed; resuming what runs does nothing, and a mark outlives no platform.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import psutil

from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import GateNotMet
from maestro_cli.local.platform_status import platform_status

_FOLDER = "stopped"


def is_marked(state: Path, part: str) -> bool:
    """Whether somebody stopped this part on purpose."""
    return (state / _FOLDER / part).exists()


def stop_part(state: Path, part: str, clock: Clock) -> None:
    """SIGSTOP, marked before. Raises GateNotMet when it does not run."""
    pid = _pid(state, part, clock)
    if pid is None:
        raise GateNotMet(f"{part} does not run", fix="maestro local status")
    mark = state / _FOLDER / part
    mark.parent.mkdir(mode=0o700, exist_ok=True)
    mark.touch(mode=0o600)
    os.kill(pid, signal.SIGSTOP)


def resume_part(state: Path, part: str, clock: Clock) -> bool:
    """SIGCONT, and take the mark away; whether it was stopped."""
    pid = _pid(state, part, clock)
    was_stopped = pid is not None and psutil.Process(pid).status() == psutil.STATUS_STOPPED
    if pid is not None:
        os.kill(pid, signal.SIGCONT)
    (state / _FOLDER / part).unlink(missing_ok=True)
    return was_stopped


def stopped_parts(state: Path) -> Sequence[str]:
    """The names of the parts that are marked."""
    folder = state / _FOLDER
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def _pid(state: Path, part: str, clock: Clock) -> int | None:
    """Of this platform's process alone, whoever has the number now."""
    return next((one.pid for one in platform_status(state, clock).parts if one.name == part), None)
