"""An incident's own events in words. Invariant: one line each; text is untrusted and stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from maestro_cli.core.quantities import counted

Words = Mapping[str, Callable[[Mapping[str, Any]], str]]


def still_firing(firing: int, signals: int) -> str:
    """`1 of 1 signal still fires`, `2 of 3 signals still fire`."""
    return f"{firing} of {counted(signals, 'signal')} still {'fires' if firing == 1 else 'fire'}"


def _signal(data: Mapping[str, Any]) -> str:
    phase = data["phase"]
    if phase == "resolved":
        told = "its sender said so" if data["reason"] == "told" else "it is gone from the sender's answer"
        return f"signal {data.get('name', '')} resolved: {told}"
    signal = data["signal"]
    verb = {"attached": "joined", "changed": "changed", "refired": "fires again"}[phase]
    text = f"signal {signal['name']} {verb} (from {signal['source']})"
    said = signal.get("start_said")
    return text if said is None else f"{text}; its sender's start {said} is not believed"


def _because(text: str, data: Mapping[str, Any]) -> str:
    reason = data.get("reason")
    return f"{text}: {reason}" if reason else text


def _with_reason(text: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda data: _because(text, data)


def _linked(data: Mapping[str, Any]) -> str:
    text = f"#{data['number']} {data['kind']} {data['words']}"
    return f"{text}: {data['note']}" if data["note"] else text


def _anomaly(data: Mapping[str, Any]) -> str:
    return f"{data['measure'].replace('_', ' ')} of {data['service']} is no anomaly any more: {data['text']}"


def _resolved(data: Mapping[str, Any]) -> str:
    text = "resolved by force" if data.get("forced") else "resolved"
    if data.get("still_firing"):
        firing = data["still_firing"]
        text += f" while {counted(firing, 'signal')} {'fires' if firing == 1 else 'fire'}"
    return f"{text}: {data['reason']}" if data.get("reason") else text


def _mitigated(data: Mapping[str, Any]) -> str:
    why = data.get("note") or data.get("run") or ""
    return f"mitigated: {why}" if why else "mitigated"


def _evidence(data: Mapping[str, Any]) -> str:
    found = data["summary"] if data["ok"] else f"not available: {data['error']}"
    return f"evidence {data['kind']}: {found}"


def _suspects(data: Mapping[str, Any]) -> str:
    suspects = data.get("suspects") or []
    if not suspects or not data.get("culprit"):
        return f"triage: {data.get('conclusion', 'no culprit found')}"
    first = suspects[0]
    return f"triage: first suspect is the {first['kind']} {first['subject']} (score {first['score']:.2f})"


def _published(data: Mapping[str, Any]) -> str:
    text = f"post-mortem published: {data['path']}"
    return f"{text}, as it is: {data['reason']}" if data.get("forced") else text


INCIDENT_WORDS: Words = {
    "incident.opened": lambda data: f"opened as {data['severity']}: {data['title']}",
    "incident.signal": _signal,
    "incident.signals_confirmed": lambda data: (
        f"{counted(len(data['fingerprints']), 'signal')} held by {data['source']} as well"
    ),
    "incident.flapping": lambda data: (
        f"signal {data['name']} flaps, back {data['returns']} times: held as firing until {data['until']}"
    ),
    "incident.anomaly": _anomaly,
    "incident.signals_cleared": lambda data: "no signal fires any more",
    "incident.acked": lambda data: "acknowledged, late" if data.get("late") else "acknowledged",
    "incident.owner_set": lambda data: (
        f"owner is {data['owner']}" if data["owner"] else "has no owner any more"
    ),
    "incident.severity_set": lambda data: _because(f"severity {data['was']} → {data['severity']}", data),
    "incident.note": lambda data: str(data["text"]),
    "incident.triage_started": _with_reason("triage started"),
    "incident.triaged": _with_reason("triaged"),
    "incident.mitigated": _mitigated,
    "incident.resolved": _resolved,
    "incident.reopened": _with_reason("reopened"),
    "incident.postmortem_published": _published,
    "incident.postmortem_written": lambda data: f"post-mortem written: {data['path']}",
    "incident.closed": _with_reason("closed"),
    "incident.dismissed": _with_reason("dismissed"),
    "incident.merged": lambda data: _because(f"#{data['number']} merged into #{data['into_number']}", data),
    "incident.linked": _linked,
    "incident.unlinked": lambda data: f"no longer linked with {data['words']}",
    "incident.silenced": lambda data: f"silence until {data['until']} at the latest: {data['matchers']}",
    "incident.silence_ended": lambda data: _because(f"silence ended: {data['matchers']}", data),
    "incident.response_begun": lambda data: f"automatic response begun, by playbook {data['playbook']}",
    "incident.handed_over": lambda data: f"left to people: {data['reason']}",
    "incident.breached": lambda data: f"budget to {data['phase']} ran out at {data['at']}",
    "incident.evidence": _evidence,
    "incident.suspects": _suspects,
}
