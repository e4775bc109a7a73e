"""What happened between people, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from maestro_cli.incidents.words.incident import Words


def _roles(data: Mapping[str, Any]) -> str:
    was: Mapping[str, str] = data.get("was") or {}
    return ", ".join(_role(role, who, was.get(role, "")) for role, who in data["roles"].items())


def _role(role: str, who: str, was: str) -> str:
    if not who:
        return f"nobody is {role} any more"
    return f"{role} is {who}" + (f", after {was}" if was and was != who else "")


def _task(verb: str) -> Callable[[Mapping[str, Any]], str]:
    def words(data: Mapping[str, Any]) -> str:
        noun = "action item" if data["task_kind"] == "action" else "task"
        text = f"{noun} {data['task']} {verb}: {data['text']}"
        return f"{text} ({data['reason']})" if data.get("reason") else text

    return words


def _updated(data: Mapping[str, Any]) -> str:
    parts = [f"status ({data['audience']}): {data['conditions']}"]
    parts += [f"{name}: {data[name]}" for name in ("actions", "needs") if data[name]]
    return "; ".join(parts)


def _escalated(data: Mapping[str, Any]) -> str:
    names = dict.fromkeys(str(one["who"]) for one in data["told"])
    told = ", ".join(names) or "nobody"
    again = f" of round {data['round']}" if data["round"] > 1 else ""
    return "; ".join([f"escalated: {told} told, by step {data['step']}{again}", *data["untold"]])


PEOPLE_WORDS: Words = {
    "incident.roles_set": _roles,
    "incident.task_added": _task("added"),
    "incident.task_done": _task("done"),
    "incident.task_dropped": _task("dropped"),
    "incident.task_overdue": _task("is overdue"),
    "incident.updated": _updated,
    "incident.update_snoozed": lambda data: f"the next status update is put off until {data['until']}",
    "incident.escalation_begun": lambda data: f"escalation begun, by policy {data['policy']}",
    "incident.escalated": _escalated,
    "incident.escalation_exhausted": lambda data: f"everybody of policy {data['policy']} was told",
    "incident.update_overdue": lambda data: f"a status update was due at {data['due_at']}",
}
