"""The tables of escalations: since when nobody has acknowledged, by which policy who is told, and what was.

Invariant: every column comes from an event; a step is raised once for each time that an incident was left
without anybody. What a watcher acknowledged and then left to people counts as acknowledged by nobody.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping

from maestro_cli.journal.model import Event

_SCHEMA = """
CREATE TABLE escalation_clocks (incident TEXT PRIMARY KEY, since TEXT NOT NULL, acked_by TEXT NOT NULL);
CREATE TABLE escalations (
    incident TEXT PRIMARY KEY, policy TEXT NOT NULL, data TEXT NOT NULL, begun_at TEXT NOT NULL,
    exhausted INTEGER NOT NULL
);
CREATE TABLE escalation_steps (
    incident TEXT NOT NULL, since TEXT NOT NULL, round INTEGER NOT NULL, step INTEGER NOT NULL,
    at TEXT NOT NULL, told INTEGER NOT NULL, PRIMARY KEY (incident, since, round, step)
);
"""


class EscalationProjection:
    """Register with the journal; tables `escalation_clocks`, `escalations` and `escalation_steps`."""

    name = "escalations"
    version = 1
    tables = ("escalation_clocks", "escalations", "escalation_steps")
    schema = _SCHEMA

    def apply(self, db: sqlite3.Connection, event: Event) -> None:
        """Fold one event; kinds it does not know are ignored."""
        fold = _FOLDS.get(event.kind)
        if fold is not None:
            fold(db, event, str(event.data["incident"]))


def _opened(db: sqlite3.Connection, event: Event, incident: str) -> None:
    db.execute("INSERT INTO escalation_clocks VALUES (?, ?, '')", (incident, event.time))


def _acked(db: sqlite3.Connection, event: Event, incident: str) -> None:
    if not event.data["late"]:
        db.execute("UPDATE escalation_clocks SET acked_by = ? WHERE incident = ?", (event.actor, incident))


def _handed_over(db: sqlite3.Connection, event: Event, incident: str) -> None:
    restarted = db.execute(
        "UPDATE escalation_clocks SET acked_by = '', since = ? WHERE incident = ? AND acked_by = ?",
        (event.time, incident, event.actor),
    )
    if restarted.rowcount:
        db.execute("UPDATE escalations SET exhausted = 0 WHERE incident = ?", (incident,))


def _reopened(db: sqlite3.Connection, event: Event, incident: str) -> None:
    db.execute(
        "UPDATE escalation_clocks SET acked_by = '', since = ? WHERE incident = ?", (event.time, incident)
    )
    db.execute("UPDATE escalations SET exhausted = 0 WHERE incident = ?", (incident,))


def _severity(db: sqlite3.Connection, event: Event, incident: str) -> None:
    """One for which there was no policy yet counts from when it became so grave."""
    if str(event.data["severity"]) < str(event.data["was"]):
        db.execute(
            "UPDATE escalation_clocks SET since = ? WHERE incident = ?"
            " AND NOT EXISTS (SELECT 1 FROM escalations e WHERE e.incident = escalation_clocks.incident)",
            (event.time, incident),
        )


def _begun(db: sqlite3.Connection, event: Event, incident: str) -> None:
    data = json.dumps(event.data["oncall"])
    db.execute(
        "INSERT OR REPLACE INTO escalations VALUES (?, ?, ?, ?, 0)",
        (incident, event.data["policy"], data, event.time),
    )


def _escalated(db: sqlite3.Connection, event: Event, incident: str) -> None:
    data = event.data
    db.execute(
        "INSERT OR REPLACE INTO escalation_steps VALUES (?, ?, ?, ?, ?, ?)",
        (incident, data["since"], data["round"], data["step"], event.time, len(data["told"])),
    )


def _exhausted(db: sqlite3.Connection, event: Event, incident: str) -> None:
    db.execute("UPDATE escalations SET exhausted = 1 WHERE incident = ?", (incident,))


_FOLDS: Mapping[str, Callable[[sqlite3.Connection, Event, str], None]] = {
    "incident.opened": _opened,
    "incident.acked": _acked,
    "incident.handed_over": _handed_over,
    "incident.reopened": _reopened,
    "incident.severity_set": _severity,
    "incident.escalation_begun": _begun,
    "incident.escalated": _escalated,
    "incident.escalation_exhausted": _exhausted,
}
