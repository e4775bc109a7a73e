"""The file that a run was started with. Invariant: another file is never run in its name."""

from __future__ import annotations

from pathlib import Path

from maestro_cli.core.errors import StalePlan
from maestro_cli.runbooks.model import Runbook, RunRecord
from maestro_cli.runbooks.reader import read_runbook


def pinned(run: RunRecord) -> Runbook:
    """The runbook a run was started with; raises StalePlan when the file is another one now."""
    runbook = read_runbook(Path(run.file))
    if runbook.digest != run.digest:
        raise StalePlan(
            f"{run.file} changed since run {run.id} started",
            why=f"it was {run.digest[:12]}, it is {runbook.digest[:12]}",
            fix="restore the file and resume, or start a new run",
        )
    return runbook
