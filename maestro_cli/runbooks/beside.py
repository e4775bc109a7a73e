"""Work that is done at the same time, in threads.

Invariant: nothing of it is left running when `beside` returns or raises.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


def beside(jobs: Sequence[Callable[[], T]], at_most: int, is_over: Callable[[T], bool]) -> list[T]:
    """What the jobs came to, in their order, `at_most` of them at the same time.

    Once one came to what `is_over`, or raised, no other job starts; those that have started end first, and
    then the first error is raised. With one at a time they run in this thread.
    """
    line = _Line(jobs, is_over)
    if min(at_most, len(jobs)) <= 1:
        line.work()
    else:
        threads = [
            threading.Thread(target=line.work, name="run-beside") for _ in range(min(at_most, len(jobs)))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if line.errors:
        raise line.errors[min(line.errors)]
    return [line.results[number] for number in sorted(line.results)]


class _Line(Generic[T]):
    """Jobs that several workers take one after another."""

    def __init__(self, jobs: Sequence[Callable[[], T]], is_over: Callable[[T], bool]) -> None:
        self._jobs = list(enumerate(jobs))
        self._is_over = is_over
        self._lock = threading.Lock()
        self.results: dict[int, T] = {}
        self.errors: dict[int, BaseException] = {}

    def work(self) -> None:
        while True:
            with self._lock:
                if not self._jobs:
                    return
                number, job = self._jobs.pop(0)
            try:
                result = job()
                self.results[number] = result
                is_over = self._is_over(result)
            except BaseException as error:  # noqa: BLE001  # raised again by who waits for all
                self.errors[number] = error
                is_over = True
            if is_over:
                with self._lock:
                    self._jobs.clear()
