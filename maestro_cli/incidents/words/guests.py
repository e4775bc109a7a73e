"""The events of other rooms in words, as they stand in the timeline of an incident."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from maestro_cli.incidents.words.incident import Words


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


GUEST_WORDS: Words = {
    "change.planned": _planned,
    "change.refused": _refused,
    "change.intended": lambda data: f"change begins on {data['target']}",
    "change.applied": lambda data: f"change applied: {data['evidence']}",
    "change.unknown": lambda data: f"the outcome of the change is unknown: {data['evidence']}",
    "change.verified": lambda data: f"change verified: {data['observed']}",
    "change.verify_failed": lambda data: f"change not verified: {data['why']}",
    "change.failed": _failed("change failed"),
    "change.undone": _failed("change undone"),
    "change.cancelled": _failed("change cancelled"),
    "change.expired": _failed("change expired"),
    "change.undo_failed": _failed("the undo failed"),
    "step.intended": lambda data: f"step {data['step']} begins: {data['title']}",
    "step.finished": _step_end,
    "step.settled": _step_end,
    "step.skipped": lambda data: f"step {data['step']} skipped: {data['reason']}",
}
