"""What services cost by the machines they ran on: their allocation, and their shares of what was idle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from maestro_cli.cost.allocation.allocate import allocate
from maestro_cli.cost.allocation.model import Allocation, RowKind
from maestro_cli.cost.allocation.sharing import IdleSharing, Sharing, Spread
from maestro_cli.cost.unit.versions import Spend
from maestro_cli.services.costs.wanted import CostWindow

if TYPE_CHECKING:
    from pathlib import Path

    from maestro_cli.services.costs.root import CostServices

# All of the bill: idle capacity to those on its node, the control plane and the like by cost.
_LOADED = Sharing(idle=IdleSharing.NODE, overhead=Spread.COST)


@dataclass(frozen=True, slots=True)
class MachineSpends:
    """By namespace and name of the workload; the window is of whole hours, the last of them up to now."""

    start: datetime
    end: datetime
    spends: dict[tuple[str, str], Spend]
    basis: str


def find_machine_spends(
    services: CostServices, window: str, until: str, prices: Path | None
) -> MachineSpends:
    """Raises UsageError, NoData when nothing was metered or nothing prices it, InvalidFile, Unreachable."""
    data = services.cost_data(CostWindow(window, until, prices))
    hours = data.metered.hours
    allocation = allocate(data.metered, data.book, ("namespace", "workload"), _LOADED).allocation
    told = f"machines by {data.book.source}; {_LOADED}"
    return MachineSpends(hours.start, data.metered.measured_until, spends_of(allocation), told)


def spends_of(allocation: Allocation) -> dict[tuple[str, str], Spend]:
    """What all of one name cost, and with their shares: a workload and the Service before it are one service.

    What has no price makes it a lower bound.
    """
    sums: dict[tuple[str, str], tuple[float, float]] = {}
    for row in allocation.rows:
        if row.kind is RowKind.SPENDER and row.keys[1]:
            key = row.keys[0], row.keys[1].rpartition("/")[2]
            direct, loaded = sums.get(key, (0.0, 0.0))
            sums[key] = direct + row.direct, loaded + row.total
    return {
        key: Spend(direct, loaded, allocation.coverage, allocation.unpriced)
        for key, (direct, loaded) in sums.items()
    }
