"""Named places where a test can kill this process, as a power cut would.

Invariant: inert unless MAESTRO_CRASH_AT is set. It is a test hook: `MAESTRO_CRASH_AT=change.after-intended`
makes the process send itself SIGKILL at that place, `change.after-intended#2` at the second passage.
"""

from __future__ import annotations

import os
import signal
import threading

VARIABLE = "MAESTRO_CRASH_AT"

_passages: dict[str, int] = {}
_lock = threading.Lock()


def crash_point(name: str) -> None:
    """End the process by SIGKILL when the environment names this place; otherwise nothing."""
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return
    place, _, passage = wanted.partition("#")
    if place != name:
        return
    with _lock:
        _passages[name] = _passages.get(name, 0) + 1
        count = _passages[name]
    if count == int(passage or "1"):
        os.kill(os.getpid(), signal.SIGKILL)
