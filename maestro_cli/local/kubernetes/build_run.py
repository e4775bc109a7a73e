"""Run `go` as a group of processes that ends with us.

Invariant: when `run_go` returns or raises, no process of the group lives; when maestro itself is killed,
`go` is told to end too (on Linux).
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.local.process import leashed

_POLL_SECONDS = 0.1
_END_SECONDS = 1.0  # a person waits; all that is unfinished is in folders that are removed
_NICENESS = 10  # minutes of work on all processors: the person at the machine goes first


def run_go(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    output: Path,
    log: Path,
    on_line: Callable[[str], None],
    cancellation: Cancellation,
) -> int:
    """Run it in `folder` and return its status; each line it adds to `log` (its stderr) is told.

    Raises Interrupted, once every process of it has ended.
    """
    with output.open("wb") as out, log.open("ab") as sink, log.open("rb") as lines:
        lines.seek(0, os.SEEK_END)
        process = subprocess.Popen(
            leashed(command, niceness=_NICENESS),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=sink,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,  # a Ctrl-C at the terminal is ours to pass on
        )
        try:
            rest = b""
            while True:
                ended = process.poll() is not None
                *whole, rest = (rest + lines.read()).split(b"\n")
                for line in whole:
                    on_line(line.decode("utf-8", "replace"))
                if ended:
                    return process.returncode
                cancellation.pause(_POLL_SECONDS)
        finally:
            if process.returncode is None or process.returncode < 0:
                _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, so that `go` takes its own unfinished files away, then SIGKILL for what is left."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_END_SECONDS)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
