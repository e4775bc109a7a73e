"""Parts of the platform that a drill or an experiment has stopped: the process is there and does nothing.

Invariant: a part that is marked as stopped is not taken for one that hangs, so the supervisor leaves it alone
until it is resumed; resuming what runs does nothing, and a mark outlives no platform. A mark may say when it
is over: then the supervisor has the part go on, whether who stopped it lives or not. It says for whom, and
who is named by another mark resumes nothing.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import psutil

from maestro_cli.core.clock import Clock, from_rfc3339, to_rfc3339
from maestro_cli.core.errors import GateNotMet
from maestro_cli.core.files import write_atomically
from maestro_cli.local.platform_status import platform_status

_FOLDER = "stopped"
_FOR_GOOD = "-"


def kubelet_part(node: str) -> str:
    """The part of the platform that is this node's kubelet."""
    return node.replace("node-", "kubelet-", 1)


def is_marked(state: Path, part: str) -> bool:
    """Whether somebody stopped this part on purpose."""
    return (state / _FOLDER / part).exists()


def is_over(state: Path, part: str, now: datetime) -> bool:
    """Whether its mark says that it was to be stopped until now, and no longer."""
    try:
        until, _, _ = (state / _FOLDER / part).read_text("ascii").strip().partition(" ")
        return bool(until) and until != _FOR_GOOD and from_rfc3339(until) <= now
    except (OSError, ValueError):
        return False


def stopped_for(state: Path, part: str) -> str:
    """Whom its mark names; "" where it names nobody, and where there is none."""
    try:
        return (state / _FOLDER / part).read_text("ascii").strip().partition(" ")[2]
    except (OSError, ValueError):
        return ""


def unmark(state: Path, part: str) -> None:
    (state / _FOLDER / part).unlink(missing_ok=True)


def stop_part(state: Path, part: str, clock: Clock, note: str, until: datetime | None = None) -> None:
    """SIGSTOP, marked before, for good or until then; `note` says for whom, in a word. Raises GateNotMet when
    it does not run.
    """
    pid = _pid(state, part, clock)
    if pid is None:
        raise GateNotMet(f"{part} does not run", fix="maestro local status")
    mark = state / _FOLDER / part
    mark.parent.mkdir(mode=0o700, exist_ok=True)
    ends = _FOR_GOOD if until is None else to_rfc3339(until)
    write_atomically(mark, f"{ends} {note}", mode=0o600)
    if not _signal(pid, signal.SIGSTOP):
        unmark(state, part)
        raise GateNotMet(f"{part} has just ended", fix="maestro local status")


def resume_part(state: Path, part: str, clock: Clock, note: str) -> bool:
    """SIGCONT, and take the mark away, unless that names somebody else; whether it was stopped."""
    if stopped_for(state, part) not in ("", note):
        return False
    pid = _pid(state, part, clock)
    was_stopped = _does_nothing(pid)
    if pid is not None:
        _signal(pid, signal.SIGCONT)
    unmark(state, part)
    return was_stopped


def is_stopped(state: Path, part: str, clock: Clock) -> bool:
    """Whether its process does nothing now, as the system tells."""
    return _does_nothing(_pid(state, part, clock))


def stopped_parts(state: Path) -> Sequence[str]:
    """The names of the parts that are marked."""
    folder = state / _FOLDER
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def _does_nothing(pid: int | None) -> bool:
    """Whether it is stopped; one that ended meanwhile is not."""
    try:
        return pid is not None and psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.NoSuchProcess:
        return False


def _signal(pid: int, which: signal.Signals) -> bool:
    """Whether it was still there."""
    try:
        os.kill(pid, which)
    except ProcessLookupError:
        return False
    return True


def _pid(state: Path, part: str, clock: Clock) -> int | None:
    """Of this platform's process alone, whoever has the number now."""
    return next((one.pid for one in platform_status(state, clock).parts if one.name == part), None)
