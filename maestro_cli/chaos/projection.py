"""Runs of experiments as a table, folded from `experiment.*` events.

Invariant: one row a run, refused ones too; whether one that did not finish is still at work depends on its
lease, so it is decided when it is read.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from maestro_cli.journal.model import Event

_SCHEMA = """
CREATE TABLE experiments (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, title TEXT NOT NULL, file TEXT NOT NULL, digest TEXT NOT NULL,
    actor TEXT NOT NULL, status TEXT NOT NULL, verdict TEXT NOT NULL, exit_code INTEGER NOT NULL,
    coverage REAL, reasons TEXT NOT NULL, residue TEXT NOT NULL, seed INTEGER, targets TEXT NOT NULL,
    started_at TEXT NOT NULL, finished_at TEXT NOT NULL, asked TEXT NOT NULL, stop TEXT NOT NULL,
    folder TEXT NOT NULL, recoveries TEXT NOT NULL, predicted_burn TEXT NOT NULL, actual_burn TEXT NOT NULL
);
CREATE INDEX experiments_by_start ON experiments (started_at);
CREATE INDEX experiments_by_name ON experiments (name, started_at);
CREATE TABLE experiment_faults (
    run TEXT NOT NULL, fault TEXT NOT NULL, kind TEXT NOT NULL, targets TEXT NOT NULL,
    intended_at TEXT NOT NULL, ends_at TEXT NOT NULL, outcome TEXT NOT NULL, why TEXT NOT NULL,
    undone_at TEXT NOT NULL, error TEXT NOT NULL, PRIMARY KEY (run, fault)
);
"""


class ExperimentsProjection:
    """Register with the journal; tables `experiments` and `experiment_faults`."""

    name = "experiments"
    version = 2
    tables = ("experiments", "experiment_faults")
    schema = _SCHEMA

    def apply(self, db: sqlite3.Connection, event: Event) -> None:
        fold = _FOLDS.get(event.kind)
        if fold is not None:
            fold(db, event, event.subject.partition("/")[2])


def _began(db: sqlite3.Connection, event: Event, run: str) -> None:
    data = event.data
    refused = event.kind == "experiment.refused"
    targets = [ref for refs in data.get("targets", {}).values() for ref in refs]
    db.execute(
        "INSERT OR REPLACE INTO experiments VALUES"
        " (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, '[]', ?, ?, ?, ?, '', '', ?, '[]', ?, '[]')",
        (
            run, data["name"], data["title"], data["file"], data["digest"], event.actor,
            "refused" if refused else "running", "INDETERMINATE" if refused else "",
            data.get("exit_code", 0), json.dumps(data.get("answers", [])), data.get("seed"),
            json.dumps(targets), event.time, event.time if refused else "", data.get("folder", ""),
            json.dumps(data.get("burns", [])),
        ),
    )  # fmt: skip


def _intended(db: sqlite3.Connection, event: Event, run: str) -> None:
    data = event.data
    targets = json.dumps([one["ref"]["name"] for one in data["targets"]])
    db.execute(
        "INSERT OR REPLACE INTO experiment_faults VALUES (?, ?, ?, ?, ?, ?, 'intended', '', '', '')",
        (run, data["fault"], data["order"]["fault"], targets, event.time, data["ends_at"]),
    )


def _injected(db: sqlite3.Connection, event: Event, run: str) -> None:
    _fault(db, run, event.data["fault"], outcome=event.data["outcome"], why=event.data["why"])


def _undone(db: sqlite3.Connection, event: Event, run: str) -> None:
    error = event.data["error"]
    _fault(db, run, event.data["fault"], error=error, **({} if error else {"undone_at": event.time}))


def _fault(db: sqlite3.Connection, run: str, fault: str, **columns: Any) -> None:
    names = ", ".join(f"{name} = :{name}" for name in columns)
    db.execute(
        f"UPDATE experiment_faults SET {names} WHERE run = :run AND fault = :fault",
        {**columns, "run": run, "fault": fault},
    )


def _set(db: sqlite3.Connection, run: str, **columns: Any) -> None:
    names = ", ".join(f"{name} = :{name}" for name in columns)
    db.execute(f"UPDATE experiments SET {names} WHERE id = :run", {**columns, "run": run})


def _asked(db: sqlite3.Connection, event: Event, run: str) -> None:
    _set(db, run, asked=event.data["what"])


def _stopping(db: sqlite3.Connection, event: Event, run: str) -> None:
    _set(db, run, stop=f"{event.data['kind']}: {event.data['why']}")


def _finished(db: sqlite3.Connection, event: Event, run: str) -> None:
    data = event.data
    _set(
        db, run, status="finished", verdict=data["verdict"], exit_code=data["exit_code"],
        coverage=data["coverage"], reasons=json.dumps(data["reasons"]), residue=json.dumps(data["residue"]),
        finished_at=event.time, recoveries=json.dumps(data["recoveries"]),
        actual_burn=json.dumps(data.get("burned", [])),
    )  # fmt: skip


def _swept(db: sqlite3.Connection, event: Event, run: str) -> None:
    """What was left is taken away, or still there; a run that never finished ends so."""
    _set(db, run, residue=json.dumps(event.data["residue"]))
    if not event.data["residue"]:
        _end_unfinished(db, event, run)


def _left(db: sqlite3.Connection, event: Event, run: str) -> None:
    """Somebody answers for what is still there: it is in no other run's way."""
    error = f"left as it is by {event.actor}: {event.data['why']}"
    db.execute(
        "UPDATE experiment_faults SET undone_at = ?, error = ? WHERE run = ? AND undone_at = ''",
        (event.time, error, run),
    )
    _set(db, run, residue="[]")
    _end_unfinished(db, event, run)


def _end_unfinished(db: sqlite3.Connection, event: Event, run: str) -> None:
    db.execute(
        "UPDATE experiments SET status = 'swept', verdict = 'INDETERMINATE', exit_code = 75,"
        " finished_at = ? WHERE id = ? AND status = 'running'",
        (event.time, run),
    )


_FOLDS = {
    "experiment.refused": _began,
    "experiment.started": _began,
    "experiment.intended": _intended,
    "experiment.injected": _injected,
    "experiment.undone": _undone,
    "experiment.asked": _asked,
    "experiment.stopping": _stopping,
    "experiment.finished": _finished,
    "experiment.swept": _swept,
    "experiment.left": _left,
}
