"""What right-sizing found in one look at a cluster."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from maestro_cli.cost.rightsizing.advice import Advice, Decision
from maestro_cli.cost.rightsizing.saving import Saving


@dataclass(frozen=True, slots=True)
class Rightsizing:
    """`least_seconds` is how much history was enough. `saving` is None where nothing prices machines."""

    context: str
    start: datetime
    end: datetime
    least_seconds: float
    items: tuple[Advice, ...]
    saving: Saving | None = None
    notes: tuple[str, ...] = ()

    @property
    def decisions(self) -> Counter[Decision]:
        """How many steps of each kind there are."""
        return Counter(
            step.decision for one in self.items for of in one.containers for step in (of.cpu, of.memory)
        )

    @property
    def is_blind(self) -> bool:
        """Whether of nothing enough is known."""
        found = self.decisions
        return found[Decision.INSUFFICIENT] == found.total()
