"""How a process of the platform announces that it is ready, and dies with its parent.

Invariant: a ready file is complete or absent (written beside, then renamed), and names the pid that
wrote it.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maestro_cli.core.files import write_atomically

PLATFORM_VARIABLE = "MAESTRO_LOCAL_PLATFORM"
_PR_SET_PDEATHSIG = 1
_LEASH = Path(__file__).with_name("leash.py")


def ready_file(state: Path, name: str) -> Path:
    return state / "run" / f"{name}.json"


def announce(state: Path, name: str, **facts: Any) -> None:
    """Write `run/<name>.json` with the pid and these facts (ports, URLs) once the process serves."""
    write_atomically(ready_file(state, name), json.dumps({"pid": os.getpid(), **facts}))


def read_announcement(state: Path, name: str) -> dict[str, Any] | None:
    """What the process announced, or None when it is not (yet) ready or its file is unreadable."""
    try:
        facts = json.loads(ready_file(state, name).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def leashed(
    command: Sequence[str], *, niceness: int = 0, orphan_signal: signal.Signals = signal.SIGTERM
) -> list[str]:
    """The command line of a child that is sent a signal when we end; its pid stays its own.

    The program is named by its whole path: it is not searched for.
    """
    return [
        sys.executable,
        "-IS",
        str(_LEASH),
        str(os.getpid()),
        str(int(orphan_signal)),
        str(niceness),
        *command,
    ]


def die_with_parent() -> None:
    """Have this process get SIGTERM when its parent dies, also by kill -9.

    Linux has a call for it; elsewhere a thread watches for a new parent once a second.
    """
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)
        return
    threading.Thread(target=_watch_parent, args=(parent,), daemon=True).start()


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    os.kill(os.getpid(), signal.SIGTERM)
