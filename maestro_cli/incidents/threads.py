"""Which events of other rooms stand on the timeline of an incident.

Invariant: an event belongs to an incident when it names it (`data.incident`, `data.cause`) or when its
subject, run or change already does.
"""

from __future__ import annotations

import re
import sqlite3

from maestro_cli.journal.model import Event

TIMELINE_ROOMS = ("change.", "run.", "step.", "approval.", "experiment.", "drill.")
# Ids inside a cause such as `run/run-01k9…`, whatever words stand around them.
_IDS = re.compile(r"\b((inc|run|chg)-[0-9a-z]{14})\b")
_ROOMS = {"run": "run", "chg": "change"}

THREADS_SCHEMA = """\
CREATE TABLE incident_threads (subject TEXT PRIMARY KEY, incident TEXT NOT NULL);
CREATE TABLE incident_timeline (
    seq INTEGER NOT NULL, incident TEXT NOT NULL, PRIMARY KEY (seq, incident)
) WITHOUT ROWID;
CREATE INDEX incident_timeline_of ON incident_timeline (incident, seq);
"""


def thread(db: sqlite3.Connection, event: Event, incident: str) -> None:
    if not incident:
        return
    db.execute("INSERT OR IGNORE INTO incident_timeline VALUES (?, ?)", (event.seq, incident))
    if not event.subject.startswith("incident/"):
        db.execute("INSERT OR IGNORE INTO incident_threads VALUES (?, ?)", (event.subject, incident))


def incident_of(db: sqlite3.Connection, event: Event) -> str:
    """The incident an event of another room belongs to, or ""."""
    data = event.data
    named = data.get("incident")
    if isinstance(named, str) and named:
        return named.removeprefix("incident/")
    subjects = [event.subject]
    cause = data.get("cause")
    for word, prefix in _IDS.findall(cause[:500]) if isinstance(cause, str) else ():
        if prefix == "inc":
            return str(word)
        subjects.append(f"{_ROOMS[prefix]}/{word}")
    for room in ("run", "change", "experiment", "drill"):
        value = data.get(room)
        if isinstance(value, str) and value:
            subjects += [value, f"{room}/{value}"]
    marks = ",".join("?" * len(subjects))
    row = db.execute(f"SELECT incident FROM incident_threads WHERE subject IN ({marks})", subjects).fetchone()
    return str(row[0]) if row else ""
