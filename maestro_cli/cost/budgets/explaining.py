"""Why a day was dear: its rows beside those of the day that it is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from maestro_cli.cost.allocation.allocate import allocate
from maestro_cli.cost.allocation.comparing import ended_with
from maestro_cli.cost.allocation.model import Allocation, RowKind
from maestro_cli.cost.allocation.sharing import Sharing
from maestro_cli.cost.budgets.anomalies import Anomaly
from maestro_cli.cost.budgets.causes import Happening, differences, explained_share, scaled
from maestro_cli.cost.budgets.days import one_day
from maestro_cli.cost.budgets.model import Budget, ExplainedAnomaly
from maestro_cli.cost.metering.model import HOUR, Metered
from maestro_cli.cost.prices.model import PriceBook

MOST_CAUSES = 5
_LEAST_SHARE = 0.01  # of an excess, of what is worth telling


def explain(
    one: Anomaly, budget: Budget, metered: Metered, book: PriceBook, happenings: Sequence[Happening]
) -> ExplainedAnomaly:
    """Without causes where one of the two days was not measured."""
    days = [day for of in (one.reference, one.day) if (day := _measured(metered, of)) is not None]
    if len(days) < 2:
        return ExplainedAnomaly(one)
    before, after = (_told(day, book, budget) for day in days)
    end = after.hours.end
    repriced = book.at(before.hours.start) is not book.at(end - HOUR)
    meanwhile = [found for found in happenings if before.hours.start <= found.at < end]
    found = differences(before, after, meanwhile, _at_one_price(days, book, budget) if repriced else None)
    told = [each for each in found if abs(each.amount) >= _LEAST_SHARE * abs(one.excess)][:MOST_CAUSES]
    return ExplainedAnomaly(one, tuple(told), explained_share(told, one.excess, len(told)), repriced)


def _measured(metered: Metered, day: date) -> Metered | None:
    found = one_day(metered, day)
    return found if found is not None and found.measured_share > 0 else None


def _at_one_price(days: Sequence[Metered], book: PriceBook, budget: Budget) -> tuple[Allocation, Allocation]:
    """Both days at the last prices of the earlier one."""
    last = ended_with(*((day, book) for day in days))
    before, after = (_told(day, last, budget) for day in days)
    return before, after


def _told(metered: Metered, book: PriceBook, budget: Budget) -> Allocation:
    """What is the budget's, by workload, as if the day had been measured whole."""
    found = allocate(metered, book, ("workload",), Sharing(idle=budget.idle), budget.where).allocation
    mine = [row for row in found.rows if row.kind is not RowKind.OTHER]
    return replace(found, rows=scaled(mine, 1 / metered.measured_share))
