"""Who caused what of the bill.

Invariant: the cells of all rows add up to `bill` of their component within 1e-6, whatever the grouping;
what belongs to nobody is a row of its own and never left out. An amount that has no price is missing, named
in `unpriced`, and the sum is then a lower bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from maestro_cli.cost.metering.model import Hours


class Component(Enum):
    """What a cell of an allocation is for."""

    CPU = "cpu"
    MEMORY = "memory"
    GPU = "gpu"
    STORAGE = "storage"
    NETWORK = "network"
    IDLE = "idle"  # the part of unused capacity that falls to a row
    SHARED = "shared"  # the part of namespaces and overhead that all use
    OVERHEAD = "overhead"  # control plane, load balancers


class RowKind(Enum):
    """What stands behind a row."""

    SPENDER = "spender"
    IDLE = "idle"  # unused capacity that was not shared out
    OVERCOMMIT = "over-commit"  # more was charged than the nodes have: a negative amount
    UNALLOCATED = "unallocated"  # what belongs to nothing that the grouping can name
    SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Row:
    """One group: the values of the grouping's keys in their order, and its cost of each component.

    `requested` and `used` are unit-hours by name of resource, for efficiency = used ÷ charged.
    """

    keys: tuple[str, ...]
    kind: RowKind
    costs: Mapping[Component, float]
    requested: Mapping[str, float]
    used: Mapping[str, float]

    @property
    def direct(self) -> float:
        """Without the shares of idle and shared."""
        return sum(
            amount
            for component, amount in self.costs.items()
            if component not in (Component.IDLE, Component.SHARED)
        )

    @property
    def total(self) -> float:
        return sum(self.costs.values())


@dataclass(frozen=True, slots=True)
class Allocation:
    """A bill and its rows. `grouping` names the keys; `coverage` is the mean of the hours, 0 to 1."""

    cluster: str
    currency: str
    hours: Hours
    grouping: tuple[str, ...]
    rows: tuple[Row, ...]
    bill: Mapping[Component, float]
    coverage: float
    unpriced: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        return sum(self.bill.values())
