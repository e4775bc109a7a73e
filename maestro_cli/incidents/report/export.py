"""An incident for other programs: one JSON document, its timeline as JSON Lines and as CloudEvents.

Invariant: plain ASCII JSON, so nothing in it needs escaping on a screen or in a file; the same journal gives
the same bytes. The id of a CloudEvent is the hash of its event in the journal, so it is the same in every
export and never that of another.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from maestro_cli.core.canonical import plain
from maestro_cli.incidents.model import Incident
from maestro_cli.incidents.report.story import Story
from maestro_cli.incidents.timeline import Entry, describe
from maestro_cli.journal.model import Event

SCHEMA = "maestro.dev/postmortem/v1"
EVENT_TYPE_PREFIX = "dev.maestro."
# What is told of each, under the names that it has here.
_OF_INCIDENT = (
    "id", "number", "title", "key", "severity", "state", "owner", "drill", "workload", "namespace",
    "opened_by", "times",
)  # fmt: skip
_OF_PHASE = ("phase", "standing", "seconds", "budget_seconds", "since_open_seconds")
_OF_SIGNAL = (
    "fingerprint", "name", "firing", "labels", "annotations", "starts_at", "start_said", "resolved_at",
    "source", "generator_url",
)  # fmt: skip


def json_line(value: Any) -> str:
    """One line of JSON."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def json_document(value: Any) -> str:
    return json.dumps(plain(value), indent=2, allow_nan=False) + "\n"


def event_lines(events: Iterable[Event]) -> str:
    """Events as the journal has them, one a line, with their hashes."""
    return "".join(f"{json_line(event)}\n" for event in events)


def timeline_lines(events: Iterable[Event]) -> str:
    """The timeline, one JSON object a line; `text` says the event in words."""
    return "".join(f"{json_line(_told(event))}\n" for event in events)


def _told(event: Event) -> Mapping[str, Any]:
    return {
        "seq": event.seq,
        "time": event.time,
        "kind": event.kind,
        "subject": event.subject,
        "actor": event.actor,
        "text": describe(event.kind, event.data),
        "data": event.data,
    }


def cloudevent_lines(events: Iterable[Event], *, incident_id: str, context: str) -> str:
    """The timeline as CloudEvents 1.0 in JSON, one a line."""
    return "".join(f"{json_line(cloudevent(event, incident_id, context))}\n" for event in events)


def cloudevent(event: Event, incident_id: str, context: str) -> dict[str, Any]:
    """One event; `sequence`, `actor` and `incident` are extension attributes."""
    return {
        "specversion": "1.0",
        "id": event.hash,
        "source": f"/maestro/contexts/{context}",
        "type": EVENT_TYPE_PREFIX + event.kind,
        "subject": event.subject,
        "time": event.time,
        "datacontenttype": "application/json",
        "sequence": f"{event.seq:020d}",  # as text that sorts
        "actor": event.actor,
        "incident": incident_id,
        "data": event.data,
    }


def postmortem_document(story: Story, written: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Everything a post-mortem says, as data; `written` is what people wrote, by part."""
    incident, cost = story.incident, story.cost
    suspects = story.of_kind("incident.suspects")
    read = story.surroundings
    return {
        "schema": SCHEMA,
        "incident": _incident(incident),
        "clock": [_named(reading, _OF_PHASE) for reading in story.clock],
        "impact": story.impact,
        "cost": {
            "currency": cost.currency,
            "known": cost.known,
            "total": cost.total,
            "missing": cost.missing,
            "lines": cost.lines,
        },
        "signals": [_named(signal, _OF_SIGNAL) for signal in story.signals],
        "triage": suspects[-1].data if suspects else None,
        "roles": story.turns,
        "tasks": story.tasks,
        "timeline": [_line_of(entry) for entry in story.entries],
        "evidence": [{"seq": one.seq, **one.data} for one in story.of_kind("incident.evidence")],
        "changes": list(_threads(story.of_kind("change."))),
        "runs": list(_threads(story.of_kind("run.", "step."))),
        "metrics": read,
        "written_by_people": written or {},
        "head": story.head,
    }


def _named(one: object, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(one, name) for name in names}


def _incident(incident: Incident) -> Mapping[str, Any]:
    """In the order of the names, the workload as its address."""
    workload = str(incident.workload) if incident.workload is not None else None
    return {**_named(incident, _OF_INCIDENT), "workload": workload}


def _line_of(entry: Entry) -> Mapping[str, Any]:
    return {
        "seq": entry.seq,
        "time": entry.at,
        "kind": entry.kind,
        "subject": entry.subject,
        "actor": entry.actor,
        "text": entry.text,
    }


def _threads(entries: Sequence[Entry]) -> Iterator[Mapping[str, Any]]:
    """Entries by subject, in the order in which the subjects appear."""
    for subject in dict.fromkeys(entry.subject for entry in entries):
        own = [entry for entry in entries if entry.subject == subject]
        yield {"subject": subject, "events": [{**_line_of(one), "data": one.data} for one in own]}
