"""CPU time and memory of process trees.

Invariant: a process that ends while being looked at counts as nothing; nothing here raises for it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds since the start (with children already reaped) and resident bytes."""

    cpu_seconds: float = 0.0
    memory_bytes: int = 0


def of_tree(leader: int) -> Usage:
    """The usage of a process and its live descendants."""
    cpu, memory = 0.0, 0
    for process in _tree(leader):
        try:
            times = process.cpu_times()
            cpu += times.user + times.system
            cpu += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
            memory += process.memory_info().rss
        except psutil.Error:
            continue
    return Usage(cpu, memory)


def _tree(leader: int) -> list[Any]:
    try:
        top = psutil.Process(leader)
        if sys.platform != "linux":
            return [top, *top.children(recursive=True)]
    except psutil.Error:
        return []
    found = [top]
    pending = [leader]
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
