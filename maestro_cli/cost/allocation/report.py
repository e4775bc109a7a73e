"""Allocations with what they were made of, as commands tell them."""

from __future__ import annotations

from dataclasses import dataclass, field

from maestro_cli.cost.allocation.allocate import Hourly
from maestro_cli.cost.allocation.model import Allocation
from maestro_cli.cost.spans.span import SpanCost


@dataclass(frozen=True, slots=True)
class IncidentSpan:
    """What the machines cost while an incident lasted; `lasts` where it was not over
    at the last look."""

    number: int
    title: str
    is_drill: bool
    lasts: bool
    cost: SpanCost


@dataclass(frozen=True, slots=True)
class AllocationFound:
    """An allocation by the hour; `source` is where prices are from, `digest` that of a record, or empty.

    `span` is the incident whose hours these are.
    """

    hourly: Hourly
    source: str
    digest: str = ""
    span: IncidentSpan | None = None

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
