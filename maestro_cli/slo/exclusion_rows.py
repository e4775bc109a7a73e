"""The table of maintenance that was declared in the journal, a row each.

Invariant: every row comes from an event, so that a replay gives the same rows.
"""

from __future__ import annotations

import sqlite3

from maestro_cli.core.canonical import canonical_json
from maestro_cli.journal.model import Event

SUBJECT = "exclusion/"
_SCHEMA = """
CREATE TABLE exclusions (
    id TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    declared_at TEXT NOT NULL,
    added_by TEXT NOT NULL,
    identity TEXT NOT NULL,
    spec TEXT NOT NULL,
    approved_by TEXT NOT NULL,
    last TEXT NOT NULL,
    withdrawn TEXT NOT NULL
);
"""


class ExclusionsProjection:
    """Folds `exclusion.*` events; `last` is the place and hash of the one that it counts by."""

    name = "exclusions"
    version = 1
    tables = ("exclusions",)
    schema = _SCHEMA

    def apply(self, db: sqlite3.Connection, event: Event) -> None:
        """Fold one event; kinds it does not know are ignored."""
        id_, place = event.subject.removeprefix(SUBJECT), f"{event.seq}:{event.hash}"
        if event.kind == "exclusion.added":
            spec = canonical_json(event.data["exclusion"])
            db.execute(
                "INSERT OR REPLACE INTO exclusions VALUES (?, ?, ?, ?, ?, ?, '', ?, '')",
                (id_, event.seq, event.time, event.actor, event.data["identity"], spec, place),
            )
        elif event.kind == "exclusion.approved":
            db.execute(
                "UPDATE exclusions SET approved_by = ?, last = ? WHERE id = ?", (event.actor, place, id_)
            )
        elif event.kind == "exclusion.withdrawn":
            why = f"{event.actor}: {event.data['why']}"
            db.execute("UPDATE exclusions SET withdrawn = ? WHERE id = ?", (why, id_))
