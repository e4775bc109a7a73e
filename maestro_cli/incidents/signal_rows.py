"""The table of signals. Invariant: a fingerprint is current on one incident alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from maestro_cli.core.canonical import canonical_json
from maestro_cli.journal.model import Event

SIGNALS_SCHEMA = """\
CREATE TABLE incident_signals (
    incident TEXT NOT NULL, fingerprint TEXT NOT NULL, current INTEGER NOT NULL, content TEXT NOT NULL,
    firing INTEGER NOT NULL, name TEXT NOT NULL, labels TEXT NOT NULL, annotations TEXT NOT NULL,
    starts_at TEXT NOT NULL, source TEXT NOT NULL, generator_url TEXT NOT NULL,
    first_seen_at TEXT NOT NULL, changed_at TEXT NOT NULL, resolved_at TEXT, resolved_because TEXT,
    flaps INTEGER NOT NULL, start_said TEXT, PRIMARY KEY (incident, fingerprint)
);
CREATE INDEX incident_signals_now ON incident_signals (fingerprint) WHERE current = 1;
CREATE INDEX incident_signals_firing ON incident_signals (source) WHERE current = 1 AND firing = 1;
"""


def signal(db: sqlite3.Connection, event: Event, data: Mapping[str, Any]) -> None:
    incident, phase = data["incident"], data["phase"]
    if phase == "resolved":
        db.execute(
            "UPDATE incident_signals SET firing = 0, resolved_at = ?, resolved_because = ?, changed_at = ?"
            " WHERE incident = ? AND fingerprint = ?",
            (data["at"], data["reason"], event.time, incident, data["fingerprint"]),
        )
        return
    _put_signal(db, event.time, incident, data["signal"])
    db.execute(
        "UPDATE incidents SET start_known = start_known OR (:believed AND :starts_at <= started_at),"
        " started_at = min(started_at, :starts_at), signals_cleared_at = NULL WHERE id = :incident",
        {
            "believed": data["signal"].get("start_said") is None,
            "starts_at": data["signal"]["starts_at"],
            "incident": incident,
        },
    )


def _put_signal(db: sqlite3.Connection, time: str, incident: str, signal: Mapping[str, Any]) -> None:
    """Insert or update a firing signal; it is current on this incident alone."""
    fingerprint = signal["fingerprint"]
    db.execute(
        "UPDATE incident_signals SET current = 0 WHERE fingerprint = ? AND current = 1 AND incident <> ?",
        (fingerprint, incident),
    )
    db.execute(
        _PUT_SIGNAL,
        (
            incident,
            fingerprint,
            signal["content"],
            signal["name"],
            canonical_json(signal["labels"]),
            canonical_json(signal["annotations"]),
            signal["starts_at"],
            signal["source"],
            signal["generator_url"],
            time,
            time,
            signal.get("start_said"),
        ),
    )


_PUT_SIGNAL = """
INSERT INTO incident_signals (incident, fingerprint, current, firing, flaps, content, name, labels,
    annotations, starts_at, source, generator_url, changed_at, first_seen_at, start_said)
VALUES (?, ?, 1, 1, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (incident, fingerprint) DO UPDATE SET flaps = flaps + (firing = 0), firing = 1, current = 1,
    content = excluded.content, name = excluded.name, labels = excluded.labels,
    annotations = excluded.annotations, starts_at = excluded.starts_at, source = excluded.source,
    generator_url = excluded.generator_url, changed_at = excluded.changed_at, resolved_at = NULL,
    resolved_because = NULL, start_said = excluded.start_said
"""


def confirmed(db: sqlite3.Connection, event: Event, data: Mapping[str, Any]) -> None:
    """Another source than the one that told of them was read, and holds the signals as well."""
    for fingerprint in data["fingerprints"]:
        db.execute(
            "UPDATE incident_signals SET source = ? WHERE incident = ? AND fingerprint = ?",
            (data["source"], data["incident"], fingerprint),
        )


def cleared(db: sqlite3.Connection, event: Event, data: Mapping[str, Any]) -> None:
    db.execute("UPDATE incidents SET signals_cleared_at = ? WHERE id = ?", (event.time, data["incident"]))
