"""The tables of people: who had which role when, tasks, status updates and what ran late.

Invariant: every column comes from an event, so that a replay gives the same rows; a role has one holder at
a time, and an event that something is overdue is kept once for each time it was due.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping

from maestro_cli.journal.model import Event

_SCHEMA = """
CREATE TABLE people_turns (
    seq INTEGER NOT NULL, incident TEXT NOT NULL, role TEXT NOT NULL, person TEXT NOT NULL,
    since TEXT NOT NULL, by TEXT NOT NULL, until TEXT, PRIMARY KEY (seq, role)
);
CREATE UNIQUE INDEX one_holder ON people_turns (incident, role) WHERE until IS NULL;
CREATE TABLE people_tasks (
    number INTEGER PRIMARY KEY, incident TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, owner TEXT,
    due_at TEXT, state TEXT NOT NULL, created_at TEXT NOT NULL, created_by TEXT NOT NULL,
    ended_at TEXT, ended_by TEXT, reason TEXT NOT NULL
);
CREATE INDEX people_tasks_of ON people_tasks (incident, state);
CREATE TABLE people_updates (
    seq INTEGER PRIMARY KEY, incident TEXT NOT NULL, at TEXT NOT NULL, by TEXT NOT NULL,
    conditions TEXT NOT NULL, actions TEXT NOT NULL, needs TEXT NOT NULL, audience TEXT NOT NULL
);
CREATE INDEX people_updates_of ON people_updates (incident, seq);
CREATE TABLE people_snoozes (incident TEXT PRIMARY KEY, until TEXT NOT NULL);
CREATE TABLE people_late (what TEXT NOT NULL, due_at TEXT NOT NULL, PRIMARY KEY (what, due_at));
"""


class PeopleProjection:
    """Register with the journal after IncidentProjection; folds what `incident.*` events say of people."""

    name = "people"
    version = 1
    tables = ("people_turns", "people_tasks", "people_updates", "people_snoozes", "people_late")
    schema = _SCHEMA

    def apply(self, db: sqlite3.Connection, event: Event) -> None:
        """Fold one event; kinds it does not know are ignored."""
        fold = _FOLDS.get(event.kind)
        if fold is not None:
            fold(db, event)


def _roles_set(db: sqlite3.Connection, event: Event) -> None:
    """An empty name clears a role."""
    incident = event.data["incident"]
    for role, person in event.data["roles"].items():
        db.execute(
            "UPDATE people_turns SET until = ? WHERE incident = ? AND role = ? AND until IS NULL",
            (event.time, incident, role),
        )
        if person:
            db.execute(
                "INSERT INTO people_turns VALUES (?, ?, ?, ?, ?, ?, NULL)",
                (event.seq, incident, role, person, event.time, event.actor),
            )


def _task_added(db: sqlite3.Connection, event: Event) -> None:
    data = event.data
    db.execute(
        "INSERT INTO people_tasks VALUES (?, ?, ?, ?, ?, ?, 'open', ?, ?, NULL, NULL, '')",
        (
            data["task"], data["incident"], data["task_kind"], data["text"], data["owner"], data["due_at"],
            event.time, event.actor,
        ),
    )  # fmt: skip


def _task_ended(db: sqlite3.Connection, event: Event) -> None:
    state = "done" if event.kind == "incident.task_done" else "dropped"
    db.execute(
        "UPDATE people_tasks SET state = ?, ended_at = ?, ended_by = ?, reason = ? WHERE number = ?",
        (state, event.time, event.actor, event.data["reason"], event.data["task"]),
    )


def _updated(db: sqlite3.Connection, event: Event) -> None:
    data = event.data
    db.execute(
        "INSERT INTO people_updates VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            event.seq, data["incident"], event.time, event.actor, data["conditions"], data["actions"],
            data["needs"], data["audience"],
        ),
    )  # fmt: skip
    db.execute("DELETE FROM people_snoozes WHERE incident = ?", (data["incident"],))


def _snoozed(db: sqlite3.Connection, event: Event) -> None:
    db.execute(
        "INSERT OR REPLACE INTO people_snoozes VALUES (?, ?)", (event.data["incident"], event.data["until"])
    )


def _update_late(db: sqlite3.Connection, event: Event) -> None:
    late = (f"update/{event.data['incident']}", event.data["due_at"])
    db.execute("INSERT OR IGNORE INTO people_late VALUES (?, ?)", late)


def _task_late(db: sqlite3.Connection, event: Event) -> None:
    late = (f"task/{event.data['task']}", event.data["due_at"])
    db.execute("INSERT OR IGNORE INTO people_late VALUES (?, ?)", late)


_FOLDS: Mapping[str, Callable[[sqlite3.Connection, Event], None]] = {
    "incident.roles_set": _roles_set,
    "incident.task_added": _task_added,
    "incident.task_done": _task_ended,
    "incident.task_dropped": _task_ended,
    "incident.updated": _updated,
    "incident.update_snoozed": _snoozed,
    "incident.update_overdue": _update_late,
    "incident.task_overdue": _task_late,
}
