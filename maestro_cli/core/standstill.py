"""A stop of the whole process, and what it must not come upon midway: a file that others would wait for.

Invariant: within `still` nothing is at work that said so, and nothing begins. Whoever is at work may begin
more of it while a stop is waited for.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Standstill:
    """Thread-safe; no stop is asked for by who is at work."""

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._works = 0  # threads that are at work
        self._is_wanted = False
        self._own = threading.local()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """What is done within it is whole before a stop; begun while one is on, it waits for its end."""
        depth: int = getattr(self._own, "depth", 0)
        if not depth:
            with self._free:
                self._free.wait_for(lambda: not self._is_wanted)
                self._works += 1
        self._own.depth = depth + 1
        try:
            yield
        finally:
            self._own.depth = depth
            if not depth:
                with self._free:
                    self._works -= 1
                    self._free.notify_all()

    @contextmanager
    def still(self, longest_seconds: float) -> Iterator[bool]:
        """Whether all that was at work has ended within that time; only then may the process be stopped."""
        try:
            with self._free:
                self._is_wanted = True
                is_still = self._free.wait_for(lambda: not self._works, longest_seconds)
            yield is_still
        finally:
            with self._free:
                self._is_wanted = False
                self._free.notify_all()


PROCESS = Standstill()  # a stop is one of all threads
