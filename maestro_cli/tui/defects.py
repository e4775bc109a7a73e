"""Defects of maestro that the console outlives: its screen has no room for a traceback.

Invariant: each is written down once, for its owner alone, where MAESTRO_DEBUG=1; that raises nothing.
"""

from __future__ import annotations

import os
import traceback

from maestro_cli.config.locations import make_private, state_dir
from maestro_cli.core.errors import ActionFailed

FILE = "defects.txt"  # in the state folder
MOST = 100  # different ones a process writes down
_written: set[str] = set()


def written_down(error: BaseException) -> str:
    """Write its traceback down where that is wanted; what to do about it, in words."""
    path = state_dir() / FILE
    if os.environ.get("MAESTRO_DEBUG") != "1":
        return f"run again with MAESTRO_DEBUG=1, and report what is then in {path}"
    text = "".join(traceback.format_exception(error))
    if text not in _written and len(_written) < MOST:
        _written.add(text)
        try:
            make_private(path.parent)
            number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with open(number, "a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(f"{text}\n")
        except (OSError, ActionFailed):
            return "report it"
    return f"report it, with what is in {path}"
