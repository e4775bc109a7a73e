"""One incident's story: its own events and those that other rooms did because of it.

Invariant: in journal order, one entry an event; text is untrusted and is made visible by whoever shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maestro_cli.core.clock import from_rfc3339
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
    """Every event that belongs to the incident, in order.

    Changes that its steps name belong to it as well, also when they were planned before they were named.
    """
    rows = journal.query("SELECT seq FROM incident_timeline WHERE incident = ? ORDER BY seq", (incident_id,))
    events: dict[int, Event] = {}
    for first, last in _spans([row[0] for row in rows]):
        for event in journal.events(after=first - 1, limit=last - first + 1):
            events[event.seq] = event
    named = {event.data.get("change") for event in events.values() if event.kind.startswith("step.")}
    for change in sorted(name for name in named if isinstance(name, str) and name):
        for event in journal.events(subject=f"change/{change.removeprefix('change/')}"):
            events[event.seq] = event
    return tuple(_entry(events[seq]) for seq in sorted(events))


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


def _signal(data: Mapping[str, Any]) -> str:
    phase = data["phase"]
    if phase == "resolved":
        told = "its sender said so" if data["reason"] == "told" else "it is gone from the sender's answer"
        return f"signal {data.get('name', '')} resolved: {told}"
    signal = data["signal"]
    verb = {"attached": "joined", "changed": "changed", "refired": "fires again"}[phase]
    return f"signal {signal['name']} {verb} (from {signal['source']})"


def _with_reason(text: str) -> Callable[[Mapping[str, Any]], str]:
    def words(data: Mapping[str, Any]) -> str:
        reason = data.get("reason")
        return f"{text}: {reason}" if reason else text

    return words


def _resolved(data: Mapping[str, Any]) -> str:
    text = "resolved by force" if data.get("forced") else "resolved"
    if data.get("still_firing"):
        text += f" while {data['still_firing']} signals fire"
    return f"{text}: {data['reason']}" if data.get("reason") else text


def _mitigated(data: Mapping[str, Any]) -> str:
    why = data.get("note") or data.get("run") or ""
    return f"mitigated: {why}" if why else "mitigated"


def _suspects(data: Mapping[str, Any]) -> str:
    suspects = data.get("suspects") or []
    if not suspects or not data.get("culprit"):
        return f"triage: {data.get('conclusion', 'no culprit found')}"
    first = suspects[0]
    return f"triage: first suspect is the {first['kind']} {first['subject']} (score {first['score']:.2f})"


_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "incident.opened": lambda data: f"opened as {data['severity']}: {data['title']}",
    "incident.signal": _signal,
    "incident.signals_cleared": lambda data: "no signal fires any more",
    "incident.acked": lambda data: "acknowledged, late" if data.get("late") else "acknowledged",
    "incident.owner_set": lambda data: f"owner is {data['owner']}",
    "incident.roles_set": lambda data: ", ".join(f"{role} is {who}" for role, who in data["roles"].items()),
    "incident.severity_set": lambda data: f"severity {data['was']} → {data['severity']}",
    "incident.note": lambda data: str(data["text"]),
    "incident.triage_started": _with_reason("triage started"),
    "incident.triaged": _with_reason("triaged"),
    "incident.mitigated": _mitigated,
    "incident.resolved": _resolved,
    "incident.reopened": _with_reason("reopened"),
    "incident.postmortem_published": lambda data: f"post-mortem published: {data['path']}",
    "incident.postmortem_written": lambda data: f"post-mortem written: {data['path']}",
    "incident.closed": _with_reason("closed"),
    "incident.dismissed": _with_reason("dismissed"),
    "incident.response_begun": lambda data: f"automatic response begun, by playbook {data['playbook']}",
    "incident.handed_over": lambda data: f"left to people: {data['reason']}",
    "incident.breached": lambda data: f"budget to {data['phase']} ran out at {data['at']}",
    "incident.evidence": lambda data: f"evidence {data['kind']}: {data['summary']}",
    "incident.suspects": _suspects,
}


def _planned(data: Mapping[str, Any]) -> str:
    text = f"change planned: {data['plan']['summary']}"
    return f"{text} (dry run)" if data.get("dry_run") else text


def _refused(data: Mapping[str, Any]) -> str:
    reasons = data["decision"]["reasons"]
    return f"change refused: {'; '.join(str(reason['what']) for reason in reasons)}"


def _failed(text: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda data: f"{text}: {data['error']['what']}"


def _step_end(data: Mapping[str, Any]) -> str:
    text = f"step {data['step']} {data['state']}"
    if data.get("value") is not None:
        text += f", value {data['value']:g}"
    return f"{text}: {data['reason']}" if data.get("reason") else text


# Words for the events of other rooms; one that does not look as expected is told by `_plainly`.
_GUESTS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "change.planned": _planned,
    "change.refused": _refused,
    "change.intended": lambda data: f"change begins on {data['target']}",
    "change.applied": lambda data: f"change applied: {data['evidence']}",
    "change.unknown": lambda data: f"the outcome of the change is unknown: {data['evidence']}",
    "change.verified": lambda data: f"change verified: {data['observed']}",
    "change.verify_failed": lambda data: f"change not verified: {data['why']}",
    "change.failed": _failed("change failed"),
    "change.undone": _failed("change undone"),
    "change.undo_failed": _failed("the undo failed"),
    "step.intended": lambda data: f"step {data['step']} begins: {data['title']}",
    "step.finished": _step_end,
    "step.settled": _step_end,
    "step.skipped": lambda data: f"step {data['step']} skipped: {data['reason']}",
}


def describe(kind: str, data: Mapping[str, Any]) -> str:
    """An event in words; an event that this room does not know by its kind and what it says of itself."""
    words = _WORDS.get(kind)
    if words is not None:
        return words(data)
    guest = _GUESTS.get(kind)
    if guest is not None:
        try:
            return guest(data)
        except (KeyError, TypeError, ValueError):
            return _plainly(kind, data)  # written by another version of its room
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
