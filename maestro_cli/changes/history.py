"""What was changed, by whom, and how it ended. Invariant: reads the journal only."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta

from maestro_cli.changes.model import (
    KILLED_FOR_MEMORY,
    UNRESOLVED,
    Change,
    ChangeError,
    RecentChange,
    State,
)
from maestro_cli.changes.records import (
    appeal_from_data,
    approval_from_data,
    decision_from_data,
    plan_from_data,
)
from maestro_cli.core.clock import from_rfc3339, to_rfc3339
from maestro_cli.core.errors import NotFound
from maestro_cli.core.refs import ObjectRef
from maestro_cli.journal.store import Journal, Transaction

Reader = Journal | Transaction


def list_changes(
    reader: Reader, *, target: ObjectRef | None = None, since: datetime | None = None, limit: int = 100
) -> tuple[Change, ...]:
    """Changes newest first; `since` compares with their last event."""
    rows = reader.query(
        "SELECT * FROM changes WHERE (:target IS NULL OR target = :target) AND updated_at >= :since"
        " ORDER BY created_at DESC, id DESC LIMIT :limit",
        {
            "target": None if target is None else str(target),
            "since": "" if since is None else to_rfc3339(since),
            "limit": limit,
        },
    )
    return tuple(map(change_from_row, rows))


def has_kind(reader: Reader, kind: str) -> bool:
    """Whether there is a change of that kind."""
    return bool(reader.query("SELECT 1 FROM changes WHERE kind = ? LIMIT 1", (kind,)))


def get_change(reader: Reader, change_id: str) -> Change:
    """The change of that id; raises NotFound."""
    change = find_change(reader, change_id)
    if change is None:
        raise NotFound(f"there is no change {change_id!r} in this context's journal")
    return change


def named_change(reader: Reader, reference: str) -> Change:
    """The change of that id, or the one planned last for `latest`; raises NotFound."""
    if reference != "latest":
        return get_change(reader, reference)
    newest = list_changes(reader, limit=1)
    if not newest:
        raise NotFound("there is no change yet", fix="maestro change list")
    return newest[0]


def find_change(reader: Reader, change_id: str) -> Change | None:
    rows = reader.query("SELECT * FROM changes WHERE id = ?", (change_id,))
    return change_from_row(rows[0]) if rows else None


def find_by_key(reader: Reader, key: str) -> Change | None:
    """The latest change that went past its gate under that idempotency key, or waits before it; or None.

    Plans, dry runs and refusals do not take a key.
    """
    rows = reader.query(
        "SELECT * FROM changes WHERE key = ? AND (intended_at IS NOT NULL OR state = ?)"
        " ORDER BY COALESCE(intended_at, updated_at) DESC, id DESC LIMIT 1",
        (key, State.WAITING.value),
    )
    return change_from_row(rows[0]) if rows else None


def planned_before(reader: Reader, before: datetime, limit: int) -> tuple[Change, ...]:
    """Changes that were planned before that time and of which nothing was heard since, oldest first."""
    rows = reader.query(
        "SELECT * FROM changes WHERE state = ? AND updated_at < ? ORDER BY updated_at LIMIT ?",
        (State.PLANNED.value, to_rfc3339(before), limit),
    )
    return tuple(map(change_from_row, rows))


def waiting_changes(reader: Reader) -> tuple[Change, ...]:
    """Changes that wait for a second person, the longest waiting first."""
    rows = reader.query("SELECT * FROM changes WHERE state = ? ORDER BY created_at", (State.WAITING.value,))
    return tuple(map(change_from_row, rows))


def unfinished_changes(reader: Reader) -> tuple[Change, ...]:
    """Changes that went past their gate and did not end, the newest first; they may be at work."""
    unfinished = (*UNRESOLVED, State.APPLIED)
    rows = reader.query(
        f"SELECT * FROM changes WHERE state IN ({_marks(len(unfinished))})"
        " ORDER BY intended_at DESC, id DESC",
        tuple(sorted(state.value for state in unfinished)),
    )
    return tuple(map(change_from_row, rows))


def unresolved_on(reader: Reader, target: ObjectRef, *, but: str = "") -> tuple[Change, ...]:
    """Changes of a target whose outcome is not known, oldest first."""
    rows = reader.query(
        f"SELECT * FROM changes WHERE target = ? AND id <> ? AND state IN ({_marks(len(UNRESOLVED))})"
        " ORDER BY intended_at",
        (str(target), but, *sorted(state.value for state in UNRESOLVED)),
    )
    return tuple(map(change_from_row, rows))


def recent_on(
    reader: Reader, target: ObjectRef, now: datetime, seconds: float, *, but: str = ""
) -> tuple[RecentChange, ...]:
    """Changes that went past their gate within that time, newest first."""
    rows = reader.query(
        "SELECT id, kind, actor, state, intended_at FROM changes WHERE target = ? AND intended_at >= ?"
        " AND id <> ? ORDER BY intended_at DESC, id DESC",
        (str(target), to_rfc3339(now - timedelta(seconds=seconds)), but),
    )
    return tuple(
        RecentChange(row["id"], row["kind"], row["actor"], row["state"], from_rfc3339(row["intended_at"]))
        for row in rows
    )


def last_applied(
    reader: Reader, target: ObjectRef, uid: str, kind: str, since: datetime, *, but: str = ""
) -> RecentChange | None:
    """The newest change of that kind that reached the target since then; undos do not count.

    Nor does a change of another object that had the same name: it was deleted and made again.
    """
    rows = reader.query(
        "SELECT id, kind, actor, state, applied_at FROM changes WHERE target = ? AND kind = ?"
        " AND json_extract(plan, '$.target.uid') = ?"
        " AND applied_at >= ? AND id <> ? AND undo_of IS NULL ORDER BY applied_at DESC LIMIT 1",
        (str(target), kind, uid, to_rfc3339(since), but),
    )
    if not rows:
        return None
    row = rows[0]
    return RecentChange(row["id"], row["kind"], row["actor"], row["state"], from_rfc3339(row["applied_at"]))


def abandoned_payloads(reader: Reader, target: ObjectRef) -> dict[str, str]:
    """By digest of what was given up, or did not hold: which change did so, and when; the latest counts."""
    rows = reader.query(
        "SELECT id, actor, finished_at, state, payload_digest, leaves,"
        " json_extract(plan, '$.gives_up') AS gives_up"
        " FROM changes WHERE target = ? AND finished_at IS NOT NULL"
        " ORDER BY finished_at, id",
        (str(target),),
    )
    abandoned: dict[str, str] = {}
    for row in rows:
        change = f"{row['id']} by {row['actor']}"
        at = f"at {from_rfc3339(row['finished_at']):%Y-%m-%d %H:%M}Z"
        if row["state"] == State.VERIFIED.value:
            if row["gives_up"]:
                abandoned[row["leaves"]] = f"a rollback left it {at} ({change})"
            abandoned.pop(row["payload_digest"], None)
        elif row["state"] in (State.ROLLED_BACK.value, State.UNDO_FAILED.value):
            abandoned[row["payload_digest"]] = f"it did not hold when it came {at} ({change})"
    return abandoned


def written_payloads(
    reader: Reader, target: ObjectRef, since: datetime | None = None
) -> Mapping[str, frozenset[str]]:
    """What changes of the target that were sent (since then) wrote: digests by id, as sent and as left."""
    rows = reader.query(
        "SELECT id, payload_digest, left_part FROM changes WHERE target = ? AND intended_at >= ?",
        (str(target), "" if since is None else to_rfc3339(since)),
    )
    return {row["id"]: frozenset({row["payload_digest"], row["left_part"]} - {""}) for row in rows}


def applied_since(reader: Reader, change: Change) -> tuple[Change, ...]:
    """Changes of its target that reached it after this one did, the newest first."""
    if change.applied_at is None:
        return ()
    rows = reader.query(
        "SELECT * FROM changes WHERE target = ? AND id <> ? AND applied_at > ? ORDER BY applied_at DESC",
        (str(change.ref), change.id, to_rfc3339(change.applied_at)),
    )
    return tuple(map(change_from_row, rows))


def killed_for_memory(reader: Reader, since: datetime, until: datetime) -> tuple[Change, ...]:
    """Changes that were applied then, and which saw a pod killed for its memory; oldest first."""
    rows = reader.query(
        "SELECT * FROM changes WHERE applied_at BETWEEN ? AND ? AND instr(verify_failure, ?)"
        " ORDER BY applied_at, id",
        (to_rfc3339(since), to_rfc3339(until), KILLED_FOR_MEMORY),
    )
    return tuple(map(change_from_row, rows))


def verified_payloads(reader: Reader, target: ObjectRef) -> Mapping[str, str]:
    """By the digest of what changes of the target wrote, the newest of them that was verified."""
    rows = reader.query(
        "SELECT payload_digest, id FROM changes WHERE target = ? AND state = ? ORDER BY finished_at, id",
        (str(target), State.VERIFIED.value),
    )
    return {row["payload_digest"]: row["id"] for row in rows}


def change_from_row(row: sqlite3.Row) -> Change:
    """A row of the table `changes` as data."""
    plan = plan_from_data(json.loads(row["plan"]))
    return Change(
        id=row["id"],
        key=row["key"],
        kind=row["kind"],
        ref=plan.target.ref,
        actor=row["actor"],
        cause=row["cause"],
        state=State(row["state"]),
        plan=plan,
        created_at=from_rfc3339(row["created_at"]),
        updated_at=from_rfc3339(row["updated_at"]),
        dry_run=bool(row["dry_run"]),
        intended_at=_time(row["intended_at"]),
        applied_at=_time(row["applied_at"]),
        finished_at=_time(row["finished_at"]),
        evidence=row["evidence"],
        left=row["left_part"],
        applied_generation=row["applied_generation"],
        verify_failure=row["verify_failure"],
        undo_wanted=bool(row["undo_wanted"]),
        interrupted=bool(row["interrupted"]),
        error=None if row["error"] is None else ChangeError(**json.loads(row["error"])),
        decision=None if row["decision"] is None else decision_from_data(json.loads(row["decision"])),
        undo_of=row["undo_of"],
        undone_by=row["undone_by"],
        appeal=None if row["appeal"] is None else appeal_from_data(json.loads(row["appeal"])),
        approval=None if row["approval"] is None else approval_from_data(json.loads(row["approval"])),
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else from_rfc3339(text)


def _marks(count: int) -> str:
    return ", ".join("?" * count)
