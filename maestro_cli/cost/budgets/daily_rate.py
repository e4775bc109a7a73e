"""What a day costs now, and how much that may be off.

The days are freed of their week first: each is divided by the factor of its weekday (the median of its ratios
to the mean of the seven days around it; 1 until there are `SEASONAL_DAYS` days). What remains is taken for a
level that wanders plus noise (the local level model; Harvey, Forecasting, Structural Time Series Models,
1989, 2.2). The level is told by an exponentially weighted mean of span seven days.

How far the mean misses follows from how fast the level wanders, and a few weeks cannot tell that. So several
speeds are tried, each counts by how likely it makes the days there were, and the spread is that of them all.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

SPAN_DAYS = 7
SMOOTHING = 2 / (SPAN_DAYS + 1)
SEASONAL_DAYS = 20  # gives two ratios of each weekday
LEAST_DAYS = 7  # for a spread
FLAT: tuple[float, ...] = (1.0,) * 7
# The variance of a day's step of the level over that of a day's noise.
_SPEEDS = (0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 4.0, 16.0, 100.0)


@dataclass(frozen=True, slots=True)
class DailyRate:
    """`level` an average day, `factors` one a weekday from Monday, `whole_days` how many it is made of.

    `speeds` are the ways the level may wander: (speed, variance of a day's noise, weight); empty without a
    spread.
    """

    level: float
    factors: tuple[float, ...]
    whole_days: int
    speeds: tuple[tuple[float, float, float], ...]


def daily_rate(days: Mapping[date, float]) -> DailyRate | None:
    """From what whole days cost, in any order; None without one."""
    if not days:
        return None
    factors = weekday_factors(days)
    freed = [days[day] / factors[day.weekday()] for day in sorted(days)]
    level = _smoothed(freed)
    return DailyRate(level, factors, len(freed), _speeds(freed) if len(freed) >= LEAST_DAYS else ())


def weekday_factors(days: Mapping[date, float]) -> tuple[float, ...]:
    """What each weekday costs, over the mean of its week; `FLAT` while there are too few days to tell."""
    ratios: dict[int, list[float]] = {weekday: [] for weekday in range(7)}
    for day, amount in days.items():
        week = [days.get(day + timedelta(days=offset)) for offset in range(-3, 4)]
        known = [one for one in week if one is not None]
        if len(known) == 7 and (mean := sum(known) / 7) > 0:
            ratios[day.weekday()].append(amount / mean)
    if len(days) < SEASONAL_DAYS or any(len(found) < 2 for found in ratios.values()):
        return FLAT
    medians = [statistics.median(ratios[weekday]) for weekday in range(7)]
    mean = sum(medians) / 7
    if mean <= 0 or min(medians) <= 0.01 * mean:  # a weekday that costs nothing has no ratio
        return FLAT
    return tuple(one / mean for one in medians)


def error_variance(rate: DailyRate, weights: Sequence[float]) -> list[tuple[float, float]]:
    """(weight, variance) by speed of the sum of days to come, each `weights` of an average day, minus its
    forecast `level × Σ weights`.

    With α the smoothing, r the noise and q the step of the level: the mean misses the level of today by
    P = ((1-α)²q + α²r) / (1-(1-α)²), all days share that; each step moves the days after it; noise is of
    one day.
    """
    keep = 1 - SMOOTHING
    total, squares = sum(weights), sum(one * one for one in weights)
    steps = sum(sum(weights[index:]) ** 2 for index in range(len(weights)))
    found = []
    for speed, noise, weight in rate.speeds:
        of_mean = (keep**2 * speed + SMOOTHING**2) / (1 - keep**2)
        found.append((weight, noise * (total**2 * of_mean + speed * steps + squares)))
    return found


def _smoothed(values: Sequence[float]) -> float:
    start = values[: min(SPAN_DAYS, len(values))]
    level = sum(start) / len(start)
    for value in values[len(start) :]:
        level += SMOOTHING * (value - level)
    return level


def _speeds(values: Sequence[float]) -> tuple[tuple[float, float, float], ...]:
    """Each speed with the noise that fits it best and its weight, by the likelihood of the days."""
    fits = [(speed, *_fit(values, speed)) for speed in _SPEEDS]
    best = max(likelihood for _, _, likelihood in fits)
    weights = [math.exp(likelihood - best) for _, _, likelihood in fits]
    return tuple(
        (speed, noise, weight / sum(weights)) for (speed, noise, _), weight in zip(fits, weights, strict=True)
    )


def _fit(values: Sequence[float], speed: float) -> tuple[float, float]:
    """(variance of the noise, log likelihood) by a Kalman filter in units of the noise."""
    state, variance, squares, logs = values[0], 1.0, 0.0, 0.0
    for value in values[1:]:
        variance += speed
        spread = variance + 1.0
        miss = value - state
        squares += miss * miss / spread
        logs += math.log(spread)
        state += variance / spread * miss
        variance /= spread
    count = len(values) - 1
    noise = max(squares / count, 1e-18 * max(abs(one) for one in values) ** 2, 1e-300)
    return noise, -0.5 * (count * math.log(noise) + logs)
