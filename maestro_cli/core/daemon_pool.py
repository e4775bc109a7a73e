"""Calls beside one another in a few threads, none of which keeps the process alive.

Invariant: a process ends while calls are still under way. The standard library's executor waits for them at
its end, so that one system which never answers would hold up every command.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")


class DaemonPool:
    """Runs calls in the order in which they were given, so many at once; used by one thread."""

    def __init__(self, threads: int, name: str) -> None:
        self._most, self._name, self._threads = threads, name, 0
        self._is_closed = False
        self._waiting: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """The call to come; the future has its result or what it raised."""
        future: Future[T] = Future()
        self._waiting.put((future, call))
        if self._threads < self._most:
            self._threads += 1
            threading.Thread(target=self._work, daemon=True, name=f"{self._name}-{self._threads}").start()
        return future

    def close(self) -> None:
        """Cancel what has not begun, and wait for nothing; no call can be given afterwards."""
        if self._is_closed:
            return  # what wakes the threads is in the queue, one for each
        self._is_closed = True
        try:
            while (given := self._waiting.get_nowait()) is not None:
                given[0].cancel()
        except Empty:
            for _ in range(self._threads):
                self._waiting.put(None)

    def __enter__(self) -> DaemonPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _work(self) -> None:
        while (given := self._waiting.get()) is not None:
            future, call = given
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 - nothing is swallowed: who asks for the result gets it
                future.set_exception(error)
