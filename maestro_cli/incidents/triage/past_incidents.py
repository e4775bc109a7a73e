"""Incidents like this one that are over, and how they ended.

Invariant: reads only, and no more than a few; no incident is like itself, nor a real one like a drill.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from maestro_cli.core.clock import from_rfc3339
from maestro_cli.incidents.intake.correlation import capped
from maestro_cli.incidents.model import Incident
from maestro_cli.incidents.triage.model import Evidence
from maestro_cli.incidents.triage.page import Outcome, failed
from maestro_cli.journal.store import Journal

MAX_LIKE = 10
_TITLE = "Incidents like this one"
_OVER = "('resolved', 'postmortem', 'closed')"
_LIKE = f"""
SELECT id, number, title, key, started_at FROM incidents
WHERE id <> :id AND drill = :drill AND state IN {_OVER} AND (key = :key OR id IN (
    SELECT incident FROM incident_signals
    WHERE name IN (SELECT name FROM incident_signals WHERE incident = :id)
)) ORDER BY (key = :key) DESC, number DESC LIMIT :limit"""


@dataclass(frozen=True, slots=True)
class PastIncident:
    """One that is over: what was blamed, and what mitigated it ("" where nobody said)."""

    number: int
    title: str
    started_at: datetime
    same_key: bool
    blamed: str
    mitigated_by: str
    changes: tuple[str, ...] = ()


def incidents_like(journal: Journal, incident: Incident) -> tuple[PastIncident, ...]:
    """Those of the same key first, then of the same alert; newest first."""
    wanted = {"id": incident.id, "drill": int(incident.drill), "key": incident.key, "limit": MAX_LIKE}
    found = []
    for row in journal.query(_LIKE, wanted):
        events = journal.events(
            subject=f"incident/{row['id']}", kinds=("incident.suspects", "incident.mitigated")
        )
        blamed = next(
            (e.data.get("culprit") for e in reversed(events) if e.kind == "incident.suspects"), None
        )
        ended = next((e.data for e in reversed(events) if e.kind == "incident.mitigated"), {})
        words = str(ended.get("note") or ended.get("run") or "")
        found.append(
            PastIncident(
                row["number"], capped(row["title"], 200), from_rfc3339(row["started_at"]),
                row["key"] == incident.key, capped(str(blamed or ""), 200), capped(words, 200),
                _changes_of(journal, row["id"]),
            )
        )  # fmt: skip
    return tuple(found)


def _changes_of(journal: Journal, incident_id: str) -> tuple[str, ...]:
    """The changes that were applied for an incident, in words."""
    sql = (
        "SELECT kind, target FROM changes WHERE cause LIKE :cause ESCAPE '!' AND applied_at IS NOT NULL"
        " ORDER BY applied_at LIMIT 5"
    )
    rows = journal.query(sql, {"cause": f"%{incident_id}%"})
    return tuple(f"{row['kind']} {capped(row['target'], 200)}" for row in rows)


def past_evidence(outcome: Outcome | None, now: datetime) -> Evidence:
    """What happened before, as a person who responds wants to know it."""
    query = "incidents of the same key or alert that are over"
    if outcome is None:
        return failed("past", _TITLE, query, now, "journal", "there is no journal to ask")
    if outcome.error:
        return failed("past", _TITLE, query, now, "journal", outcome.error)
    found: Sequence[PastIncident] = outcome.value
    facts = {
        "incidents": [
            {
                "number": one.number,
                "title": one.title,
                "started_at": one.started_at,
                "same_key": one.same_key,
                "blamed": one.blamed,
                "mitigated_by": one.mitigated_by,
                "changes": list(one.changes),
            }
            for one in found
        ]
    }
    summary = f"{len(found)} like this one" if found else "there was none like this one"
    if found:
        last = found[0]
        done = ", ".join(last.changes) or last.mitigated_by
        summary += f"; #{last.number}: {last.blamed or 'nobody was blamed'}"
        summary += f", mitigated by {done}" if done else ""
    return Evidence("past", _TITLE, query, now, "journal", summary, facts, seconds=outcome.seconds)
