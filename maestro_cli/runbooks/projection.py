"""Runs of runbooks and playbooks as tables, folded from `run.*`, `step.*` and `playbook.*` events.

Invariant: one row per attempt at a step, there from its intent on; an attempt without an outcome reads
`intended`. Whether a run is interrupted depends on its lease, so it is decided when it is read.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from maestro_cli.journal.model import Event
from maestro_cli.runbooks import plays

_SCHEMA = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY, runbook TEXT NOT NULL, title TEXT NOT NULL, file TEXT NOT NULL,
    digest TEXT NOT NULL, parameters TEXT NOT NULL, incident TEXT NOT NULL, key TEXT NOT NULL,
    playbook TEXT NOT NULL, actor TEXT NOT NULL, status TEXT NOT NULL, exit_code INTEGER NOT NULL,
    reason TEXT NOT NULL, waiting_for TEXT NOT NULL, rolling_back TEXT NOT NULL,
    started_at TEXT NOT NULL, finished_at TEXT NOT NULL, asked TEXT NOT NULL, waiting TEXT NOT NULL
);
CREATE UNIQUE INDEX runs_by_key ON runs (key) WHERE key <> '';
CREATE INDEX runs_by_start ON runs (started_at);
CREATE INDEX runs_by_playbook ON runs (playbook, started_at);
CREATE TABLE run_steps (
    run TEXT NOT NULL, path TEXT NOT NULL, attempt INTEGER NOT NULL, kind TEXT NOT NULL,
    role TEXT NOT NULL, mutates INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
    value REAL, output TEXT NOT NULL, captures TEXT NOT NULL, change_id TEXT NOT NULL,
    exit_code INTEGER NOT NULL, intended_at TEXT NOT NULL, finished_at TEXT NOT NULL,
    intent_seq INTEGER NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (run, path, attempt)
);
CREATE TABLE run_answers (
    run TEXT NOT NULL, digest TEXT NOT NULL, answer TEXT NOT NULL, actor TEXT NOT NULL,
    time TEXT NOT NULL, PRIMARY KEY (run, digest)
);
"""


class RunsProjection:
    """Register with the journal; tables `runs`, `run_steps` and `run_answers`, and `playbook_runs`."""

    name = "runs"
    version = 6
    tables = ("runs", "run_steps", "run_answers", "playbook_runs")
    schema = _SCHEMA + plays.SCHEMA

    def apply(self, db: sqlite3.Connection, event: Event) -> None:
        fold = _FOLDS.get(event.kind)
        if fold is not None:
            fold(db, event, event.subject.partition("/")[2])


def _started(db: sqlite3.Connection, event: Event, run: str) -> None:
    data = event.data
    texts = [data.get(name) or "" for name in ("runbook", "title", "file", "digest")]
    more = [data.get(name) or "" for name in ("incident", "key", "playbook")]
    db.execute(
        "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', 0, '', '', '', ?, '', '', '[]')",
        (run, *texts, json.dumps(data.get("parameters", {})), *more, event.actor, event.time),
    )


def _intended(db: sqlite3.Connection, event: Event, run: str) -> None:
    data = event.data
    db.execute(
        "INSERT INTO run_steps VALUES (?, ?, ?, ?, ?, ?, 'intended', '', NULL, '', '{}', '', 0, ?, '', ?, 0)",
        (
            run, data["step"], data["attempt"], data["kind"], data["role"], int(data["mutates"]),
            data.get("at", event.time), event.seq,
        ),
    )  # fmt: skip


def _ended(db: sqlite3.Connection, event: Event, run: str) -> None:
    data = event.data
    db.execute(
        "UPDATE run_steps SET state = ?, reason = ?, value = ?, output = ?, captures = ?, change_id = ?,"
        " exit_code = ?, finished_at = ?, seq = ? WHERE run = ? AND path = ? AND attempt = ?",
        (
            data["state"], data.get("reason", ""), data.get("value"), data.get("output", ""),
            json.dumps(data.get("captures", {})), data.get("change", ""), data["exit_code"],
            data.get("at", event.time), event.seq, run, data["step"], data["attempt"],
        ),
    )  # fmt: skip


def _skipped(db: sqlite3.Connection, event: Event, run: str) -> None:
    data = event.data
    db.execute(
        "INSERT INTO run_steps VALUES (?, ?, ?, ?, ?, ?, 'skipped', ?, NULL, '', '{}', '', 0, ?, ?, ?, ?)",
        (
            run, data["step"], data["attempt"], data["kind"], data["role"], int(data["mutates"]),
            data["reason"], event.time, event.time, event.seq, event.seq,
        ),
    )  # fmt: skip


def _status(db: sqlite3.Connection, run: str, **columns: Any) -> None:
    names = ", ".join(f"{name} = :{name}" for name in columns)
    db.execute(f"UPDATE runs SET {names} WHERE id = :run", {**columns, "run": run})


def _waiting(db: sqlite3.Connection, event: Event, run: str) -> None:
    data = event.data
    waiting = json.dumps(data.get("waiting") or [data["step"]])
    _status(
        db, run, status="waiting", waiting_for=data["step"], waiting=waiting, reason=data.get("reason", ""),
        exit_code=17,
    )  # fmt: skip


def _resumed(db: sqlite3.Connection, event: Event, run: str) -> None:
    _status(
        db, run, status="running", waiting_for="", waiting="[]", reason="", exit_code=0, finished_at="",
        asked="",
    )  # fmt: skip


def _answered(db: sqlite3.Connection, event: Event, run: str) -> None:
    data = event.data
    db.execute(
        "INSERT OR REPLACE INTO run_answers VALUES (?, ?, ?, ?, ?)",
        (run, data["digest"], json.dumps(data["answer"]), event.actor, event.time),
    )


def _rolling_back(db: sqlite3.Connection, event: Event, run: str) -> None:
    _status(db, run, rolling_back=event.data["step"])


def _asked(db: sqlite3.Connection, event: Event, run: str) -> None:
    _status(db, run, asked=event.data["what"])


def _paused(db: sqlite3.Connection, event: Event, run: str) -> None:
    _status(db, run, status="paused", reason=event.data["reason"], exit_code=75)


def _rebased(db: sqlite3.Connection, event: Event, run: str) -> None:
    _status(db, run, digest=event.data["digest"], title=event.data["title"])


def _finished(db: sqlite3.Connection, event: Event, run: str) -> None:
    data = event.data
    _status(
        db, run, status=data["status"], exit_code=data["exit_code"], reason=data["reason"],
        finished_at=event.time, waiting_for="", waiting="[]",
    )  # fmt: skip


_FOLDS = {
    "run.started": _started,
    "run.resumed": _resumed,
    "run.waiting": _waiting,
    "run.answered": _answered,
    "run.rolling_back": _rolling_back,
    "run.asked": _asked,
    "run.paused": _paused,
    "run.rebased": _rebased,
    "run.finished": _finished,
    "step.intended": _intended,
    "step.finished": _ended,
    "step.settled": _ended,
    "step.skipped": _skipped,
    **plays.FOLDS,
}
