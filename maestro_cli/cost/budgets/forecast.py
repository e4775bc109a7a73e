"""What a month will come to: what is spent, and what the days left will cost.

    forecast = month to date + rate of a day × days left

with the rate of `daily_rate`, each day left by the factor of its weekday. The interval is that of the mixture
of Student's distributions that the speeds of `daily_rate` give, with as many degrees of freedom as there are
days less one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from maestro_cli.cost.budgets.daily_rate import DailyRate, daily_rate, error_variance
from maestro_cli.cost.budgets.spend import DaySpend, MonthToDate, month_to_date

PROBABILITY = 0.8
HISTORY_DAYS = 63  # nine weeks: what is older says little of the days to come


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the month will come to. `low` and `high` hold it with `probability`.

    `total` is None without one whole day, `low` and `high` without seven; `reason` says what lacks.
    """

    to_date: MonthToDate
    total: float | None
    low: float | None
    high: float | None
    probability: float
    per_day: float | None
    days_left: float
    whole_days: int
    by_weekday: bool
    reason: str = ""


def forecast(days: Sequence[DaySpend], now: datetime, probability: float = PROBABILITY) -> Forecast:
    """Of the month of `now`, by its days and those before it; today is among them, as far as it went."""
    to_date = month_to_date(days, now)
    today = to_date.month.start.date() + timedelta(days=math.floor(_passed(to_date, now)))
    whole = {
        one.day: amount
        for one in days
        if (amount := one.whole) is not None and timedelta(0) < today - one.day <= timedelta(HISTORY_DAYS)
    }
    rate = daily_rate(whole)
    weights = _weights_left(to_date, now, rate)
    left = to_date.month.days - _passed(to_date, now)
    if rate is None or to_date.amount is None:
        lacks = "no whole day was measured" if rate is None else "nothing of this month was measured"
        return Forecast(to_date, None, None, None, probability, None, left, len(whole), False, lacks)
    spent = to_date.amount + to_date.unmeasured_days * rate.level
    total = spent + rate.level * sum(weights)
    low = high = None
    if rate.speeds:
        reach = _reach(error_variance(rate, weights), probability, rate.whole_days - 1)
        low, high = max(spent, total - reach), total + reach
    return Forecast(
        to_date, total, low, high, probability, rate.level, left, rate.whole_days, len(set(rate.factors)) > 1,
        "" if rate.speeds else "fewer than seven whole days: no interval",
    )  # fmt: skip


def _passed(to_date: MonthToDate, now: datetime) -> float:
    return to_date.month.elapsed(now) * to_date.month.days


def _weights_left(to_date: MonthToDate, now: datetime, rate: DailyRate | None) -> list[float]:
    """What is left of today and of each day after it, in average days."""
    month, passed = to_date.month, _passed(to_date, now)
    first = math.floor(passed)
    weights = []
    for index in range(first, month.days):
        factor = rate.factors[(month.start + timedelta(days=index)).weekday()] if rate else 1.0
        weights.append(factor * (1 - (passed - first) if index == first else 1.0))
    return weights


def _reach(variances: Sequence[tuple[float, float]], probability: float, freedom: int) -> float:
    """Half the width of what holds the forecast with that probability."""
    widest = math.sqrt(max(variance for _, variance in variances))
    if not widest > 0:
        return 0.0

    def held(reach: float) -> float:
        return sum(
            weight * _student_inside(reach / math.sqrt(variance), freedom) if variance > 0 else weight
            for weight, variance in variances
        )

    return _root(held, probability, 100 * widest)


def _root(rising: Callable[[float], float], wanted: float, most: float) -> float:
    """Where a function that rises from 0 has the wanted value, by halving."""
    low, high = 0.0, most
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < wanted else (low, middle)
    return high


def _student_inside(t: float, freedom: int) -> float:
    """P(|T| < t) of Student's distribution, exactly (Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    if freedom % 2:
        term, total = cosine, cosine if freedom > 1 else 0.0
        for k in range(2, freedom - 1, 2):
            term *= cosine**2 * k / (k + 1)
            total += term
        return 2 / math.pi * (angle + sine * total)
    term = total = 1.0
    for k in range(1, freedom - 2, 2):
        term *= cosine**2 * k / (k + 1)
        total += term
    return sine * total
