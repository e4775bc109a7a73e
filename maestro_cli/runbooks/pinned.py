"""The file that a run was started with.

Invariant: another file is never run in its name, unless a person asks for it and every step that has started
reads as it did.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maestro_cli.core.canonical import digest, plain
from maestro_cli.core.errors import StalePlan
from maestro_cli.runbooks.model import Runbook, RunRecord, Step, parted
from maestro_cli.runbooks.parameters import check_value
from maestro_cli.runbooks.prose import walkable
from maestro_cli.runbooks.reader import read_runbook

_PLACES = ("line", "heading")  # where a step stands says nothing about what it does
_LENGTH = 16


def pinned(run: RunRecord) -> Runbook:
    """The runbook a run was started with; raises StalePlan when the file is another one now."""
    runbook = walkable(read_runbook(Path(run.file)))
    if runbook.digest != run.digest:
        raise StalePlan(
            f"{run.file} changed since run {run.id} started",
            why=f"it was {run.digest[:12]}, it is {runbook.digest[:12]}",
            fix="restore the file, or if what has run is the same: maestro runbook resume --rebase " + run.id,
        )
    return runbook


def rebased(run: RunRecord, known: Mapping[str, str]) -> Runbook:
    """The runbook as its file is now, for a run that goes on with it.

    `known` are the steps of the file it was pinned to. Raises StalePlan when a step that has started, or
    one before it, is another one now, UsageError when one of the run's values does not fit.
    """
    runbook = walkable(read_runbook(Path(run.file)))
    if runbook.digest == run.digest:
        return runbook
    names = {parameter.name for parameter in runbook.parameters}
    if names != set(run.parameters) or runbook.id != run.runbook:
        raise _refused(run, "its id or its parameters are others")
    for parameter in runbook.parameters:
        check_value(parameter, run.parameters[parameter.name], "the run's")
    started = {parted(record.path)[0] for record in run.steps}
    last = max((number for number, path in enumerate(known) if path in started), default=-1)
    before = list(known.items())[: last + 1]
    now = [(step.path, fingerprint(step)) for step in runbook.steps[: last + 1]]
    if not started <= known.keys() or len(now) < len(before):
        raise _refused(run, "a step that has started is gone")
    for (path, old), (other, new) in zip(before, now, strict=True):
        if (path, old) != (other, new):
            raise _refused(run, f"{path} has started, and is another step now")
    return runbook


def fingerprint(step: Step) -> str:
    """What a step and the fences that serve it do, wherever they stand."""
    return digest(_bare(plain(dataclasses.asdict(step))))[:_LENGTH]


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _bare(item) for name, item in value.items() if name not in _PLACES}
    return [_bare(item) for item in value] if isinstance(value, list) else value


def _refused(run: RunRecord, why: str) -> StalePlan:
    return StalePlan(
        f"run {run.id} cannot go on with {run.file} as it is now",
        why=why,
        fix="restore the file and resume, or start a new run",
    )
