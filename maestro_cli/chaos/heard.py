"""What the child told so far, as a Chaos Toolkit journal: for a child that does not live to give its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Heard:
    """Events in the order in which they came."""

    def __init__(self, experiment: Mapping[str, Any]) -> None:
        self._states: dict[str, Any] = {"before": None, "after": None, "during": []}
        self._runs: dict[str, list[Any]] = {"method": [], "rollbacks": []}
        self._experiment = experiment
        self.invalid = ""
        self.phase = "start"

    def hear(self, event: Mapping[str, Any]) -> None:
        name = event.get("event")
        if name == "invalid":
            self.invalid = str(event["error"])
        elif name == "steady" and event["phase"] == "during":
            self._states["during"].append(event["state"])
        elif name == "steady":
            self._states[event["phase"]] = event["state"]
        elif name == "activity":
            self._runs[event["phase"]].append(event["run"])
        elif name in ("running", "method", "method-over", "rollbacks"):
            self.phase = str(name)

    def journal(self, status: str) -> dict[str, Any]:
        """As far as it came."""
        return {
            "experiment": dict(self._experiment),
            "status": status,
            "deviated": False,
            "steady_states": self._states,
            "run": self._runs["method"],
            "rollbacks": self._runs["rollbacks"],
        }
