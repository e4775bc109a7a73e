"""Looks at the steady state as a run is told them, for who asks whether things are as before."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maestro_cli.chaos.verdict import Steady, steady_of


@dataclass(frozen=True, slots=True)
class Seen:
    """What looks since an instant say: the last of them (None: there was none), and how many were met in a
    row up to now, the first of which began at `first` (monotonic seconds). `is_awaited`: another is to come.
    """

    last: Steady | None = None
    met: int = 0
    first: float | None = None
    is_awaited: bool = False


class Looks:
    """Thread-safe; while the method runs looks come one after the other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: list[tuple[float, Steady]] = []  # when each began, in order
        self._is_awaited = False

    def hear(self, event: Mapping[str, Any], now: float) -> None:
        """What the child tells; what comes after the end is not counted: it may be the last."""
        name = event.get("event")
        with self._lock:
            if name == "method":
                self._is_awaited = event.get("look_seconds") is not None
            elif name in ("method-over", "rollbacks"):
                self._is_awaited = False
            elif name == "steady" and event["phase"] == "during" and self._is_awaited:
                self._told.append((now - _seconds_of(event["state"]), steady_of(event["state"])))

    def end(self) -> None:
        with self._lock:
            self._is_awaited = False

    def since(self, instant: float) -> Seen:
        """By the looks that began at that instant or later."""
        with self._lock:
            told = [one for one in self._told if one[0] >= instant]
            awaited = self._is_awaited
        met, first = 0, None
        for began, seen in reversed(told):
            if seen is not Steady.MET:
                break
            met, first = met + 1, began
        return Seen(told[-1][1] if told else None, met, first, awaited)


def _seconds_of(state: Mapping[str, Any]) -> float:
    """How long a look took, by what its probes say of themselves."""
    return sum(float(one.get("duration") or 0.0) for one in state.get("probes") or ())
