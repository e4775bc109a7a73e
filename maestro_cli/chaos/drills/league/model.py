"""What a league came to. Invariant: a time that was not measured is None, never zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

RANKED_FIRST = 0.9  # of the scenarios: so many true causes have to come first


@dataclass(frozen=True, slots=True)
class Pair:
    """A suspect's score, and whether it was the true cause: what scores are calibrated by."""

    score: float
    was_right: bool
    kind: str


@dataclass(frozen=True, slots=True)
class Item:
    """One scenario with one seed. Times are seconds since the defect was there.

    `cause_rank` counts from 1 and is None where the true cause is not among the suspects; `cause_is_right`:
    it came first, or nothing was wrong and nobody was blamed. `noticed_rightly`: in its time, or rightly not.
    `misses` says what kept it from passing.
    """

    scenario: str
    seed: int
    true_cause: str
    cause_rank: int | None
    detected_seconds: float | None
    triaged_seconds: float | None
    mitigated_seconds: float | None
    resolved_seconds: float | None
    passed: bool
    cause_is_right: bool
    noticed_rightly: bool
    blamed: str = ""
    alert: str = ""
    fix: str = ""
    run: str = ""
    incident: str = ""
    drill: str = ""
    seal: str = ""
    misses: tuple[str, ...] = ()
    fouls: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()
    wall_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class LeagueReport:
    """Every scenario that was played. `wanted` are those that were to be, by name and seed."""

    items: tuple[Item, ...]
    wanted: tuple[tuple[str, int], ...]
    began_at: datetime
    cluster: str = ""
    notes: tuple[str, ...] = field(default_factory=tuple)

    @property
    def ranked_first(self) -> int:
        """How many true causes came first, or were rightly blamed on nobody."""
        return sum(item.cause_is_right for item in self.items)

    @property
    def left(self) -> tuple[tuple[str, int], ...]:
        """What is still to be played."""
        done = {(item.scenario, item.seed) for item in self.items}
        return tuple(one for one in self.wanted if one not in done)

    @property
    def misses(self) -> tuple[str, ...]:
        """Why the league misses, in words; empty when it does not."""
        return league_misses(self.items, len(self.left))

    @property
    def passed(self) -> bool:
        return not self.misses


def league_misses(items: Sequence[Item], left: int) -> tuple[str, ...]:
    """Too few true causes first, something not noticed rightly, a seal that was broken, or some left."""
    first = sum(item.cause_is_right for item in items)
    late = [f"{item.scenario} (seed {item.seed})" for item in items if not item.noticed_rightly]
    foul = [f"{item.scenario} (seed {item.seed}): {item.fouls[0]}" for item in items if item.fouls]
    found = []
    if not items or first < RANKED_FIRST * len(items):
        found.append(f"the true cause came first in {first} of {len(items)}")
    if late:
        found.append(f"not noticed rightly: {', '.join(late)}")
    if left:
        found.append(f"{left} not played")
    return (*found, *foul)
