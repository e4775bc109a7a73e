"""Find and end every process of a platform by the marker in its environment.

Invariant: the marker is inherited, so whatever a pod forks is found too; the caller and its ancestors are
never ended. A process that died and is not yet reaped has no environment and counts as gone.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import Any

import psutil

from maestro_cli.core.clock import Clock
from maestro_cli.local.process import PLATFORM_VARIABLE

_GONE = (psutil.NoSuchProcess, psutil.ZombieProcess, ProcessLookupError)
_UNREADABLE = (*_GONE, psutil.AccessDenied, PermissionError, OSError)


@dataclass(frozen=True, slots=True)
class Survivor:
    """A process that carries the marker. `started` tells it from a later one with the same pid."""

    pid: int
    name: str
    started: float


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep did: how many ended, how many of them needed SIGKILL, and who is left."""

    ended: int
    killed: int
    left: tuple[Survivor, ...]


def marker_of(pid: int) -> str | None:
    """The platform a process belongs to; None when it is gone, a stranger, or not ours to read."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return _marker(process)
    except _UNREADABLE:
        return None


def survivors(prefix: str) -> tuple[Survivor, ...]:
    """Every living process whose marker begins with `prefix`, without the caller and its ancestors."""
    spared = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid in spared or process.status() == psutil.STATUS_ZOMBIE:
                continue
            marker = _marker(process)
            if marker is not None and marker.startswith(prefix):
                found.append(Survivor(process.pid, process.name(), process.create_time()))
        except _UNREADABLE:
            continue
    return tuple(found)


def sweep(prefix: str, clock: Clock, *, grace_seconds: float = 1.0, limit_seconds: float = 4.0) -> Sweep:
    """End every process with the marker: SIGTERM first, SIGKILL after the grace, until none is left.

    Looks again after each round, because what is being ended may still fork.
    """
    started = clock.monotonic()
    seen: set[tuple[int, float]] = set()
    killed: set[tuple[int, float]] = set()
    while True:
        found = survivors(prefix)
        elapsed = clock.monotonic() - started
        if not found or elapsed > limit_seconds:
            return Sweep(len(seen) - len(found), len(killed), found)
        for survivor in found:
            key = (survivor.pid, survivor.started)
            if elapsed >= grace_seconds:
                killed.add(key)
                _send(survivor, signal.SIGKILL)
            elif key not in seen:
                _send(survivor, signal.SIGTERM)
            seen.add(key)
        clock.sleep(0.05)


def _marker(process: Any) -> str | None:
    value = process.environ().get(PLATFORM_VARIABLE)
    return value if isinstance(value, str) else None


def _send(survivor: Survivor, number: signal.Signals) -> None:
    try:
        if psutil.Process(survivor.pid).create_time() == survivor.started:
            os.kill(survivor.pid, number)
    except _UNREADABLE:
        return
