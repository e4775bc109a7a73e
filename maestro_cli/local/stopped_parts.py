"""Parts of the platform that a drill or an experiment has stopped: the process is there and does nothing.

Invariant: a part that is marked as stopped is not taken for one that hangs, so the supervisor leaves it alone
until it is resumed; resuming what runs does nothing, and a mark outlives no platform. A mark may say when it
is over: then the supervisor has the part go on, whether who stopped it lives or not. It says for whom, and
who is named by another mark resumes nothing. A part may be stopped with all that it started, as a machine
without power is: then all of that goes on with it.
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
_WITH_ALL = "with-all"  # the last word of a mark


def kubelet_part(node: str) -> str:
    """The part of the platform that is this node's kubelet."""
    return node.replace("node-", "kubelet-", 1)


def is_marked(state: Path, part: str) -> bool:
    """Whether somebody stopped this part on purpose."""
    return (state / _FOLDER / part).exists()


def is_over(state: Path, part: str, now: datetime) -> bool:
    """Whether its mark says that it was to be stopped until now, and no longer."""
    until = _words(state, part)[0]
    try:
        return until not in ("", _FOR_GOOD) and from_rfc3339(until) <= now
    except ValueError:
        return False


def stopped_for(state: Path, part: str) -> str:
    """Whom its mark names; "" where it names nobody, and where there is none."""
    return _words(state, part)[1]


def go_on(state: Path, part: str, pid: int) -> None:
    """SIGCONT to the process of a part, and to what it started where that was stopped with it; unmarked."""
    if _words(state, part)[2] == _WITH_ALL:
        for one in _started_by(pid):
            _signal(one, signal.SIGCONT)
    _signal(pid, signal.SIGCONT)
    unmark(state, part)


def _words(state: Path, part: str) -> tuple[str, str, str]:
    """What its mark says: until when, for whom, and whether with all that it started."""
    try:
        until, note, more, *_ = [*(state / _FOLDER / part).read_text("ascii").split(), "", "", ""]
    except (OSError, ValueError):
        return "", "", ""
    return until, note, more


def unmark(state: Path, part: str) -> None:
    (state / _FOLDER / part).unlink(missing_ok=True)


def stop_part(
    state: Path, part: str, clock: Clock, note: str, until: datetime | None = None, *, with_all: bool = False
) -> None:
    """SIGSTOP, marked before, for good or until then; `note` says for whom, in a word. `with_all`: also to
    what it started. Raises GateNotMet when it does not run.
    """
    pid = _pid(state, part, clock)
    if pid is None:
        raise GateNotMet(f"{part} does not run", fix="maestro local status")
    mark = state / _FOLDER / part
    mark.parent.mkdir(mode=0o700, exist_ok=True)
    ends = _FOR_GOOD if until is None else to_rfc3339(until)
    write_atomically(mark, f"{ends} {note}{f' {_WITH_ALL}' if with_all else ''}", mode=0o600)
    if not _signal(pid, signal.SIGSTOP):
        unmark(state, part)
        raise GateNotMet(f"{part} has just ended", fix="maestro local status")
    for one in _started_by(pid) if with_all else ():  # it starts no more
        _signal(one, signal.SIGSTOP)


def resume_part(state: Path, part: str, clock: Clock, note: str) -> bool:
    """SIGCONT, and take the mark away, unless that names somebody else; whether it was stopped."""
    if stopped_for(state, part) not in ("", note):
        return False
    pid = _pid(state, part, clock)
    was_stopped = _does_nothing(pid)
    if pid is None:
        unmark(state, part)
    else:
        go_on(state, part, pid)
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


def _started_by(pid: int) -> Sequence[int]:
    """The processes below it, the nearest first; none where it is gone."""
    try:
        return [one.pid for one in psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return ()


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
