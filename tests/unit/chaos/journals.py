"""Chaos Toolkit journals as chaoslib writes them, made of what matters for a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def state(looks: str) -> dict[str, Any]:
    """One entry of `steady_states`: `met`, `missed`, or `none` for a probe that raised."""
    run: dict[str, Any] = {"activity": {"type": "probe", "name": "answers"}, "output": 200}
    if looks == "none":
        run |= {"status": "failed", "output": None, "exception": ["no data: NaN\n"], "tolerance_met": False}
    else:
        run |= {"status": "succeeded", "tolerance_met": looks == "met"}
    return {"steady_state_met": looks == "met", "probes": [run]}


def activity(kind: str, status: str | None, name: str = "hurt") -> dict[str, Any]:
    """One entry of `run` or `rollbacks`; one that was interrupted has no status."""
    found: dict[str, Any] = {"activity": {"type": kind, "name": name}, "output": None}
    return found if status is None else {**found, "status": status}


def journal(
    before: str | None = "met",
    during: Sequence[str] = ("met", "met"),
    after: str | None = "met",
    run: Sequence[dict[str, Any]] = (),
    rollbacks: Sequence[dict[str, Any]] = (),
    status: str = "completed",
    deviated: bool = False,
    experiment: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "experiment": dict(experiment or {}),
        "status": status,
        "deviated": deviated,
        "steady_states": {
            "before": None if before is None else state(before),
            "during": [state(one) for one in during],
            "after": None if after is None else state(after),
        },
        "run": [*run] or [activity("action", "succeeded")],
        "rollbacks": [*rollbacks],
    }
