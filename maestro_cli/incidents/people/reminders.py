"""What is late: status updates and tasks, each told once for each time it was due.

Invariant: evaluated from stored instants, so that every watcher comes to the same; an event is appended under
the writers' lock by the first that sees it, also after a crash.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maestro_cli.core.clock import Clock, to_rfc3339
from maestro_cli.incidents.model import OPEN_STATES
from maestro_cli.incidents.people.reading import known_late, list_tasks, standings
from maestro_cli.incidents.register import Reads, list_incidents
from maestro_cli.journal.store import Journal


@dataclass(frozen=True, slots=True)
class Late:
    """`what` names it for ever, with `due_at`; `kind` and `data` are of its event."""

    what: str
    due_at: str
    incident: str
    kind: str
    data: Mapping[str, Any]
    words: str


def late_now(reads: Reads, now: datetime) -> tuple[Late, ...]:
    """What is overdue and was not told yet; drills excluded."""
    found = (*_updates(reads, now), *_tasks(reads, now))
    known = known_late(reads, ((one.what, one.due_at) for one in found))
    return tuple(one for one in found if (one.what, one.due_at) not in known)


def record_late(journal: Journal, clock: Clock, actor: str) -> tuple[Late, ...]:
    """Append an event for each that is late; returns the new ones, and takes no lock when there is none."""
    now = clock.now()
    if not late_now(journal, now):
        return ()
    with journal.transaction() as transaction:
        found = late_now(transaction, now)
        for one in found:
            transaction.append(
                one.kind, f"incident/{one.incident}", actor, {"incident": one.incident, **one.data}
            )
        return found


def _updates(reads: Reads, now: datetime) -> Iterator[Late]:
    incidents = list_incidents(reads, states=OPEN_STATES, drills=False)
    known = standings(reads, incidents, now)
    for incident in incidents:
        due = known[incident.id].clock.due_at
        if due is not None and now > due:
            at = to_rfc3339(due)
            words = f"incident #{incident.number}: a status update was due at {at}"
            data = {"due_at": at, "severity": incident.severity.value}
            yield Late(f"update/{incident.id}", at, incident.id, "incident.update_overdue", data, words)


def _tasks(reads: Reads, now: datetime) -> Iterator[Late]:
    for task in list_tasks(reads):
        if task.due_at is None or not task.is_overdue(now):
            continue
        at = to_rfc3339(task.due_at)
        data = {
            "task": task.number,
            "task_kind": task.kind.value,
            "text": task.text,
            "owner": task.owner,
            "due_at": at,
        }
        words = f"task {task.number} of incident #{task.incident_number} was due at {at}"
        yield Late(f"task/{task.number}", at, task.incident, "incident.task_overdue", data, words)
