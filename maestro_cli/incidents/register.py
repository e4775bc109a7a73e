"""Incidents and signals as the journal's tables hold them now.

Invariant: read only; works on a journal and inside a transaction alike.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from maestro_cli.core.clock import from_rfc3339, to_rfc3339
from maestro_cli.core.errors import NotFound, UsageError
from maestro_cli.core.refs import WorkloadRef, parse_workload_ref
from maestro_cli.incidents.model import (
    REPORT_SOURCE,
    Incident,
    IncidentSilence,
    Link,
    LinkKind,
    Severity,
    Signal,
    SilenceEnd,
    State,
    Times,
)

_CHUNK = 500

_COLUMNS = f"""i.*,
    (SELECT count(*) FROM incident_signals s WHERE s.incident = i.id) AS signals,
    (SELECT count(*) FROM incident_signals s WHERE s.incident = i.id AND s.firing = 1
        AND s.source <> '{REPORT_SOURCE}') AS firing,
    (SELECT count(*) FROM incident_signals s WHERE s.incident = i.id
        AND s.source = '{REPORT_SOURCE}') AS reported
"""
_INCIDENTS = f"SELECT {_COLUMNS} FROM incidents i"


class Reads(Protocol):
    """A Journal or a Transaction."""

    def query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[sqlite3.Row]: ...


def _instant(text: str | None) -> datetime | None:
    return from_rfc3339(text) if text else None


def _workload(text: str | None) -> WorkloadRef | None:
    return parse_workload_ref(text) if text else None


def _incident(row: sqlite3.Row) -> Incident:
    return Incident(
        id=row["id"],
        number=row["number"],
        key=row["key"],
        title=row["title"],
        severity=Severity(row["severity"]),
        state=State(row["state"]),
        owner=row["owner"],
        drill=bool(row["drill"]),
        namespace=row["namespace"],
        workload=_workload(row["workload"]),
        opened_by=row["opened_by"],
        times=Times(
            started_at=from_rfc3339(row["started_at"]),
            opened_at=from_rfc3339(row["opened_at"]),
            acked_at=_instant(row["acked_at"]),
            triaged_at=_instant(row["triaged_at"]),
            mitigated_at=_instant(row["mitigated_at"]),
            resolved_at=_instant(row["resolved_at"]),
            published_at=_instant(row["published_at"]),
            start_known=bool(row["start_known"]),
        ),
        signals=row["signals"],
        firing=row["firing"],
        signals_cleared_at=_instant(row["signals_cleared_at"]),
        reopen_count=row["reopen_count"],
        same_as=row["same_as"],
        seq=row["seq"],
        merged_into=row["merged_into"],
        opened_from=row["opened_from"],
        reported=row["reported"],
    )


def _signal(row: sqlite3.Row) -> Signal:
    return Signal(
        fingerprint=row["fingerprint"],
        content=row["content"],
        firing=bool(row["firing"]),
        name=row["name"],
        labels=json.loads(row["labels"]),
        annotations=json.loads(row["annotations"]),
        starts_at=from_rfc3339(row["starts_at"]),
        source=row["source"],
        incident=row["incident"],
        first_seen_at=from_rfc3339(row["first_seen_at"]),
        changed_at=from_rfc3339(row["changed_at"]),
        resolved_at=_instant(row["resolved_at"]),
        flaps=row["flaps"],
        generator_url=row["generator_url"],
        start_said=_instant(row["start_said"]),
    )


def list_incidents(
    reads: Reads, *, states: Sequence[State] = (), drills: bool = True, limit: int = 1000
) -> tuple[Incident, ...]:
    """Newest first; every state when none is given."""
    terms: list[str] = []
    values: list[Any] = []
    if states:
        terms.append(f"state IN ({','.join('?' * len(states))})")
        values += [state.value for state in states]
    if not drills:
        terms.append("drill = 0")
    where = f"WHERE {' AND '.join(terms)}" if terms else ""
    rows = reads.query(f"{_INCIDENTS} {where} ORDER BY number DESC LIMIT ?", (*values, limit))
    return tuple(map(_incident, rows))


def find_incident(reads: Reads, reference: str) -> Incident:
    """By id, `7` or `#7` (number), `latest`, or an unambiguous start or end of an id.

    Digits are a number first; five or more that are no number may be a part of an id.

    Raises NotFound when there is none, UsageError when several begin or end like that.
    """
    word = reference.strip().lower().removeprefix("incident/")
    if word == "latest":
        rows = reads.query(f"{_INCIDENTS} ORDER BY number DESC LIMIT 1")
    elif word.removeprefix("#").isascii() and word.removeprefix("#").isdigit() and len(word) <= 12:
        rows = reads.query(f"{_INCIDENTS} WHERE number = ?", (int(word.removeprefix("#")),))
        if not rows and len(word) >= 5 and word.isdigit():  # the part of an id may happen to have digits only
            rows = _by_part(reads, word)
    else:
        rows = reads.query(f"{_INCIDENTS} WHERE id = ?", (word,)) or _by_part(reads, word)
    if not rows:
        what = "there is no incident yet" if word == "latest" else f"there is no incident {reference!r}"
        raise NotFound(what, fix="maestro incident list")
    if len(rows) > 1:
        shown = ", ".join(f"#{row['number']} {row['id']}" for row in rows[:5])
        raise UsageError(f"{reference!r} names {len(rows)} incidents", why=shown, fix="give the number or id")
    return _incident(rows[0])


def _by_part(reads: Reads, word: str) -> list[sqlite3.Row]:
    bare = word.removeprefix("inc-")
    if len(bare) < 3 or not (bare.isascii() and bare.isalnum()):
        return []
    return reads.query(
        f"{_INCIDENTS} WHERE id GLOB ? OR id GLOB ? ORDER BY number DESC", (f"inc-{bare}*", f"inc-*{bare}")
    )


def open_incident_of_key(reads: Reads, key: str) -> Incident | None:
    """The open incident of a key; there is never more than one. When the newest one of the key was merged,
    it is the one that it went into, if that is open."""
    states = "','".join(state.value for state in State if state.is_open)
    rows = reads.query(f"{_INCIDENTS} WHERE key = ? AND state IN ('{states}')", (key,))
    if rows:
        return _incident(rows[0])
    survivor = latest_incident_of_key(reads, key)
    return survivor if survivor is not None and survivor.state.is_open else None


def latest_incident_of_key(reads: Reads, key: str) -> Incident | None:
    """The newest incident of a key, whatever its state; for one that was merged, where it went in the end."""
    rows = reads.query(f"{_INCIDENTS} WHERE key = ? ORDER BY number DESC LIMIT 1", (key,))
    return survivor_of(reads, _incident(rows[0])) if rows else None


def survivor_of(reads: Reads, incident: Incident) -> Incident:
    """Where an incident went in the end, however often it was merged on; itself when it was not merged."""
    while incident.merged_into:
        incident = find_incident(reads, incident.merged_into)
    return incident


def family_of(reads: Reads, incident_id: str) -> tuple[str, ...]:
    """The incident and all that were merged into it, directly or not."""
    rows = reads.query(
        "WITH RECURSIVE family (id) AS (SELECT ? UNION"
        " SELECT i.id FROM incidents i JOIN family f ON i.merged_into = f.id) SELECT id FROM family",
        (incident_id,),
    )
    return tuple(row[0] for row in rows)


def links_of(reads: Reads, incident_id: str) -> tuple[Link, ...]:
    """The links of an incident, oldest first, those from the other end too."""
    rows = reads.query(
        "SELECT * FROM incident_links WHERE incident = :id OR target = :id ORDER BY at, kind, target",
        {"id": incident_id},
    )
    return tuple(
        Link(
            LinkKind(row["kind"]),
            row["target"] if row["incident"] == incident_id else row["incident"],
            row["note"],
            from_rfc3339(row["at"]),
            row["actor"],
            row["incident"] != incident_id,
        )
        for row in rows
    )


def silences_of(reads: Reads, incident_id: str) -> tuple[IncidentSilence, ...]:
    """The silences that were made for an incident, oldest first."""
    rows = reads.query("SELECT * FROM incident_silences WHERE incident = ? ORDER BY at", (incident_id,))
    return tuple(map(_silence, rows))


def overdue_silences(reads: Reads, now: datetime) -> tuple[tuple[Incident, IncidentSilence], ...]:
    """Those that hold now although their incident is over."""
    rows = reads.query(
        "SELECT * FROM incident_silences WHERE ended_at IS NULL AND until > ? ORDER BY at", (to_rfc3339(now),)
    )
    found = ((find_incident(reads, row["incident"]), _silence(row)) for row in rows)
    return tuple((incident, silence) for incident, silence in found if not incident.state.is_open)


def _silence(row: sqlite3.Row) -> IncidentSilence:
    return IncidentSilence(
        row["change"],
        row["matchers"],
        from_rfc3339(row["until"]),
        from_rfc3339(row["at"]),
        row["actor"],
        _instant(row["ended_at"]),
        SilenceEnd(row["end"]) if row["end"] else None,
    )


@dataclass(frozen=True, slots=True)
class Unattended:
    """An open incident on which no person is at work; `responder` is the watcher that took it, by that
    playbook, empty when none did; `begun` says that its response has not ended."""

    incident: Incident
    responder: str
    playbook: str
    begun: bool


def unattended(reads: Reads, incident_id: str | None = None) -> tuple[Unattended, ...]:
    """What a watcher may respond to, the gravest first: no drill's, nobody's, not handed over to people."""
    states = "','".join(state.value for state in State if state.is_open)
    rows = reads.query(
        f"SELECT {_COLUMNS}, r.actor AS responder, r.playbook AS playbook, r.standing AS standing"
        " FROM incidents i"
        " LEFT JOIN incident_responses r ON r.incident = i.id"
        f" WHERE i.state IN ('{states}') AND i.drill = 0 AND coalesce(r.standing, '') <> 'handed over'"
        " AND (i.owner IS NULL OR i.owner = r.actor) AND (:id IS NULL OR i.id = :id)"
        " ORDER BY i.severity, i.number",
        {"id": incident_id},
    )
    return tuple(
        Unattended(_incident(row), row["responder"] or "", row["playbook"] or "", row["standing"] == "begun")
        for row in rows
    )


def signals_of(reads: Reads, incident_id: str) -> tuple[Signal, ...]:
    """The signals of an incident, oldest start first."""
    rows = reads.query(
        "SELECT * FROM incident_signals WHERE incident = ? ORDER BY starts_at, fingerprint", (incident_id,)
    )
    return tuple(map(_signal, rows))


@dataclass(frozen=True, slots=True)
class KnownSignal:
    """What a delivery is judged by: a signal seen before, and the state of the incident it is on.

    `because` is why it resolved, empty while it fires.
    """

    fingerprint: str
    content: str
    firing: bool
    name: str
    incident: str
    starts_at: datetime
    state: State
    because: str
    source: str
    start_said: datetime | None = None  # by its sender, where it was not believed


_KNOWN = """
SELECT s.fingerprint, s.content, s.firing, s.name, s.incident, s.starts_at, i.state,
    coalesce(s.resolved_because, ''), s.source, s.start_said
FROM incident_signals s JOIN incidents i ON i.id = s.incident
WHERE s.current = 1
"""


def _known(row: sqlite3.Row) -> KnownSignal:
    fingerprint, content, firing, name, incident, starts_at, state, because, source, said = row
    start = from_rfc3339(starts_at)
    return KnownSignal(
        fingerprint,
        content,
        bool(firing),
        name,
        incident,
        start,
        State(state),
        because,
        source,
        _instant(said),
    )


def known_signals(reads: Reads, fingerprints: Sequence[str]) -> dict[str, KnownSignal]:
    """Those of the fingerprints that were seen before."""
    found: dict[str, KnownSignal] = {}
    for start in range(0, len(fingerprints), _CHUNK):
        part = fingerprints[start : start + _CHUNK]
        rows = reads.query(f"{_KNOWN} AND s.fingerprint IN ({','.join('?' * len(part))})", part)
        found |= {row[0]: _known(row) for row in rows}
    return found


def vanished_signals(
    reads: Reads, family: str, present: Container[str], before: datetime
) -> list[KnownSignal]:
    """Firing signals of a family of sources, such as `alertmanager`, that did not change since an instant
    and whose fingerprints are not present."""
    rows = reads.query(
        f"{_KNOWN} AND s.firing = 1 AND s.source GLOB ? AND s.changed_at < ?",
        (f"{family}*", to_rfc3339(before)),
    )
    return [_known(row) for row in rows if row[0] not in present]


def standing_signals(reads: Reads, source: str) -> dict[str, datetime]:
    """The fingerprints of a source that fire, with their starts."""
    rows = reads.query(
        "SELECT fingerprint, starts_at FROM incident_signals WHERE current = 1 AND firing = 1 AND source = ?",
        (source,),
    )
    return {row[0]: from_rfc3339(row[1]) for row in rows}


def seen_keys(reads: Reads, keys: Sequence[str]) -> set[str]:
    """Those of the keys that have had an incident."""
    found: set[str] = set()
    for start in range(0, len(keys), _CHUNK):
        part = keys[start : start + _CHUNK]
        rows = reads.query(
            f"SELECT DISTINCT key FROM incidents WHERE key IN ({','.join('?' * len(part))})", part
        )
        found.update(row[0] for row in rows)
    return found


def severity_words(reads: Reads) -> tuple[str, ...]:
    """Every word that signals carried as their severity; untrusted text."""
    rows = reads.query("SELECT DISTINCT json_extract(labels, '$.severity') FROM incident_signals")
    return tuple(str(row[0]) for row in rows if row[0])
