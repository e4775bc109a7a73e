"""The tables of incidents, rebuilt from events.

Invariant: at most one open incident a key, by a unique index; every column comes from an event, so a
replay gives the same rows. `incident_timeline` links the events of other rooms: an event belongs to an
incident when it names it (`data.incident`, `data.cause`) or when its subject, run or change already does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from maestro_cli.incidents.bonds import (
    BONDS_SCHEMA,
    linked,
    merged,
    not_silenced,
    silence_ended,
    silenced,
    unlinked,
)
from maestro_cli.incidents.model import TRANSITIONS, State
from maestro_cli.incidents.signal_rows import SIGNALS_SCHEMA, cleared, confirmed, signal
from maestro_cli.incidents.threads import THREADS_SCHEMA, TIMELINE_ROOMS, incident_of, thread
from maestro_cli.journal.model import Event

_OPEN = "('detected', 'triaging', 'mitigating', 'monitoring')"

_SCHEMA = f"""
CREATE TABLE incidents (
    id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, key TEXT NOT NULL, title TEXT NOT NULL,
    severity TEXT NOT NULL, state TEXT NOT NULL, owner TEXT, drill INTEGER NOT NULL,
    namespace TEXT, workload TEXT, opened_by TEXT NOT NULL, opened_from TEXT NOT NULL,
    started_at TEXT NOT NULL, opened_at TEXT NOT NULL, acked_at TEXT, triaged_at TEXT,
    mitigated_at TEXT, resolved_at TEXT, published_at TEXT, ended_at TEXT,
    signals_cleared_at TEXT, reopen_count INTEGER NOT NULL, same_as TEXT, seq INTEGER NOT NULL,
    merged_into TEXT, start_known INTEGER NOT NULL
);
CREATE UNIQUE INDEX one_open_incident ON incidents (key) WHERE state IN {_OPEN};
CREATE INDEX incidents_by_key ON incidents (key, number);
{SIGNALS_SCHEMA}
CREATE TABLE incident_breaches (
    incident TEXT NOT NULL, phase TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (incident, phase)
);
CREATE TABLE incident_responses (
    incident TEXT PRIMARY KEY, actor TEXT NOT NULL, playbook TEXT NOT NULL, standing TEXT NOT NULL
);
{THREADS_SCHEMA}
{BONDS_SCHEMA}
CREATE TABLE watched (source TEXT PRIMARY KEY, blind_since TEXT, error TEXT NOT NULL);
"""


# Kinds that stand on the timeline of the incident `data.other` too.
ON_BOTH = frozenset({"incident.linked", "incident.unlinked", "incident.merged"})


# Kinds that end a change which then has no effect.
WITHOUT_EFFECT = frozenset(
    {"change.refused", "change.failed", "change.undone", "change.cancelled", "change.expired"}
)


class IncidentProjection:
    """Folds `incident.*` and `watch.*` events, and threads other rooms' events onto timelines."""

    name = "incidents"
    version = 7
    tables = (
        "incidents",
        "incident_signals",
        "incident_breaches",
        "incident_responses",
        "incident_threads",
        "incident_timeline",
        "incident_links",
        "incident_silences",
        "watched",
    )
    schema = _SCHEMA

    def apply(self, db: sqlite3.Connection, event: Event) -> None:
        """Fold one event; kinds it does not know are ignored."""
        if event.kind.startswith("incident."):
            handler = _HANDLERS.get(event.kind)
            if handler is not None:
                handler(db, event, event.data)
            if event.kind in TRANSITIONS:
                _move(db, event)
            thread(db, event, str(event.data.get("incident", "")))
            if event.kind in ON_BOTH and event.data["other"]:
                thread(db, event, event.data["other"])
        elif event.kind.startswith(TIMELINE_ROOMS):
            if event.kind in WITHOUT_EFFECT:
                not_silenced(db, event)
            thread(db, event, incident_of(db, event))
        elif event.kind.startswith("watch."):
            _watch(db, event)


def _opened(db: sqlite3.Connection, event: Event, data: Mapping[str, Any]) -> None:
    db.execute(
        "INSERT INTO incidents VALUES (:id, :number, :key, :title, :severity, 'detected', NULL, :drill,"
        " :namespace, :workload, :opened_by, :source, :started_at, :at, NULL, NULL, NULL, NULL, NULL, NULL,"
        " NULL, 0, :same_as, :seq, NULL, :start_known)",
        {
            "id": data["incident"],
            "number": data["number"],
            "key": data["key"],
            "title": data["title"],
            "severity": data["severity"],
            "drill": int(data["drill"]),
            "namespace": data["namespace"],
            "workload": data["workload"],
            "opened_by": event.actor,
            "source": data["source"],
            "started_at": data["started_at"],
            "start_known": int(data.get("start_known", True)),
            "at": event.time,
            "same_as": data["same_as"],
            "seq": event.seq,
        },
    )


def _acked(db: sqlite3.Connection, event: Event, data: Mapping[str, Any]) -> None:
    if data["late"]:
        return
    db.execute(
        "UPDATE incidents SET acked_at = coalesce(acked_at, ?), seq = ? WHERE id = ?",
        (event.time, event.seq, data["incident"]),
    )


def _owner(db: sqlite3.Connection, event: Event, data: Mapping[str, Any]) -> None:
    db.execute(
        "UPDATE incidents SET owner = ?, seq = ? WHERE id = ?", (data["owner"], event.seq, data["incident"])
    )


def _severity(db: sqlite3.Connection, event: Event, data: Mapping[str, Any]) -> None:
    db.execute(
        "UPDATE incidents SET severity = ?, seq = ? WHERE id = ?",
        (data["severity"], event.seq, data["incident"]),
    )


def _roles(db: sqlite3.Connection, event: Event, data: Mapping[str, Any]) -> None:
    """Who has them is in the tables of people; here only that the incident is another one since."""
    db.execute("UPDATE incidents SET seq = ? WHERE id = ?", (event.seq, data["incident"]))


def _breached(db: sqlite3.Connection, event: Event, data: Mapping[str, Any]) -> None:
    db.execute(
        "INSERT OR IGNORE INTO incident_breaches VALUES (?, ?, ?)",
        (data["incident"], data["phase"], event.time),
    )


def _response_begun(db: sqlite3.Connection, event: Event, data: Mapping[str, Any]) -> None:
    _put_response(db, event, "begun")


def _handed_over(db: sqlite3.Connection, event: Event, data: Mapping[str, Any]) -> None:
    """Left to people: the watcher that had it is its owner no more."""
    _put_response(db, event, "handed over")
    db.execute(
        "UPDATE incidents SET owner = NULL, seq = ? WHERE id = ? AND owner = ?",
        (event.seq, data["incident"], event.actor),
    )


def _put_response(db: sqlite3.Connection, event: Event, standing: str) -> None:
    db.execute(
        "INSERT OR REPLACE INTO incident_responses VALUES (?, ?, ?, ?)",
        (event.data["incident"], event.actor, event.data["playbook"], standing),
    )


def _reopened(db: sqlite3.Connection, event: Event, data: Mapping[str, Any]) -> None:
    db.execute("UPDATE incident_responses SET standing = 'over' WHERE incident = ?", (data["incident"],))


_HANDLERS: Mapping[str, Callable[[sqlite3.Connection, Event, Mapping[str, Any]], None]] = {
    "incident.opened": _opened,
    "incident.signal": signal,
    "incident.signals_confirmed": confirmed,
    "incident.signals_cleared": cleared,
    "incident.acked": _acked,
    "incident.owner_set": _owner,
    "incident.severity_set": _severity,
    "incident.roles_set": _roles,
    "incident.breached": _breached,
    "incident.response_begun": _response_begun,
    "incident.handed_over": _handed_over,
    "incident.reopened": _reopened,
    "incident.linked": linked,
    "incident.unlinked": unlinked,
    "incident.merged": merged,
    "incident.silenced": silenced,
    "incident.silence_ended": silence_ended,
}

# What a transition writes besides the state; a reopened incident is not mitigated nor resolved any more.
_STAMPS = {
    "incident.triaged": "triaged_at = coalesce(triaged_at, :at)",
    "incident.mitigated": "mitigated_at = :at",
    "incident.resolved": "resolved_at = :at",
    "incident.reopened": "mitigated_at = NULL, resolved_at = NULL, published_at = NULL,"
    " reopen_count = reopen_count + 1",
    "incident.postmortem_published": "published_at = :at",
    "incident.closed": "ended_at = :at",
    "incident.dismissed": "ended_at = :at",
    "incident.merged": "ended_at = :at",
}


def _move(db: sqlite3.Connection, event: Event) -> None:
    state: State = TRANSITIONS[event.kind][1]
    stamps = _STAMPS.get(event.kind, "")
    db.execute(
        f"UPDATE incidents SET state = :state, seq = :seq{', ' + stamps if stamps else ''} WHERE id = :id",
        {"state": state.value, "seq": event.seq, "at": event.time, "id": event.data["incident"]},
    )


def _watch(db: sqlite3.Connection, event: Event) -> None:
    blind = event.kind == "watch.blind"
    db.execute(
        "INSERT OR REPLACE INTO watched VALUES (?, ?, ?)",
        (
            event.data["source"],
            event.time if blind else None,
            event.data.get("error", "") if blind else "",
        ),
    )
