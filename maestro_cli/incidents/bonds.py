"""The rows of what ties an incident to another one, or to the world: links, merges, silences.

Invariant: a merge moves signals and links in the event that says so, whole; an incident that was merged
points at the one it went into, which was open then, so there is no cycle.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from maestro_cli.incidents.model import SilenceEnd
from maestro_cli.journal.model import Event

BONDS_SCHEMA = """\
CREATE TABLE incident_links (
    incident TEXT NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL, note TEXT NOT NULL, at TEXT NOT NULL,
    actor TEXT NOT NULL, PRIMARY KEY (incident, kind, target)
);
CREATE INDEX incident_links_to ON incident_links (target);
CREATE TABLE incident_silences (
    change TEXT PRIMARY KEY, incident TEXT NOT NULL, matchers TEXT NOT NULL, until TEXT NOT NULL,
    at TEXT NOT NULL, actor TEXT NOT NULL, ended_at TEXT, end TEXT
);
"""


def linked(db: sqlite3.Connection, event: Event, data: Mapping[str, Any]) -> None:
    db.execute(
        "INSERT OR REPLACE INTO incident_links VALUES (?, ?, ?, ?, ?, ?)",
        (
            data["incident"],
            data["kind"],
            data["other"] or data["url"],
            data["note"],
            event.time,
            event.actor,
        ),
    )


def unlinked(db: sqlite3.Connection, event: Event, data: Mapping[str, Any]) -> None:
    """From whichever end the link was made."""
    here, there = data["incident"], data["other"] or data["url"]
    db.execute(
        "DELETE FROM incident_links WHERE (incident = ? AND target = ?) OR (incident = ? AND target = ?)",
        (here, there, there, here),
    )


def merged(db: sqlite3.Connection, event: Event, data: Mapping[str, Any]) -> None:
    """Signals, links and silences go over; the survivor began when the earlier one of both did."""
    gone, stays = data["incident"], data["other"]
    db.execute(
        "DELETE FROM incident_signals WHERE incident = :stays AND current = 0 AND fingerprint IN"
        " (SELECT fingerprint FROM incident_signals WHERE incident = :gone AND current = 1)",
        {"gone": gone, "stays": stays},
    )
    for table, column in (
        ("incident_signals", "incident"),
        ("incident_links", "incident"),
        ("incident_links", "target"),
        ("incident_silences", "incident"),
    ):
        db.execute(f"UPDATE OR IGNORE {table} SET {column} = ? WHERE {column} = ?", (stays, gone))
        db.execute(f"DELETE FROM {table} WHERE {column} = ?", (gone,))
    db.execute("DELETE FROM incident_links WHERE incident = target")
    db.execute("UPDATE incidents SET merged_into = ? WHERE id = ?", (stays, gone))
    db.execute(_SURVIVES, {"stays": stays, "gone": gone, "seq": event.seq})


# `max` and `min` of SQLite answer NULL where one of both is.
_SURVIVES = """
UPDATE incidents SET seq = :seq,
    start_known = (SELECT CASE WHEN gone.started_at < incidents.started_at THEN gone.start_known
        WHEN gone.started_at > incidents.started_at THEN incidents.start_known
        ELSE max(gone.start_known, incidents.start_known) END FROM incidents gone WHERE gone.id = :gone),
    started_at = min(started_at, (SELECT started_at FROM incidents WHERE id = :gone)),
    signals_cleared_at = CASE WHEN EXISTS (
        SELECT 1 FROM incident_signals WHERE incident = :stays AND firing = 1 AND source <> 'user'
    ) THEN NULL ELSE coalesce(
        max(signals_cleared_at, (SELECT signals_cleared_at FROM incidents WHERE id = :gone)),
        signals_cleared_at, (SELECT signals_cleared_at FROM incidents WHERE id = :gone)
    ) END
WHERE id = :stays
"""


def silenced(db: sqlite3.Connection, event: Event, data: Mapping[str, Any]) -> None:
    """The events of the change belong to the incident as well."""
    db.execute(
        "INSERT OR REPLACE INTO incident_silences VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)",
        (data["change"], data["incident"], data["matchers"], data["until"], event.time, event.actor),
    )
    thread = (f"change/{data['change']}", data["incident"])
    db.execute("INSERT OR IGNORE INTO incident_threads VALUES (?, ?)", thread)


def silence_ended(db: sqlite3.Connection, event: Event, data: Mapping[str, Any]) -> None:
    _end(db, data["change"], data["end"], event.time)


def not_silenced(db: sqlite3.Connection, event: Event) -> None:
    """A change ended without its effect: was it to make a silence, there is none."""
    _end(db, event.subject.removeprefix("change/"), SilenceEnd.NOT_MADE.value, event.time)


def _end(db: sqlite3.Connection, change: str, end: str, time: str) -> None:
    db.execute(
        "UPDATE incident_silences SET ended_at = ?, end = ? WHERE change = ? AND ended_at IS NULL",
        (time, end, change),
    )
