"""Who caused what of the bill.

Invariant: all rows add up to the bill within 1e-6, whatever the grouping, the filter and the sharing; what
belongs to nobody, and what a filter leaves out, is a row of its own. While nothing is shared out, the cells
of each component add up to that component of the bill. An amount that has no price is missing, named in
`unpriced`, and the sum is then a lower bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from maestro_cli.cost.metering.model import Hours
from maestro_cli.cost.prices.model import Resource


class Component(Enum):
    """What a cell of an allocation is for; the bill itself has neither IDLE nor SHARED."""

    CPU = "cpu"
    MEMORY = "memory"
    GPU = "gpu"
    STORAGE = "storage"
    NETWORK = "network"
    LOGS = "logs"
    TRACES = "traces"
    IDLE = "idle"  # the part of unused capacity that falls to a row; a row of kind IDLE has it by resource
    SHARED = "shared"  # the part of namespaces and overhead that all use
    OVERHEAD = "overhead"  # control plane, load balancers


class RowKind(Enum):
    """What stands behind a row."""

    SPENDER = "spender"
    IDLE = "idle"  # unused capacity that was not shared out
    OVERCOMMIT = "over-commit"  # more was charged than the nodes have: a negative amount
    UNALLOCATED = "unallocated"  # what belongs to nothing that the grouping can name
    SHARED = "shared"  # of a shared namespace, in hours in which there was nobody to share it
    OVERHEAD = "overhead"  # what no node carries and was not shared out
    OTHER = "other"  # what a filter leaves out


@dataclass(frozen=True, slots=True)
class Row:
    """One group: the values of the grouping's keys in their order ("" where it has none), and its costs.

    `requested`, `used` and `charged` are unit-hours by name of resource; charged is the greater of the two in
    each hour. A row without keys (kind OTHER) has an empty string for each.
    """

    keys: tuple[str, ...]
    kind: RowKind
    costs: Mapping[Component, float]
    requested: Mapping[str, float]
    used: Mapping[str, float]
    charged: Mapping[str, float] = field(default_factory=dict)

    def efficiency(self, resource: Resource) -> float | None:
        """The share of what was charged that was used; None where nothing was charged."""
        charged = self.charged.get(resource.value, 0.0)
        return self.used.get(resource.value, 0.0) / charged if charged > 0 else None

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
    """A bill and its rows. `grouping` names the keys; `coverage` is the mean of the hours, 0 to 1.

    `where` and `sharing` say in words what was selected and what was shared out how; `seen_hours` is how long
    any node was seen.
    """

    cluster: str
    currency: str
    hours: Hours
    grouping: tuple[str, ...]
    rows: tuple[Row, ...]
    bill: Mapping[Component, float]
    coverage: float
    unpriced: tuple[str, ...] = ()
    where: str = ""
    sharing: str = ""
    seen_hours: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        return sum(self.bill.values())

    @property
    def selected(self) -> float:
        """What the filter left in: the bill without a filter."""
        return sum(row.total for row in self.rows if row.kind is not RowKind.OTHER)
