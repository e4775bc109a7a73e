"""A budget of money: what may be spent a month, by whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from maestro_cli.cost.allocation.grouping import Filter
from maestro_cli.cost.allocation.sharing import IdleSharing
from maestro_cli.cost.budgets.anomalies import Anomaly
from maestro_cli.cost.budgets.causes import Difference
from maestro_cli.cost.budgets.spend import DaySpend
from maestro_cli.cost.budgets.standing import WARN_SHARES, Standing


@dataclass(frozen=True, slots=True)
class Budget:
    """`amount` of `currency` a month for what `where` takes; without matchers it is of the whole bill.

    `warn` are shares to be told when they are reached. `fails_on_forecast`: a month that will be over fails
    it before it is. `idle` says whether unused capacity is spent too, and whose part of it.
    """

    name: str
    amount: float
    currency: str
    where: Filter = field(default_factory=Filter)
    warn: tuple[float, ...] = WARN_SHARES
    fails_on_forecast: bool = False
    idle: IdleSharing = IdleSharing.ROW
    owner: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class ExplainedAnomaly:
    """A dear or cheap day, and what differed from the day it is compared with; the largest first.

    `explained` is how much of the excess those shown make up. `repriced`: other prices held. Without
    `differences` that day could not be told apart.
    """

    anomaly: Anomaly
    differences: tuple[Difference, ...] = ()
    explained: float | None = None
    repriced: bool = False


@dataclass(frozen=True, slots=True)
class BudgetStanding:
    """How one budget stands. `judged_days` had enough days before them for an anomaly to be seen."""

    budget: Budget
    standing: Standing
    days: tuple[DaySpend, ...]
    anomalies: tuple[ExplainedAnomaly, ...]
    judged_days: int
    since: date


@dataclass(frozen=True, slots=True)
class BudgetReport:
    """All budgets of one month, in the currency of the prices; times are UTC."""

    cluster: str
    currency: str
    now: datetime
    since: datetime
    prices: str
    items: tuple[BudgetStanding, ...]
    notes: tuple[str, ...] = ()
    unpriced: tuple[str, ...] = ()
    digest: str = ""
