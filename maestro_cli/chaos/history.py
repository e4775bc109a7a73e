"""Past and present runs of experiments, read from the journal.

Invariant: a run that did not finish and that nobody works on reads `interrupted`, never `running`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from maestro_cli.changes.holder import parse_holder
from maestro_cli.chaos.burned import unmeasured_of
from maestro_cli.core.errors import NotFound
from maestro_cli.journal.store import Journal

LEASE = "experiments"  # one run at a time in a context


@dataclass(frozen=True, slots=True)
class FaultRecord:
    """One fault of a run; times are RFC 3339, "" for never."""

    name: str
    fault: str
    targets: tuple[str, ...]
    intended_at: str
    ends_at: str
    outcome: str
    why: str
    undone_at: str
    error: str

    @property
    def in_force(self) -> bool:
        return not self.undone_at


@dataclass(frozen=True, slots=True)
class ExperimentRun:
    """`status`: running, finished, refused, interrupted (and may have left something), or swept."""

    id: str
    name: str
    title: str
    file: str
    digest: str
    actor: str
    status: str
    verdict: str
    exit_code: int
    coverage: float | None
    reasons: tuple[str, ...]
    residue: tuple[str, ...]
    seed: int | None
    targets: tuple[str, ...]
    started_at: str
    finished_at: str
    asked: str
    stop: str
    folder: str
    recoveries: tuple[dict[str, Any], ...] = ()
    predicted_burn: tuple[dict[str, Any], ...] = ()  # each as a Burn
    actual_burn: tuple[dict[str, Any], ...] = ()  # each as a Burned
    faults: tuple[FaultRecord, ...] = ()

    @property
    def burned(self) -> tuple[dict[str, Any], ...]:
        """What each budget of the plan lost; of a run whose end the journal has not, that is not known."""
        if self.actual_burn or self.status == "refused":
            return self.actual_burn
        why = "it was not measured" if self.status == "finished" else f"the run is {self.status}"
        return tuple(unmeasured_of(one, why) for one in self.predicted_burn)

    @property
    def is_over(self) -> bool:
        return self.status in ("finished", "refused", "swept")


def list_runs(journal: Journal, *, name: str = "", limit: int = 50) -> list[ExperimentRun]:
    """The newest first."""
    rows = journal.query(
        "SELECT * FROM experiments WHERE (:name = '' OR name = :name)"
        " ORDER BY started_at DESC, id DESC LIMIT :limit",
        {"name": name, "limit": limit},
    )
    working = working_run(journal)
    return [_seen(_run(row), working) for row in rows]


def get_run(journal: Journal, reference: str) -> ExperimentRun:
    """By its id, a unique part of its end, or `latest`, with its faults; raises NotFound.

    `latest` is the one at work, else the one that was begun last, else the last that was refused.
    """
    if reference == "latest":
        rows = journal.query(
            "SELECT * FROM experiments"
            " ORDER BY id = :working DESC, status = 'refused', started_at DESC, id DESC LIMIT 1",
            {"working": working_run(journal)},
        )
    else:
        rows = journal.query(
            "SELECT * FROM experiments WHERE id = ? OR id LIKE ?", (reference, f"%{_end(reference)}")
        )
    if len(rows) != 1:
        what = (
            f"there is no run {reference!r} of an experiment"
            if not rows
            else f"{reference!r} names several runs"
        )
        raise NotFound(what, fix="maestro chaos history")
    run = _seen(_run(rows[0]), working_run(journal))
    faults = journal.query("SELECT * FROM experiment_faults WHERE run = ? ORDER BY intended_at", (run.id,))
    return replace(run, faults=tuple(map(_fault, faults)))


def last_finished(journal: Journal) -> str:
    """The id of the run that ended last with a verdict of its own; raises NotFound."""
    rows = journal.query(
        "SELECT id FROM experiments WHERE status = 'finished' ORDER BY started_at DESC, id DESC LIMIT 1"
    )
    if not rows:
        raise NotFound("no run of an experiment has finished yet", fix="maestro chaos history")
    return str(rows[0]["id"])


def unfinished_runs(journal: Journal) -> list[str]:
    """The ids of runs that are at work, or left something, oldest first."""
    rows = journal.query(
        "SELECT id FROM experiments WHERE status = 'running' OR residue <> '[]' OR id IN"
        " (SELECT run FROM experiment_faults WHERE undone_at = '') ORDER BY started_at"
    )
    return [str(row["id"]) for row in rows]


def working_run(journal: Journal) -> str:
    """The run that a living process works on, or ""."""
    held = journal.lease(LEASE)
    holder = None if held is None else parse_holder(held.holder)
    return "" if holder is None or holder.is_dead else holder.subject


def asked_of(journal: Journal, run: str) -> str:
    """What another process asked of the run, or ""."""
    rows: Sequence[sqlite3.Row] = journal.query("SELECT asked FROM experiments WHERE id = ?", (run,))
    return str(rows[0]["asked"]) if rows else ""


def _end(reference: str) -> str:
    """Text for LIKE that matches itself alone."""
    return reference.replace("%", "").replace("_", "") or "-"


def _seen(run: ExperimentRun, working: str) -> ExperimentRun:
    return replace(run, status="interrupted") if run.status == "running" and run.id != working else run


def _run(row: sqlite3.Row) -> ExperimentRun:
    fields = {name: row[name] for name in row.keys()}  # noqa: SIM118  # a Row iterates its values
    for name in ("reasons", "residue", "targets", "recoveries", "predicted_burn", "actual_burn"):
        fields[name] = tuple(json.loads(fields[name]))
    return ExperimentRun(**fields)


def _fault(row: sqlite3.Row) -> FaultRecord:
    fields = {name: row[name] for name in row.keys() if name != "run"}  # noqa: SIM118  # as above
    fields["name"], fields["fault"] = fields["fault"], fields.pop("kind")
    fields["targets"] = tuple(json.loads(fields["targets"]))
    return FaultRecord(**fields)
