"""What the journal knows of the time before: changes, runs, and incidents like this one.

Invariant: reads only; every list is bounded, and text in it is as untrusted as where it came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from maestro_cli.changes.history import list_changes
from maestro_cli.changes.model import Change
from maestro_cli.changes.routing_document import FILE, keys_of, read_document
from maestro_cli.changes.sealing import is_sealed
from maestro_cli.core.clock import from_rfc3339, to_rfc3339
from maestro_cli.core.errors import UsageError
from maestro_cli.core.facts.cluster import ConfigMap
from maestro_cli.incidents.model import Incident
from maestro_cli.incidents.triage.configuration import MAX_TEXT, ConfigEdit, subject_of, text_changes
from maestro_cli.incidents.triage.past_incidents import PastIncident, incidents_like
from maestro_cli.journal.store import Journal

MAX_CHANGES = 50
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True)
class PastChange:
    """A change of maestro that reached the world."""

    id: str
    kind: str
    target: str
    actor: str
    at: datetime
    summary: str
    state: str
    cause: str


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run of a runbook; `incident` is the one that it was begun for, or ""."""

    id: str
    runbook: str
    status: str
    incident: str
    at: datetime


class Past:
    """Reads one journal for one investigation."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def changes(self, since: datetime) -> tuple[Change, ...]:
        """Changes that were applied since then, newest first; dry runs and refusals are none.

        What a drill broke is not told here: who responds to it reads what anybody could see.
        """
        found = list_changes(self._journal, since=since, limit=4 * MAX_CHANGES)
        applied = [
            one
            for one in found
            if one.applied_at is not None and one.applied_at >= since and not is_sealed(one)
        ]
        return tuple(sorted(applied, key=_when, reverse=True)[:MAX_CHANGES])

    def runs(self, since: datetime) -> tuple[PastRun, ...]:
        """Runs of runbooks that were begun since then, newest first."""
        rows = self._journal.query(
            "SELECT id, runbook, status, incident, started_at FROM runs WHERE started_at >= ?"
            " ORDER BY started_at DESC, id DESC LIMIT ?",
            (to_rfc3339(since), MAX_CHANGES),
        )
        return tuple(
            PastRun(
                row["id"],
                row["runbook"],
                row["status"],
                row["incident"] or "",
                from_rfc3339(row["started_at"]),
            )
            for row in rows
        )

    def incidents_like(self, incident: Incident) -> tuple[PastIncident, ...]:
        """Incidents like this one that are over."""
        return incidents_like(self._journal, incident)


def _when(change: Change) -> tuple[datetime, str]:
    return change.applied_at or change.created_at, change.id


def told(change: Change) -> PastChange:
    """A change in the words that evidence keeps."""
    at = change.applied_at or change.created_at
    return PastChange(
        change.id, change.kind, str(change.ref), change.actor, at, str(change.plan.summary),
        change.state.value, change.cause,
    )  # fmt: skip


def edits_by_changes(changes: tuple[Change, ...]) -> tuple[ConfigEdit, ...]:
    """The edits of configuration among changes, with what they changed."""
    return tuple(_edit(one) for one in changes if one.ref.kind in ("ConfigMap", "HorizontalPodAutoscaler"))


def _edit(change: Change) -> ConfigEdit:
    at, _ = _when(change)
    lines = tuple(
        f"{line.path}: {line.before if line.before is not None else '(nothing)'} → "
        f"{line.after if line.after is not None else '(nothing)'}"[:300]
        for line in change.plan.diff.lines[:20]
    )
    begun = change.intended_at or at - timedelta(seconds=1)
    is_routing = "digest" in change.plan.parameters and "text" in change.plan.parameters
    return ConfigEdit(
        subject_of(change.ref),
        at,
        min(begun, at),
        change.actor,
        "journal",
        "",
        (),
        lines,
        change.id,
        is_routing,
    )


def changes_since_known(config: ConfigMap, changes: tuple[Change, ...]) -> tuple[str, ...]:
    """How the content differs from what maestro wrote last, or else from what `kubectl apply` did."""
    for change in changes:
        text = change.plan.parameters.get("text")
        if change.ref == config.ref and isinstance(text, str):
            key = _routing_key(config.data)
            return text_changes({key: text}, {key: config.data.get(key, "")}) if key else ()
    before = _last_applied(config)
    return text_changes(before, config.data) if before is not None else ()


def _routing_key(data: Mapping[str, str]) -> str:
    """The key that maestro writes a routing document to; the only one also where it is none any more."""
    if FILE in data:
        return FILE
    for key in keys_of(data):
        with suppress(UsageError):
            if len(data[key]) <= MAX_TEXT:
                read_document(data[key], key)
                return key
    return next(iter(data)) if len(data) == 1 else ""


def _last_applied(config: ConfigMap) -> Mapping[str, str] | None:
    import json

    try:
        document = json.loads(str(config.annotations.get(_LAST_APPLIED, "")) or "null")
    except (ValueError, RecursionError):
        return None
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict):
        return None
    return {str(key): str(text) for key, text in data.items()}
