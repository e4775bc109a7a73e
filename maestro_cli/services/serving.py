"""Becomes the model server.

Invariant: the server runs as the process that was asked for it, so that signals and exit codes are its own,
with nothing of this program in its memory; the folder it is started in is not searched for modules.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from maestro_cli.core.errors import ActionFailed

_NEEDED = ("onnxruntime", "numpy", "uvicorn", "prometheus_client")
_PACKAGE_PARENT = Path(__file__).resolve().parent.parent.parent


def become_server(arguments: Sequence[str]) -> NoReturn:
    """Replace this process; raises ActionFailed when the server's libraries are not installed."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ActionFailed(
            "the model server cannot be started",
            why=f"not installed: {', '.join(missing)}",
            fix="pip install 'maestro-cli[serving]'",
        )
    found = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([str(_PACKAGE_PARENT), *([found] if found else [])])
    command = [sys.executable, "-P", "-m", "maestro_cli.serving", *arguments]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, command, {**os.environ, "PYTHONPATH": path})
