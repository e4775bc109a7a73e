"""What the child told so far, as a Chaos Toolkit journal: for a child that does not live to give its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_WHOLE = 2_000  # looks of which everything is kept


class Heard:
    """Events in the order in which they came."""

    def __init__(self, experiment: Mapping[str, Any]) -> None:
        self._states: dict[str, Any] = {"before": None, "after": None, "during": []}
        self._runs: dict[str, list[Any]] = {"method": [], "rollbacks": []}
        self._experiment = experiment
        self._begun: dict[str, Any] = {}  # the activity that is under way, by its phase
        self.invalid = ""
        self.escaped = ""  # what was raised beside all activities
        self.phase = "start"

    def hear(self, event: Mapping[str, Any]) -> None:
        name = event.get("event")
        if name == "invalid":
            self.invalid = str(event["error"])
        elif name == "steady" and event["phase"] == "during":
            during = self._states["during"]
            during.append(event["state"] if len(during) < MAX_WHOLE else brief(event["state"]))
        elif name == "steady":
            self._states[event["phase"]] = event["state"]
        elif name == "activity-begun":
            self._begun = {event["phase"]: {"activity": {"name": event["name"], "type": event["type"]}}}
        elif name == "activity":
            self._begun = {}
            self._runs[event["phase"]].append(event["run"])
        elif name == "escaped":
            self.escaped = str(event["error"])
        elif name in ("running", "method", "method-over", "rollbacks"):
            self.phase = str(name)

    def whole(self, journal: Mapping[str, Any] | None) -> dict[str, Any]:
        """The journal that the child gave, or as far as it came, with every look during the method: those
        come singly, for there may be more than one message has room for.
        """
        if journal is None:
            return self.journal("aborted")
        states = journal.get("steady_states") or {}
        return {**journal, "steady_states": {**states, "during": self._states["during"]}}

    def journal(self, status: str) -> dict[str, Any]:
        """As far as it came; what was under way has no status, as what Chaos Toolkit interrupts."""
        runs = {
            phase: [*done, *([self._begun[phase]] if phase in self._begun else [])]
            for phase, done in self._runs.items()
        }
        return {
            "experiment": dict(self._experiment),
            "status": status,
            "deviated": False,
            "steady_states": self._states,
            "run": runs["method"],
            "rollbacks": runs["rollbacks"],
        }


def brief(state: Mapping[str, Any]) -> dict[str, Any]:
    """What a verdict needs of a look: whether it was met, and else the probe that it ended with."""
    if state.get("steady_state_met"):
        return {"steady_state_met": True, "probes": []}
    last = dict((state.get("probes") or [{}])[-1])
    if "output" in last:
        last["output"] = str(last["output"])[:200]
    return {"steady_state_met": state.get("steady_state_met"), "probes": [last]}
