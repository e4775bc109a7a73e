"""One incident's story: its own events and those that other rooms did because of it.

Invariant: in journal order, one entry an event; text is untrusted and is made visible by whoever shows it.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maestro_cli.core.clock import from_rfc3339
from maestro_cli.incidents.register import family_of
from maestro_cli.incidents.words.guests import GUEST_WORDS
from maestro_cli.incidents.words.incident import INCIDENT_WORDS, Words
from maestro_cli.incidents.words.people import PEOPLE_WORDS
from maestro_cli.journal.model import Event
from maestro_cli.journal.store import Journal


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline; `text` says it in words."""

    seq: int
    at: datetime
    kind: str
    subject: str
    actor: str
    text: str
    data: Mapping[str, Any]


def timeline(journal: Journal, incident_id: str) -> tuple[Entry, ...]:
    """Every event that belongs to the incident, in order, with its words."""
    return tuple(map(_entry, events_of(journal, incident_id)))


def events_of(journal: Journal, incident_id: str) -> tuple[Event, ...]:
    """Every event that belongs to the incident, in order.

    With those of every incident that was merged into it. Changes that its steps name belong to it as well,
    also when they were planned before they were named.
    """
    family = family_of(journal, incident_id)
    marks = ",".join("?" * len(family))
    rows = journal.query(
        f"SELECT DISTINCT seq FROM incident_timeline WHERE incident IN ({marks}) ORDER BY seq", family
    )
    events: dict[int, Event] = {}
    for first, last in _spans([row[0] for row in rows]):
        for event in journal.events(after=first - 1, limit=last - first + 1):
            events[event.seq] = event
    named = {event.data.get("change") for event in events.values() if event.kind.startswith("step.")}
    for change in sorted(name for name in named if isinstance(name, str) and name):
        for event in journal.events(subject=f"change/{change.removeprefix('change/')}"):
            events[event.seq] = event
    return tuple(events[seq] for seq in sorted(events))


def _spans(numbers: list[int]) -> list[tuple[int, int]]:
    """Runs of consecutive numbers, so that a storm is read in one query."""
    spans: list[tuple[int, int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return spans


def _entry(event: Event) -> Entry:
    return Entry(
        event.seq,
        from_rfc3339(event.time),
        event.kind,
        event.subject,
        event.actor,
        describe(event.kind, event.data),
        event.data,
    )


# What tells each kind of event in one line. A room with events of its own adds its table here; the first
# table that knows a kind tells it, and an event that does not look as expected is told by `_plainly`.
TABLES: tuple[Words, ...] = (INCIDENT_WORDS, PEOPLE_WORDS, GUEST_WORDS)
_EVERY: Mapping[str, Callable[[Mapping[str, Any]], str]] = ChainMap(*map(dict, TABLES))


def describe(kind: str, data: Mapping[str, Any]) -> str:
    """An event in words; one that no table knows, or that looks otherwise, by what it says of itself."""
    words = _EVERY.get(kind)
    if words is None:
        return _plainly(kind, data)
    try:
        return words(data)
    except (KeyError, TypeError, ValueError, AttributeError):
        return _plainly(kind, data)


def _plainly(kind: str, data: Mapping[str, Any]) -> str:
    parts = [kind.replace(".", " ").replace("_", " ")]
    for name in (
        "title",
        "summary",
        "text",
        "runbook",
        "step",
        "target",
        "status",
        "outcome",
        "reason",
        "error",
    ):
        value = data.get(name)
        if isinstance(value, (str, int, float)) and value != "":
            parts.append(f"{name} {value}" if name in ("runbook", "step", "target", "status") else str(value))
    return ", ".join(parts)
