"""What would be otherwise, and what the bill of a month would be then.

Invariant: a figure that rests on an assumption says which; bounds hold what the assumptions leave open, and
what has no price is refused, not guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

from maestro_cli.cost.metering.model import Hours


@dataclass(frozen=True, slots=True)
class Replicas:
    """A workload, as rows name it, would have so many replicas."""

    workload: str
    count: float

    def __str__(self) -> str:
        return f"replicas of {self.workload} = {self.count:g}"


@dataclass(frozen=True, slots=True)
class CacheHits:
    """So large a share of a workload's predictions would come from its cache; `now` is the share today."""

    workload: str
    then: float
    now: float

    def __str__(self) -> str:
        return f"cache hits of {self.workload} = {self.then:.0%} instead of {self.now:.0%}"


@dataclass(frozen=True, slots=True)
class SpotShare:
    """So large a share of a workload would run on spot nodes; without one, of every workload."""

    workload: str
    share: float

    def __str__(self) -> str:
        return f"{self.share:.0%} of {self.workload or 'everything'} on spot"


@dataclass(frozen=True, slots=True)
class NodeType:
    """Nodes of one type would be as many of another."""

    old: str
    new: str

    def __str__(self) -> str:
        return f"nodes {self.old} → {self.new}"


Change = Replicas | CacheHits | SpotShare | NodeType


@dataclass(frozen=True, slots=True)
class Running:
    """Replicas of a workload: on average, and on average of the hours with the fewest and the most."""

    mean: float
    least: float
    most: float

    @property
    def varied(self) -> bool:
        """By half a replica or more: a rollout has one more for a while, and nothing scaled it."""
        return self.most - self.least >= 0.5


@dataclass(frozen=True, slots=True)
class Bill:
    """A month: as expected, and between which bounds."""

    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Step:
    """One change after those before it: what it adds to the bill, and what that rests on."""

    change: Change
    added: Bill
    assumptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """`now` is the bill of the window as a month of 730 hours, by what was measured of it; `then` what it
    would be. What each step adds within its bounds need not add up to those of all.
    """

    cluster: str
    currency: str
    hours: Hours
    coverage: float
    now: float
    then: Bill
    steps: tuple[Step, ...]
    prices: str
    notes: tuple[str, ...] = ()
    digest: str = ""
