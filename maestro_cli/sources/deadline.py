"""Calls in a thread of their own, with a hard limit on the time they may take.

Invariant: the caller is back in time even when the call hangs where no socket time-out reaches (name
resolution, a second address, headers that trickle). The call itself must end on its own time-outs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, call: Callable[[], T]) -> T:
    """The call's result, or its own error; raises TimeoutError after that many seconds."""
    return started(call).result(timeout=seconds)


def started(call: Callable[[], T]) -> Future[T]:
    """The call under way in a thread that keeps no process alive; the future has its result or error."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - nothing is swallowed: the caller's thread raises it
            future.set_exception(error)

    # Daemon, so that a call that hangs cannot keep the process alive (an executor's thread would).
    threading.Thread(target=run, daemon=True, name="maestro-call").start()
    return future
