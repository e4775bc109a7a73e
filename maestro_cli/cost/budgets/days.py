"""What was spent on each day of what was metered, of whoever a filter takes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from maestro_cli.cost.allocation.allocate import Hourly
from maestro_cli.cost.allocation.model import RowKind
from maestro_cli.cost.budgets.spend import DaySpend
from maestro_cli.cost.metering.model import HOUR, Hours, Metered

_DAY_HOURS = 24


def daily_spend(
    hourly: Hourly, metered: Metered, now: datetime, rows: slice | None = None
) -> tuple[DaySpend, ...]:
    """Of all rows that the filter took, or of those given, in the order of days; times are UTC.

    A day of which nothing was measured has no amount, nor has any where the filter took nobody: a scope that
    is written wrong is no spender of nothing. An hour counts as measured by its own coverage.
    """
    allocation = hourly.allocation
    taken = [
        index
        for index, row in list(enumerate(allocation.rows))[rows or slice(None)]
        if row.kind is not RowKind.OTHER
    ]
    costs = hourly.costs[taken].sum(axis=0).tolist()
    covered = metered.coverage.tolist()
    amounts: dict[date, float] = defaultdict(float)
    measured: dict[date, float] = defaultdict(float)
    for index, (cost, share) in enumerate(zip(costs, covered, strict=True)):
        begin = metered.hours.beginning(index)
        day = begin.date()
        amounts[day] += cost
        measured[day] += share * min(1.0, max(0.0, (now - begin) / HOUR))
    return tuple(_day(day, amounts[day] if taken else None, measured[day], now) for day in sorted(amounts))


def _day(day: date, amount: float | None, measured_hours: float, now: datetime) -> DaySpend:
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    over = min(1.0, max(0.0, (now - begin) / timedelta(days=1)))
    coverage = min(1.0, measured_hours / (over * _DAY_HOURS)) if over > 0 else 0.0
    return DaySpend(day, amount if coverage > 0 else None, coverage, over)


def one_day(metered: Metered, day: date) -> Metered | None:
    """What was metered of that day alone; None when the window does not have all of it."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    first = int((start - metered.hours.start) / HOUR)
    if first < 0 or first + _DAY_HOURS > metered.hours.count:
        return None
    span = slice(first, first + _DAY_HOURS)
    return replace(
        metered,
        hours=Hours(start, _DAY_HOURS),
        requested={key: value[:, span] for key, value in metered.requested.items()},
        used={key: value[:, span] for key, value in metered.used.items()},
        capacity={key: value[:, span] for key, value in metered.capacity.items()},
        present=metered.present[:, span],
        volume_gib=metered.volume_gib[:, span],
        coverage=metered.coverage[span],
        sent_gib={key: value[:, span] for key, value in metered.sent_gib.items()},
        balancer_hours=None if metered.balancer_hours is None else metered.balancer_hours[:, span],
        telemetry_amounts=None if metered.telemetry_amounts is None else metered.telemetry_amounts[:, span],
        running=None if metered.running is None else metered.running[:, span],
        until=None if metered.until is None or metered.until >= start + timedelta(days=1) else metered.until,
    )
