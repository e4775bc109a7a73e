"""All waste of a context. Invariant: a kind that was not looked for is named: none found is not none."""

from __future__ import annotations

from dataclasses import dataclass

from maestro_cli.cost.metering.model import Hours
from maestro_cli.cost.waste.model import Kind, NotJudged, Waste


@dataclass(frozen=True, slots=True)
class WasteReport:
    """`items` are the dearest first, those without a price after them; `looked_for` could have been found."""

    cluster: str
    currency: str
    hours: Hours
    items: tuple[Waste, ...]
    not_judged: tuple[NotJudged, ...]
    looked_for: tuple[Kind, ...] = ()

    @property
    def is_unknown(self) -> bool:
        """Whether nothing was found, and of each kind something could not be judged."""
        return not self.items and {one.kind for one in self.not_judged}.issuperset(self.looked_for)

    @property
    def monthly(self) -> float | None:
        """What all that have a price cost a month; None where none has."""
        known = [item.monthly for item in self.items if item.monthly is not None]
        return sum(known) if known else None
