"""How long something takes, and how long to wait for it, on a machine that others use too.

Invariant: what always takes too long is found; what once was held up by others is measured again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

TRIES = 5
PATIENCE_SECONDS = 180.0  # for what has to come, however busy the machine is


def least_seconds(act: Callable[[], object], enough: float) -> float:
    """The least wall time of some tries; the first that stays within `enough` ends it."""
    least = float("inf")
    for _ in range(TRIES):
        started = time.monotonic()
        act()
        least = min(least, time.monotonic() - started)
        if least < enough:
            break
    return least


def wait_for(holds: Callable[[], bool], what: str) -> None:
    """Until it holds; AssertionError when it never does."""
    end = time.monotonic() + PATIENCE_SECONDS
    tick = threading.Event()
    while not holds():
        assert time.monotonic() < end, f"never: {what}"
        tick.wait(0.01)
