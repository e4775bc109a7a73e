"""The tables of a journal, and how tables are made in a transaction.

Invariant: events are added, never changed or removed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from maestro_cli.journal.model import GENESIS, Projection

FORMAT = 1

_SCHEMA = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    time TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, actor TEXT NOT NULL,
    data TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE INDEX events_by_subject ON events (subject, seq);
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL);
CREATE TABLE projections (name TEXT PRIMARY KEY, version INTEGER NOT NULL, seq INTEGER NOT NULL);
CREATE TABLE leases (
    name TEXT PRIMARY KEY, holder TEXT NOT NULL, fence INTEGER NOT NULL, until TEXT NOT NULL
);
CREATE TRIGGER events_are_not_updated BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""


def make_tables(db: sqlite3.Connection) -> None:
    """Those of a new journal, in the open transaction."""
    for statement in _statements(_SCHEMA):
        db.execute(statement)
    db.execute("INSERT INTO head VALUES (1, 0, ?)", (GENESIS,))
    db.execute(f"PRAGMA user_version = {FORMAT}")


def recreate(db: sqlite3.Connection, projection: Projection) -> None:
    for table in projection.tables:
        db.execute(f"DROP TABLE IF EXISTS {table}")
    for statement in _statements(projection.schema):
        db.execute(statement)


def format_of(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    """Split a schema; `executescript` would commit the open transaction."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
