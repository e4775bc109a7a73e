"""Calls in a thread of their own, with a hard limit on the time they may take.

Invariant: the caller is back in time even when the call hangs where no socket time-out reaches (name
resolution, a second address, headers that trickle). The call itself must end on its own time-outs.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from maestro_cli.core.cancellation import Cancellation

_LONGEST_WAIT_SECONDS = 3600.0  # the platform cannot wait for ever in one call
T = TypeVar("T")


def within(seconds: float, call: Callable[[], T]) -> T:
    """The call's result, or its own error; raises TimeoutError after that many seconds."""
    return started(call).result(timeout=seconds)


def unless_cancelled(
    cancellation: Cancellation, call: Callable[[], T], *, seconds: float = math.inf,
    late: Callable[[T], None] | None = None,
) -> T:  # fmt: skip
    """The call's result, or its own error; Interrupted at once when cancelled, TimeoutError after a time.

    The call then goes on by itself, and `late` gets what it may still give.
    """
    deadline = time.monotonic() + seconds
    with cancellation.child() as over:
        future = started(call)
        future.add_done_callback(lambda _: over.cancel())
        while (left := deadline - time.monotonic()) > 0 and not over.wait(min(left, _LONGEST_WAIT_SECONDS)):
            pass
    if future.done():
        return future.result()
    if late is not None:
        future.add_done_callback(lambda done: late(done.result()) if done.exception() is None else None)
    cancellation.raise_if_set()
    raise TimeoutError


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
