"""What is known of a revision that a rollback may go to.

Invariant: frozen; what was not measured is None or missing, never zero and never good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class Standing(Enum):
    """`not proved`: nothing shows that the revision was bad, and too little that it was good."""

    GOOD = "good"
    BAD = "bad"
    NOT_PROVED = "not proved"


@dataclass(frozen=True, slots=True)
class Kept:
    """How one objective fared while a revision was live: events, and the share that may be bad."""

    objective: str
    budget: float
    total: float
    bad: float
    is_accuracy: bool = False

    @property
    def ratio(self) -> float | None:
        """The share of bad events; None without events."""
        return min(1.0, self.bad / self.total) if self.total > 0 else None

    @property
    def burn(self) -> float | None:
        """1.0 spends the budget exactly; None without events."""
        return None if self.ratio is None else self.ratio / self.budget

    @property
    def is_over(self) -> bool:
        return self.ratio is not None and self.ratio > self.budget


@dataclass(frozen=True, slots=True)
class Track:
    """What the metrics tell of one revision, over all the times that it was live.

    `live_seconds`: its pods were measured; `answering_seconds`: and answered requests.
    """

    live_from: datetime
    live_to: datetime
    live_seconds: float
    answering_seconds: float
    kept: tuple[Kept, ...]


@dataclass(frozen=True, slots=True)
class Tracks:
    """Tracks by the name of the revision's ReplicaSet; `why` says what could not be measured, if anything."""

    by_name: Mapping[str, Track] = field(default_factory=dict)
    why: str = ""
    lookback_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Judged:
    """Where a revision stands, and why; `doubted`: not proved, and what little was measured is not good."""

    revision: int
    standing: Standing
    reason: str
    doubted: bool = False
