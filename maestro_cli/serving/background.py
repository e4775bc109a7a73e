"""Work beside the answers: exported spans, shadows.

Invariant: whoever waits for an answer waits for none of it longer than LONGEST_TURN_SECONDS.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

LONGEST_TURN_SECONDS = 0.0005  # Python's own is 5 ms, in which a server answers dozens
LAG_PERIOD_SECONDS = 0.1
_NICENESS = 10


def share_fairly() -> None:
    """Have the threads of this process take turns that short, whatever each of them computes in Python."""
    sys.setswitchinterval(LONGEST_TURN_SECONDS)


def step_back() -> None:
    """Have the calling thread run after the others (Linux counts threads apart)."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


async def watch_lag(observe: Callable[[float], None]) -> None:
    """Tell how many seconds later than it was due the event loop came to a timer, again and again."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_PERIOD_SECONDS
        await asyncio.sleep(LAG_PERIOD_SECONDS)
        observe(max(0.0, loop.time() - due))
