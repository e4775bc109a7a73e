"""How long a caller waits. Invariant: a deadline only ever comes nearer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant of the event loop's clock (seconds); what is answered later is of no use to anybody."""

    at: float

    def remaining_seconds(self, now: float) -> float:
        """Zero once it has passed."""
        return max(0.0, self.at - now)

    def has_passed(self, now: float) -> bool:
        return now >= self.at
