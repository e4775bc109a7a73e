"""Proposes what bounds a plain Chaos Toolkit experiment: maestro's extension, for a person to complete.

Invariant: nothing is invented that only its author can know. A stop condition and objectives are asked for,
and `chaos lint` and the guard refuse the file until they are there. What is not understood stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from maestro_cli.chaos.reach import ACTIONS
from maestro_cli.core.errors import UsageError

_POD_DELETE = ("chaosk8s.pod.actions", "terminate_pods")
_SCALE = ("chaosk8s.deployment.actions", "scale_deployment")
DEFAULT_DURATION = "60s"


@dataclass(frozen=True, slots=True)
class Proposed:
    """`document` is the file as it would be; `notes` are what its author has to look at."""

    document: Mapping[str, Any]
    notes: tuple[str, ...]


def propose(document: Mapping[str, Any]) -> Proposed:
    """Raises UsageError for a file that is bounded already."""
    extensions = list(document.get("extensions") or ())
    if any(isinstance(one, Mapping) and one.get("name") == "maestro" for one in extensions):
        raise UsageError("the experiment has maestro's extension already", fix="maestro chaos lint FILE")
    method, faults, notes = [], [], []
    for activity in document.get("method") or ():
        order, why = _order(activity)
        if order is None:
            method.append(activity)
            notes += [why] if why else []
            continue
        faults.append(order)
        notes += [why] if why else []
        method += list(_performed(activity, order["name"]))
    if not faults:
        notes.append("no action is a fault that maestro knows: nothing bounds what its actions do")
    notes.append('a stop condition is yours to write: stop: [{query: …, when: "> 0.05"}]')
    notes.append("name the objectives whose budget it may cost: objectives: [NAME]")
    part = {"name": "maestro", "duration": DEFAULT_DURATION, "faults": faults, "recovery": "60s"}
    rollbacks = list(document.get("rollbacks") or ())
    if faults:
        rollbacks.append(_activity("take the faults back", "undo"))
    changed = {"extensions": [*extensions, part], "method": method, "rollbacks": rollbacks}
    return Proposed({**document, **changed}, tuple(dict.fromkeys(notes)))


def _order(activity: Mapping[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """The fault that an action is, or None; and what has to be said of it."""
    provider = activity.get("provider") or {}
    called = (provider.get("module"), provider.get("func"))
    arguments, name = provider.get("arguments") or {}, str(activity.get("name") or "a fault")
    if activity.get("type") != "action":
        return None, ""
    if called in (_POD_DELETE, _SCALE) and any("${" in str(one) for one in arguments.values()):
        why = "it takes what Chaos Toolkit fills in as it runs, and a target has to be known before"
        return None, f"{name}: stays as it is; {why}: write it out, and import again"
    if called == _POD_DELETE:
        return _pod_delete(name, arguments)
    if called == _SCALE and arguments.get("replicas") == 0 and arguments.get("name"):
        workload = f"{arguments.get('ns', 'default')}/deploy/{arguments['name']}"
        return {"name": name, "fault": "scale-to-zero", "target": {"workload": workload, "count": 1}}, ""
    if provider.get("module") == ACTIONS:
        return None, ""
    return None, f"{name}: stays as it is; maestro can neither bound nor take back what it does"


def _pod_delete(name: str, arguments: Mapping[str, Any]) -> tuple[dict[str, Any] | None, str]:
    selector = arguments.get("label_selector")
    if not selector:
        why = "without a label_selector every pod of the namespace is meant; it stays as it is"
        return None, f"{name}: {why}"
    count: int | str = int(arguments.get("qty", 1))
    note = ""
    if arguments.get("mode") == "percentage":
        count = f"{count}%"
    if arguments.get("all"):
        count, note = "25%", f"{name}: all pods was meant, which no guard allows; a quarter is proposed"
    target = {"namespace": arguments.get("ns", "default"), "selector": selector, "count": count}
    return {"name": name, "fault": "pod-delete", "target": target}, note


def _performed(activity: Mapping[str, Any], fault: str) -> Iterator[Mapping[str, Any]]:
    """The activities that put the fault in, in place of the action."""
    kept = {key: value for key, value in activity.items() if key in ("pauses", "controls", "background")}
    yield {**_activity(str(activity.get("name")), "inject", fault=fault), **kept}
    yield _activity(f"see that it is over: {fault}", "recovered", fault=fault)


def _activity(name: str, func: str, **arguments: str) -> dict[str, Any]:
    provider: dict[str, Any] = {"type": "python", "module": ACTIONS, "func": func}
    return {
        "type": "action",
        "name": name,
        "provider": {**provider, "arguments": arguments} if arguments else provider,
    }
