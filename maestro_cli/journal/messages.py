"""Messages to people, as data, and their tables.

Invariant: a channel is a reference to an address, never the address; what is in the tables is what the
events of `message/…` say.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any

from maestro_cli.core.clock import to_rfc3339
from maestro_cli.journal.model import Event


class Standing(Enum):
    """Where a message is. REFUSED: its channel said no, so that only a person has it tried again."""

    WAITING = "waiting"
    REFUSED = "refused"
    DELIVERED = "delivered"
    DROPPED = "dropped"

    @property
    def is_over(self) -> bool:
        return self in (Standing.DELIVERED, Standing.DROPPED)


@dataclass(frozen=True, slots=True)
class Message:
    """What shall be told. `channel` refers to an address (`env:CHAT`), `form` names how it is written there,
    `key` names the message for ever, `timeout_seconds` is for one attempt."""

    key: str
    channel: str
    content: Mapping[str, Any]
    form: str = "webhook"
    incident: str = ""
    timeout_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message and what became of it; times are RFC 3339, `reason` is of the last attempt."""

    id: str
    key: str
    channel: str
    form: str
    content: Mapping[str, Any]
    incident: str
    timeout_seconds: float
    actor: str
    standing: Standing
    attempts: int
    reason: str
    queued_at: str
    tried_at: str
    ended_at: str

    def told(self, reason: str) -> Delivery:
        """The same, with a reason that is no record: this process could not try it."""
        return replace(self, reason=reason)


class Outcome(Enum):
    """What an attempt came to. ELSEWHERE: this process cannot read the address, so that it was none."""

    DELIVERED = "delivered"
    LATER = "later"
    REFUSED = "refused"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Attempt:
    """`asked_seconds` is how long the channel asks to be left alone; `reason` holds no secret."""

    outcome: Outcome
    reason: str
    asked_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Channel:
    """How often a channel has failed since it last took a message, and until when it is left alone."""

    name: str
    failures: int = 0
    not_before: str = ""

    def is_paused(self, now: datetime) -> bool:
        return self.not_before > to_rfc3339(now)


_SCHEMA = """
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, key TEXT NOT NULL UNIQUE, channel TEXT NOT NULL,
    form TEXT NOT NULL, content TEXT NOT NULL, incident TEXT NOT NULL, timeout_seconds REAL NOT NULL,
    actor TEXT NOT NULL, standing TEXT NOT NULL, attempts INTEGER NOT NULL, reason TEXT NOT NULL,
    queued_at TEXT NOT NULL, tried_at TEXT NOT NULL, ended_at TEXT NOT NULL
);
CREATE INDEX outbox_by_standing ON outbox (standing, channel, attempts);
CREATE INDEX outbox_by_attempt ON outbox (channel, tried_at);
CREATE INDEX outbox_by_incident ON outbox (channel, incident, standing, seq);
CREATE TABLE outbox_channels (
    channel TEXT PRIMARY KEY, failures INTEGER NOT NULL, not_before TEXT NOT NULL
);
"""


class OutboxProjection:
    """Register with the journal; tables `outbox` and `outbox_channels`."""

    name = "outbox"
    version = 2
    tables = ("outbox", "outbox_channels")
    schema = _SCHEMA

    def apply(self, db: sqlite3.Connection, event: Event) -> None:
        fold = _FOLDS.get(event.kind)
        if fold is not None:
            fold(db, event, event.subject.removeprefix("message/"))


def _queued(db: sqlite3.Connection, event: Event, message: str) -> None:
    data = event.data
    db.execute(
        "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', 0, '', ?, '', '')",
        (
            event.seq, message, data["key"], data["channel"], data["form"], json.dumps(data["content"]),
            data["incident"], data["timeout_seconds"], event.actor, event.time,
        ),
    )  # fmt: skip


def _delivered(db: sqlite3.Connection, event: Event, message: str) -> None:
    _tried(db, event, message, "delivered", event.time)
    db.execute(
        "INSERT OR REPLACE INTO outbox_channels SELECT channel, 0, '' FROM outbox WHERE id = ?", (message,)
    )


def _failed(db: sqlite3.Connection, event: Event, message: str) -> None:
    refused = event.data["refused"]
    _tried(db, event, message, "refused" if refused else "waiting", "")
    if not refused:
        db.execute(
            "INSERT INTO outbox_channels SELECT channel, 1, ? FROM outbox WHERE id = ?"
            " ON CONFLICT (channel) DO UPDATE SET failures = failures + 1, not_before = excluded.not_before",
            (event.data["not_before"], message),
        )


def _tried(db: sqlite3.Connection, event: Event, message: str, standing: str, ended_at: str) -> None:
    db.execute(
        "UPDATE outbox SET standing = ?, attempts = ?, reason = ?, tried_at = ?, ended_at = ? WHERE id = ?",
        (standing, event.data["attempt"], event.data["reason"], event.time, ended_at, message),
    )


def _dropped(db: sqlite3.Connection, event: Event, message: str) -> None:
    db.execute(
        "UPDATE outbox SET standing = 'dropped', reason = ?, ended_at = ? WHERE id = ?",
        (event.data["reason"], event.time, message),
    )


_FOLDS: Mapping[str, Callable[[sqlite3.Connection, Event, str], None]] = {
    "outbox.queued": _queued,
    "outbox.delivered": _delivered,
    "outbox.failed": _failed,
    "outbox.dropped": _dropped,
}


def read_row(row: sqlite3.Row) -> Delivery:
    fields = {name: row[name] for name in row.keys() if name != "seq"}  # noqa: SIM118  # a Row iterates its values
    fields["content"] = json.loads(fields["content"])
    fields["standing"] = Standing(fields["standing"])
    return Delivery(**fields)
