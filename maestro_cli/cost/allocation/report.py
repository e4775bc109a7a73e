"""Allocations with what they were made of, as commands tell them."""

from __future__ import annotations

from dataclasses import dataclass, field

from maestro_cli.cost.allocation.allocate import Hourly
from maestro_cli.cost.allocation.model import Allocation


@dataclass(frozen=True, slots=True)
class AllocationFound:
    """An allocation by the hour; `source` is where prices are from, `digest` that of a record, or empty."""

    hourly: Hourly
    source: str
    digest: str = ""

    @property
    def allocation(self) -> Allocation:
        return self.hourly.allocation


@dataclass(frozen=True, slots=True)
class CostReport:
    """One bill told by several groupings."""

    found: tuple[AllocationFound, ...] = field(default_factory=tuple)

    @property
    def first(self) -> AllocationFound:
        return self.found[0]
