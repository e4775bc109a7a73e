"""What a month will come to, in all and group by group."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maestro_cli.cost.allocation.model import Allocation, RowKind
from maestro_cli.cost.budgets.forecast import Forecast
from maestro_cli.cost.budgets.spend import DaySpend


@dataclass(frozen=True, slots=True)
class RowOutlook:
    """One row of the allocation."""

    kind: RowKind
    keys: tuple[str, ...]
    forecast: Forecast


@dataclass(frozen=True, slots=True)
class Outlook:
    """`whole` is the forecast of all that was selected; those of the rows add up to it but for rounding of
    what each of them does by weekday. `days` are those of the whole.
    """

    allocation: Allocation
    now: datetime
    prices: str
    whole: Forecast
    days: tuple[DaySpend, ...]
    rows: tuple[RowOutlook, ...]
    digest: str = ""
