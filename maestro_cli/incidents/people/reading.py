"""Roles, tasks and status updates as the journal's tables hold them now.

Invariant: read only; works on a journal and inside a transaction alike.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.errors import NotFound, UsageError
from maestro_cli.incidents.model import Incident
from maestro_cli.incidents.people.model import (
    UPDATE_EVERY,
    Audience,
    Role,
    Standing,
    StatusUpdate,
    Task,
    TaskKind,
    TaskState,
    Turn,
    UpdateClock,
)
from maestro_cli.incidents.register import Reads

_TASKS = "SELECT t.*, i.number AS incident_number FROM people_tasks t JOIN incidents i ON i.id = t.incident"
# Overdue and dated ones first, then as they came.
_BY_DUE = "ORDER BY t.state <> 'open', t.due_at IS NULL, t.due_at, t.number"


def turns_of(reads: Reads, incident_id: str) -> tuple[Turn, ...]:
    """Every turn in a role, the oldest first."""
    rows = reads.query("SELECT * FROM people_turns WHERE incident = ? ORDER BY seq, role", (incident_id,))
    return tuple(map(_turn, rows))


def roles_of(reads: Reads, incident_id: str) -> dict[Role, Turn]:
    """Who has which role now, in the order of the roles."""
    rows = reads.query("SELECT * FROM people_turns WHERE incident = ? AND until IS NULL", (incident_id,))
    held = {turn.role: turn for turn in map(_turn, rows)}
    return {role: held[role] for role in Role if role in held}


def find_task(reads: Reads, text: str) -> Task:
    """One task by its number, as `12` or `#12`; raises NotFound, and UsageError for what is no number."""
    word = text.strip().removeprefix("#")
    if not (word.isascii() and word.isdigit() and len(word) <= 12):
        raise UsageError(f"{text!r} is not the number of a task", fix="maestro incident task list all")
    rows = reads.query(f"{_TASKS} WHERE t.number = ?", (int(word),))
    if not rows:
        raise NotFound(f"there is no task {word}", fix="maestro incident task list all --ended")
    return _task(rows[0])


def list_tasks(reads: Reads, incident_id: str | None = None, *, ended: bool = False) -> tuple[Task, ...]:
    """Of one incident or of all: what is open, the next due first, then what ended if that is asked."""
    terms = [*(["t.incident = ?"] if incident_id else []), *([] if ended else ["t.state = 'open'"])]
    where = f"WHERE {' AND '.join(terms)}" if terms else ""
    parameters = (incident_id,) if incident_id else ()
    return tuple(map(_task, reads.query(f"{_TASKS} {where} {_BY_DUE}", parameters)))


def last_update(reads: Reads, incident_id: str) -> StatusUpdate | None:
    rows = reads.query(
        "SELECT * FROM people_updates WHERE incident = ? ORDER BY seq DESC LIMIT 1", (incident_id,)
    )
    return _update(rows[0]) if rows else None


def updates_of(reads: Reads, incident_id: str) -> tuple[StatusUpdate, ...]:
    """Every status update, the oldest first."""
    rows = reads.query("SELECT * FROM people_updates WHERE incident = ? ORDER BY seq", (incident_id,))
    return tuple(map(_update, rows))


def update_clock(incident: Incident, last_at: datetime | None, snoozed_until: datetime | None) -> UpdateClock:
    """An open incident is due for an update an interval of its severity after the last one, or its opening;
    a snooze that reaches further moves it."""
    if not incident.state.is_open:
        return UpdateClock(last_at, None)
    due = (last_at or incident.times.opened_at) + UPDATE_EVERY[incident.severity]
    if snoozed_until is not None and snoozed_until > due:
        return UpdateClock(last_at, snoozed_until, snoozed=True)
    return UpdateClock(last_at, due)


def standings(reads: Reads, incidents: Sequence[Incident], now: datetime) -> dict[str, Standing]:
    """What lists show of each incident's people, by its id; four queries for any number."""
    last = _instants(reads, "SELECT incident, max(at) FROM people_updates GROUP BY incident")
    snoozed = _instants(reads, "SELECT incident, until FROM people_snoozes")
    roles: dict[str, dict[str, str]] = defaultdict(dict)
    for row in reads.query("SELECT incident, role, person FROM people_turns WHERE until IS NULL"):
        roles[row["incident"]][row["role"]] = row["person"]
    tasks: dict[str, list[Task]] = defaultdict(list)
    for task in list_tasks(reads):
        tasks[task.incident].append(task)
    return {
        one.id: Standing(
            {role.value: roles[one.id][role.value] for role in Role if role.value in roles.get(one.id, {})},
            update_clock(one, last.get(one.id), snoozed.get(one.id)),
            len(tasks.get(one.id, ())),
            sum(task.is_overdue(now) for task in tasks.get(one.id, ())),
        )
        for one in incidents
    }


def _instants(reads: Reads, sql: str) -> dict[str, datetime]:
    return {row[0]: from_rfc3339(row[1]) for row in reads.query(sql)}


def people_seen(reads: Reads, limit: int = 200) -> tuple[str, ...]:
    """Names that were given to roles, tasks and incidents before, those used most first."""
    rows = reads.query(
        "SELECT name, count(*) AS n FROM (SELECT person AS name FROM people_turns"
        " UNION ALL SELECT owner FROM people_tasks UNION ALL SELECT owner FROM incidents)"
        " WHERE name IS NOT NULL AND name NOT LIKE 'watch, %' GROUP BY name ORDER BY n DESC, name LIMIT ?",
        (limit,),
    )
    return tuple(str(row["name"]) for row in rows)


def known_late(reads: Reads, what: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the pairs (what, due) of which it was recorded that they ran late."""
    asked = set(what)
    if not asked:
        return set()
    return {(row[0], row[1]) for row in reads.query("SELECT what, due_at FROM people_late")} & asked


def _turn(row: sqlite3.Row) -> Turn:
    until = from_rfc3339(row["until"]) if row["until"] else None
    since = from_rfc3339(row["since"])
    return Turn(row["incident"], Role(row["role"]), row["person"], since, row["by"], until)


def _task(row: sqlite3.Row) -> Task:
    fields: dict[str, Any] = dict(row)
    for name in ("due_at", "created_at", "ended_at"):
        fields[name] = from_rfc3339(fields[name]) if fields[name] else None
    return Task(**fields | {"kind": TaskKind(row["kind"]), "state": TaskState(row["state"])})


def _update(row: sqlite3.Row) -> StatusUpdate:
    return StatusUpdate(
        incident=row["incident"],
        seq=row["seq"],
        at=from_rfc3339(row["at"]),
        by=row["by"],
        conditions=row["conditions"],
        actions=row["actions"],
        needs=row["needs"],
        audience=Audience(row["audience"]),
    )
