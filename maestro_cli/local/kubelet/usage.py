"""CPU time and memory of a container's processes.

Invariant: a process that ends while being looked at counts as nothing; nothing here raises for it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds since the start (of processes already reaped too), bytes of memory, processes, threads."""

    cpu_seconds: float = 0.0
    memory_bytes: int = 0
    processes: int = 0
    threads: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.cpu_seconds + other.cpu_seconds,
            self.memory_bytes + other.memory_bytes,
            self.processes + other.processes,
            self.threads + other.threads,
        )


def of_container(keeper: int) -> Usage:
    """What everything below a keeper uses; the keeper itself is the kubelet's, and not counted."""
    members = _below(keeper)
    cpu, threads = _reaped_seconds(keeper), 0
    for process in members:
        try:
            times = process.cpu_times()
            cpu += times.user + times.system + times.children_user + times.children_system
            threads += process.num_threads()
        except psutil.Error:
            continue
    return Usage(cpu, _memory(members), len(members), threads)


def exceeds(keeper: int, limit_bytes: float) -> bool:
    """Whether a container holds more memory than it may."""
    members = _below(keeper)
    return sum(map(_resident, members)) > limit_bytes and _memory(members) > limit_bytes


def _reaped_seconds(keeper: int) -> float:
    try:
        times = psutil.Process(keeper).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.children_user + times.children_system)


def _memory(members: Sequence[Any]) -> int:
    """Resident bytes; a page that several processes share counts once, as a cgroup counts it."""
    if len(members) < 2:
        return sum(map(_resident, members))
    return sum(map(_proportional, members))


def _resident(process: Any) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _proportional(process: Any) -> int:
    if sys.platform != "linux":
        return _resident(process)
    try:
        with open(f"/proc/{process.pid}/smaps_rollup") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:  # it ended, or a kernel without this file
        return _resident(process)
    return 0


def _below(keeper: int) -> list[Any]:
    if sys.platform != "linux":
        try:
            return list(psutil.Process(keeper).children(recursive=True))
        except psutil.Error:
            return []
    found = []
    pending = [keeper]
    while pending:  # psutil would read every process of the machine to find the children
        for pid in _children(pending.pop()):
            pending.append(pid)
            try:
                found.append(psutil.Process(pid))
            except psutil.Error:
                continue
    return found


def _children(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(text) for text in file.read().split()]
    except OSError:
        return []


def of_machine() -> tuple[float, int, int]:
    """(CPU seconds used since boot, memory used, memory in all) of the machine."""
    times, memory = psutil.cpu_times(), psutil.virtual_memory()
    return (
        sum(times) - times.idle - getattr(times, "iowait", 0.0),
        memory.total - memory.available,
        memory.total,
    )
