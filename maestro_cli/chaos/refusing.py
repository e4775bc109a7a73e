"""Actions that failed though Chaos Toolkit calls them succeeded: it asks no action what it answered. Pure.

A probe's answer is judged by its tolerance; an action has none, and says by its exit status, or by HTTP,
whether it did what it was to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ANSWERS = {"process": "it exited with {}", "http": "HTTP {}"}


def said_no(run: Mapping[str, Any]) -> str:
    """How such an action of a journal (an entry of `run` or `rollbacks`) says that it failed; "" else."""
    activity, output = run.get("activity") or {}, run.get("output")
    kind = (activity.get("provider") or {}).get("type")
    if activity.get("type") != "action" or kind not in _ANSWERS or not isinstance(output, Mapping):
        return ""
    status = output.get("status")
    if not isinstance(status, int):
        return ""
    is_well = status == 0 if kind == "process" else status < 400
    return "" if is_well else _ANSWERS[kind].format(status)
