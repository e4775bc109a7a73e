"""Whether an incident is open, told before the journal is opened.

Invariant: writes nothing and imports no room; what is not certain is None, never False.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from maestro_cli.incidents.model import OPEN_STATES

_PATIENCE_SECONDS = 0.5


def is_any_open(journal: Path) -> bool | None:
    """Of a context; None where the file cannot be read, or its tables have not seen every event."""
    marks = ",".join("?" * len(OPEN_STATES))
    try:
        if not journal.exists():
            return False
        # Not mode=ro: that cannot roll back what a crash left.
        uri = f"{journal.absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, timeout=_PATIENCE_SECONDS)) as db:
            db.execute("PRAGMA query_only = ON")
            db.execute("BEGIN")
            seen = "SELECT 1 FROM projections p, head h WHERE p.name = 'incidents' AND p.seq = h.seq"
            if db.execute(seen).fetchone() is None:
                return None
            found = f"SELECT 1 FROM incidents WHERE state IN ({marks}) LIMIT 1"
            return db.execute(found, [state.value for state in OPEN_STATES]).fetchone() is not None
    except (sqlite3.Error, OSError):
        return None
