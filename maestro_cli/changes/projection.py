"""The table `changes`, rebuilt from events.

Invariant: the state of a change is what its last event says; a change is never forgotten.
Events and their data are listed in `ledger`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from maestro_cli.changes.model import State
from maestro_cli.core.canonical import canonical_json
from maestro_cli.core.refs import ref_of
from maestro_cli.journal.model import Event

_COLUMNS = """
    id TEXT PRIMARY KEY, key TEXT, kind TEXT NOT NULL, target TEXT NOT NULL, actor TEXT NOT NULL,
    cause TEXT NOT NULL, state TEXT NOT NULL, plan TEXT NOT NULL, payload_digest TEXT NOT NULL,
    leaves TEXT NOT NULL, dry_run INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, intended_at TEXT, applied_at TEXT, finished_at TEXT,
    evidence TEXT NOT NULL DEFAULT '', left_part TEXT NOT NULL DEFAULT '',
    applied_generation INTEGER NOT NULL DEFAULT 0, verify_failure TEXT NOT NULL DEFAULT '',
    undo_wanted INTEGER NOT NULL DEFAULT 0, interrupted INTEGER NOT NULL DEFAULT 0,
    error TEXT, decision TEXT, undo_of TEXT, undone_by TEXT,
    appeal TEXT, approval TEXT
"""


class ChangesProjection:
    """One row a change; find by id, key, or target."""

    name = "changes"
    version = 3
    tables = ("changes",)
    schema = f"""
CREATE TABLE changes ({_COLUMNS});
CREATE INDEX changes_by_key ON changes (key);
CREATE INDEX changes_by_target ON changes (target, state);
"""

    def apply(self, db: sqlite3.Connection, event: Event) -> None:
        fold = _FOLDS.get(event.kind)
        if fold is None:
            return
        change_id = event.subject.partition("/")[2]
        if event.kind == "change.planned":
            _planned(db, change_id, event)
            return
        values = {"updated_at": event.time, **fold(event.data, event.time)}
        assignments = ", ".join(f"{column} = :{column}" for column in values)
        db.execute(f"UPDATE changes SET {assignments} WHERE id = :id", {**values, "id": change_id})


def _planned(db: sqlite3.Connection, change_id: str, event: Event) -> None:
    """A plan may be recorded twice: by a dry run, or refused at first, and then for good."""
    data = event.data
    plan = data["plan"]
    db.execute(
        "INSERT OR REPLACE INTO changes (id, key, kind, target, actor, cause, state, plan, payload_digest,"
        " leaves, dry_run, created_at, updated_at, undo_of)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            change_id, data["key"], plan["kind"], str(ref_of(**plan["target"]["ref"])), event.actor,
            data["cause"], State.PLANNED.value, canonical_json(plan), plan["payload_digest"],
            plan["leaves"], int(data["dry_run"]), event.time, event.time, data["undo_of"],
        ),
    )  # fmt: skip
    if data["undo_of"]:
        db.execute("UPDATE changes SET undone_by = ? WHERE id = ?", (change_id, data["undo_of"]))


def _refused(data: Mapping[str, Any], time: str) -> dict[str, Any]:
    return {"state": State.REFUSED.value, "decision": json.dumps(data["decision"]), "finished_at": time}


def _waiting(data: Mapping[str, Any], time: str) -> dict[str, Any]:
    return {
        "state": State.WAITING.value,
        "decision": json.dumps(data["decision"]),
        "appeal": json.dumps(data["appeal"]),
    }


def _approved(data: Mapping[str, Any], time: str) -> dict[str, Any]:
    return {"approval": json.dumps(data["approval"])}


def _intended(data: Mapping[str, Any], time: str) -> dict[str, Any]:
    return {"state": State.INTENDED.value, "decision": json.dumps(data["decision"]), "intended_at": time}


def _applied(data: Mapping[str, Any], time: str) -> dict[str, Any]:
    return {
        "state": State.APPLIED.value, "applied_at": time, "evidence": data["evidence"],
        "left_part": data.get("part", ""), "applied_generation": data["generation"],
    }  # fmt: skip


def _unknown(data: Mapping[str, Any], time: str) -> dict[str, Any]:
    return {"state": State.UNKNOWN.value, "evidence": data["evidence"]}


def _verified(data: Mapping[str, Any], time: str) -> dict[str, Any]:
    return {
        "state": State.VERIFIED.value,
        "evidence": data["observed"],
        "finished_at": time,
        "interrupted": 0,
    }


def _failed(data: Mapping[str, Any], time: str) -> dict[str, Any]:
    return {"state": State.FAILED.value, "error": json.dumps(data["error"]), "finished_at": time}


def _given_up(state: State) -> Callable[[Mapping[str, Any], str], dict[str, Any]]:
    def fold(data: Mapping[str, Any], time: str) -> dict[str, Any]:
        return {"state": state.value, "error": json.dumps(data["error"]), "finished_at": time}

    return fold


def _verify_failed(data: Mapping[str, Any], time: str) -> dict[str, Any]:
    return {"verify_failure": data["why"], "undo_wanted": int(data["undo"]), "interrupted": 0}


def _interrupted(data: Mapping[str, Any], time: str) -> dict[str, Any]:
    return {"interrupted": 1}


def _undone(data: Mapping[str, Any], time: str) -> dict[str, Any]:
    return {"state": State.ROLLED_BACK.value, "error": json.dumps(data["error"]), "finished_at": time}


def _undo_failed(data: Mapping[str, Any], time: str) -> dict[str, Any]:
    return {"state": State.UNDO_FAILED.value, "error": json.dumps(data["error"]), "finished_at": time}


_FOLDS: dict[str, Callable[[Mapping[str, Any], str], dict[str, Any]]] = {
    "change.planned": lambda data, time: {},
    "change.refused": _refused,
    "change.waiting": _waiting,
    "change.approved": _approved,
    "change.intended": _intended,
    "change.applied": _applied,
    "change.unknown": _unknown,
    "change.verified": _verified,
    "change.failed": _failed,
    "change.cancelled": _given_up(State.CANCELLED),
    "change.expired": _given_up(State.EXPIRED),
    "change.verify_failed": _verify_failed,
    "change.interrupted": _interrupted,
    "change.undone": _undone,
    "change.undo_failed": _undo_failed,
}
