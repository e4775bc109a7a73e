"""Runs of playbooks, as the journal has them.

Invariant: a key names one run of a playbook for ever: a tick, what happened to an incident, a response.
Its table is kept with those of the runs of runbooks, by `RunsProjection`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from maestro_cli.core.errors import NotFound
from maestro_cli.core.untrusted import visible
from maestro_cli.journal.model import Event
from maestro_cli.runbooks.history import Reader

SCHEMA = """
CREATE TABLE playbook_runs (
    id TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, playbook TEXT NOT NULL, digest TEXT NOT NULL,
    trigger TEXT NOT NULL, words TEXT NOT NULL, mode TEXT NOT NULL, incident TEXT NOT NULL,
    facts TEXT NOT NULL, annotations TEXT NOT NULL, actor TEXT NOT NULL, status TEXT NOT NULL,
    exit_code INTEGER NOT NULL, reason TEXT NOT NULL, started_at TEXT NOT NULL, finished_at TEXT NOT NULL
);
CREATE INDEX playbook_runs_by_status ON playbook_runs (status, trigger);
"""


class PlayStatus(Enum):
    BEGUN = "begun"
    WAITING = "waiting"  # a run of a runbook waits for a person
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SUGGESTED = "suggested"  # left to people: the mode is no more than that
    OBSERVED = "observed"

    @property
    def final(self) -> bool:
        return self not in (PlayStatus.BEGUN, PlayStatus.WAITING)


@dataclass(frozen=True, slots=True)
class PlayRecord:
    """One run of a playbook; `trigger` is alert, incident, schedule or manual, `words` say what it was.

    `facts` are what placeholders stood for when it began. Times are RFC 3339.
    """

    id: str
    key: str
    playbook: str
    digest: str
    trigger: str
    words: str
    mode: str
    incident: str
    facts: Mapping[str, Mapping[str, str]]
    annotations: Mapping[str, str]
    actor: str
    status: PlayStatus
    exit_code: int
    reason: str
    started_at: str
    finished_at: str


def play_of_key(source: Reader, key: str) -> PlayRecord | None:
    rows = source.query("SELECT * FROM playbook_runs WHERE key = ?", (key,))
    return _record(rows[0]) if rows else None


def get_play(source: Reader, play_id: str) -> PlayRecord:
    """Raises NotFound."""
    rows = source.query("SELECT * FROM playbook_runs WHERE id = ?", (play_id,))
    if not rows:
        raise NotFound(
            f"there is no run of a playbook {visible(play_id, 60)!r}", fix="maestro playbook history"
        )
    return _record(rows[0])


def list_plays(source: Reader, *, playbook: str | None = None, limit: int = 50) -> list[PlayRecord]:
    """The newest first."""
    where = "WHERE ? IS NULL OR playbook = ? ORDER BY started_at DESC, id DESC LIMIT ?"
    rows = source.query(f"SELECT * FROM playbook_runs {where}", (playbook, playbook, limit))
    return list(map(_record, rows))


def unfinished_plays(source: Reader, triggers: Sequence[str]) -> list[PlayRecord]:
    """Those that nobody has seen to their end, of these triggers, the oldest first."""
    marks = ",".join("?" * len(triggers))
    where = f"WHERE status IN ('begun', 'waiting') AND trigger IN ({marks}) ORDER BY id"
    return list(map(_record, source.query(f"SELECT * FROM playbook_runs {where}", tuple(triggers))))


def _record(row: sqlite3.Row) -> PlayRecord:
    fields: dict[str, Any] = {name: row[name] for name in row.keys()}  # noqa: SIM118  # a Row iterates its values
    for name in ("facts", "annotations"):
        fields[name] = json.loads(fields[name])
    return PlayRecord(**{**fields, "status": PlayStatus(fields["status"])})


def _begun(db: sqlite3.Connection, event: Event, play: str) -> None:
    data = event.data
    texts = [data[name] for name in ("key", "playbook", "digest", "trigger", "words", "mode", "incident")]
    facts = [json.dumps(data[name]) for name in ("facts", "annotations")]
    db.execute(
        "INSERT INTO playbook_runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
        (
            play, *texts, *facts, event.actor, data["status"], data["reason"], event.time,
            event.time if PlayStatus(data["status"]).final else "",
        ),
    )  # fmt: skip


def _came_to(db: sqlite3.Connection, event: Event, play: str) -> None:
    data = event.data
    at = event.time if PlayStatus(data["status"]).final else ""
    db.execute(
        "UPDATE playbook_runs SET status = ?, exit_code = ?, reason = ?, finished_at = ? WHERE id = ?",
        (data["status"], data["exit_code"], data["reason"], at, play),
    )


def _rebased(db: sqlite3.Connection, event: Event, play: str) -> None:
    db.execute("UPDATE playbook_runs SET digest = ? WHERE id = ?", (event.data["digest"], play))


FOLDS = {"playbook.begun": _begun, "playbook.came_to": _came_to, "playbook.rebased": _rebased}
