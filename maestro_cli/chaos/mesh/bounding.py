"""Manifests that end by themselves, after so long at most.

Invariant: a chaos lasts just so long, whatever its file says; the steps of a Workflow keep their own times
where those are shorter, and its entry ends them all. A Schedule has no end of its own: it is made as the one
step of a Workflow, which deletes it at its deadline.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_cli.chaos.mesh.demands import is_one_shot
from maestro_cli.chaos.mesh.kinds import KEY_OF
from maestro_cli.chaos.mesh.scalars import go_seconds
from maestro_cli.core.errors import UsageError

Document = Mapping[str, Any]
Spec = Mapping[str, Any]


def bounded(document: Document, seconds: int) -> Document:
    """The same, ended by itself; raises UsageError for a Schedule of Workflows, which nothing can end."""
    kind, spec = document["kind"], document["spec"]
    if kind == "Schedule":
        return {**document, "kind": "Workflow", "spec": _scheduled(spec, seconds)}
    if kind == "Workflow":
        templates = [_step(one, spec["entry"], seconds) for one in spec["templates"]]
        return {**document, "spec": {**spec, "templates": templates}}
    return document if is_one_shot(kind, spec) else {**document, "spec": {**spec, "duration": f"{seconds}s"}}


def _scheduled(spec: Spec, seconds: int) -> dict[str, Any]:
    if spec["type"] == "Workflow":
        what = "a Schedule of Workflows does not end by itself, and no Workflow may hold it"
        raise UsageError(what, fix="schedule the experiment instead: maestro chaos schedule")
    step = {
        "name": "scheduled", "templateType": "Schedule", "deadline": f"{seconds}s",
        "schedule": _shorter_chaos(spec, seconds),
    }  # fmt: skip
    return {"entry": "scheduled", "templates": [step]}


def _step(template: Spec, entry: str, seconds: int) -> dict[str, Any]:
    made = dict(template)
    if template.get("deadline") or template["name"] == entry:
        made["deadline"] = _shorter(template.get("deadline"), seconds)
    if isinstance(template.get("schedule"), Mapping):
        made["schedule"] = _shorter_chaos(template["schedule"], seconds)
    return made


def _shorter_chaos(schedule: Spec, seconds: int) -> dict[str, Any]:
    """Of a Schedule, whose chaos has a duration where it is not over at once."""
    made = dict(schedule)
    for key in schedule.keys() & set(KEY_OF.values()):
        if "duration" in schedule[key]:
            made[key] = {**schedule[key], "duration": _shorter(schedule[key]["duration"], seconds)}
    return made


def _shorter(text: str | None, seconds: int) -> str:
    return text if text and go_seconds(text) <= seconds else f"{seconds}s"
