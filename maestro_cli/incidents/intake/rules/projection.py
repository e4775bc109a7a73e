"""The tables of rules: which is known since when, what matched when, which signals came back, and where they
are.

Invariant: every row comes from an event, so that a replay gives the same rows; no event is written for a
match alone. Returns are kept for a day after they happened.
"""

from __future__ import annotations

import sqlite3
from datetime import timedelta

from maestro_cli.core.canonical import canonical_json
from maestro_cli.core.clock import from_rfc3339, to_rfc3339
from maestro_cli.journal.model import Event

MAX_FLAPPING_SECONDS = 86_400.0
_SCHEMA = """
CREATE TABLE rule_known (rule TEXT PRIMARY KEY, since TEXT NOT NULL);
CREATE TABLE rule_matches (rule TEXT PRIMARY KEY, signals INTEGER NOT NULL, last_at TEXT NOT NULL);
CREATE TABLE rule_incidents (incident TEXT PRIMARY KEY, rule TEXT NOT NULL);
CREATE TABLE signal_returns (
    incident TEXT NOT NULL, fingerprint TEXT NOT NULL, rule TEXT NOT NULL, at TEXT NOT NULL
);
CREATE TABLE signal_places (
    fingerprint TEXT PRIMARY KEY, workload TEXT NOT NULL, nodes TEXT NOT NULL, about TEXT NOT NULL
);
CREATE INDEX signal_returns_by_time ON signal_returns (at);
"""


class RulesProjection:
    """Folds `rules.*` events, and what `incident.*` events say of rules."""

    name = "incident_rules"
    version = 2
    tables = ("rule_known", "rule_matches", "rule_incidents", "signal_returns", "signal_places")
    schema = _SCHEMA

    def apply(self, db: sqlite3.Connection, event: Event) -> None:
        """Fold one event; kinds it does not know are ignored."""
        if event.kind == "incident.signal" and event.data.get("rule"):
            _signal(db, event)
        elif event.kind == "incident.opened" and event.data.get("rule"):
            db.execute(
                "INSERT OR REPLACE INTO rule_incidents VALUES (?, ?)",
                (event.data["incident"], event.data["rule"]),
            )
        elif event.kind == "rules.matched":
            _matched(db, event, event.data["rule"], event.data["signals"])
        elif event.kind == "rules.loaded":
            _loaded(db, event)


def _signal(db: sqlite3.Connection, event: Event) -> None:
    data = event.data
    if data["phase"] == "attached":
        _matched(db, event, data["rule"], 1)
    place = data.get("place")
    if place:
        db.execute(
            "INSERT OR REPLACE INTO signal_places VALUES (?, ?, ?, ?)",
            (
                data["signal"]["fingerprint"],
                place["workload"],
                canonical_json(place["nodes"]),
                place["about"],
            ),
        )
    if not data.get("returned"):
        return
    db.execute(
        "INSERT INTO signal_returns VALUES (?, ?, ?, ?)",
        (data["incident"], data["signal"]["fingerprint"], data["rule"], event.time),
    )
    oldest = from_rfc3339(event.time) - timedelta(seconds=MAX_FLAPPING_SECONDS)
    db.execute("DELETE FROM signal_returns WHERE at < ?", (to_rfc3339(oldest),))


def _matched(db: sqlite3.Connection, event: Event, rule: str, signals: int) -> None:
    db.execute(
        "INSERT INTO rule_matches VALUES (?, ?, ?) ON CONFLICT (rule) DO UPDATE SET"
        " signals = signals + excluded.signals, last_at = excluded.last_at",
        (rule, signals, event.time),
    )


def _loaded(db: sqlite3.Connection, event: Event) -> None:
    """What is known no more is forgotten with its matches: a rule of that id is another one then."""
    rules = event.data["rules"]
    marks = ",".join("?" * len(rules))
    db.execute(f"DELETE FROM rule_known WHERE rule NOT IN ({marks})", rules)
    db.executemany("INSERT OR IGNORE INTO rule_known VALUES (?, ?)", [(rule, event.time) for rule in rules])
