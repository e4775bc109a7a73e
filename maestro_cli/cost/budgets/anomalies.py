"""Days that cost what such days do not.

A day is compared with the days of its weekday in the four weeks before it: with their median, and with the
median of how far days were from that of their weekday (MAD × 1.4826, the standard deviation of normal noise;
Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993). What is further away than `THRESHOLD` of them
is one. Both medians bear that nearly half of what they are made from is one too.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

LEAST_DAYS = 14
WINDOW_DAYS = 28
THRESHOLD = 3.5
NORMAL = 1.4826
_LEAST_SPREAD = 0.02  # of a day: what always costs the same is not judged by the last digit
_OF_MEDIAN = math.pi / 2  # variance of a median over that of a mean


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One day. `score` is its distance from what was expected, in standard deviations, with its sign.

    `reference` is the latest day of its weekday that was none.
    """

    day: date
    amount: float
    expected: float
    score: float
    reference: date

    @property
    def excess(self) -> float:
        return self.amount - self.expected


def anomalies(days: Mapping[date, float], first: date) -> tuple[Anomaly, ...]:
    """Of the whole days from `first` on, in order; a day with fewer than 14 before it is not judged."""
    found: dict[date, Anomaly] = {}
    for day in sorted(days):
        one = _judged(day, days, found) if day >= first else None
        if one is not None:
            found[day] = one
    return tuple(found.values())


def judged_days(days: Mapping[date, float], first: date) -> int:
    """How many of the days from `first` on had enough before them to be judged."""
    return sum(1 for day in days if day >= first and len(_before(day, days)) >= LEAST_DAYS)


def _before(day: date, days: Mapping[date, float]) -> dict[date, float]:
    start = day - timedelta(days=WINDOW_DAYS)
    return {one: amount for one, amount in days.items() if start <= one < day}


def _judged(day: date, days: Mapping[date, float], known: Mapping[date, Anomaly]) -> Anomaly | None:
    before = _before(day, days)
    same = sorted(one for one in before if one.weekday() == day.weekday())
    if len(before) < LEAST_DAYS or not same:
        return None
    middle = statistics.median(before.values())
    expected = statistics.median(before[one] for one in same)
    unit = expected if expected > 0 else middle
    deviations = list(_deviations(before, middle))
    if not deviations:
        return None
    spread = max(_LEAST_SPREAD, NORMAL * statistics.median(deviations))
    spread *= _with_noise_of_median(len(same))
    if not unit > 0:
        return None
    score = (days[day] - expected) / unit / spread
    if abs(score) <= THRESHOLD:
        return None
    reference = next((one for one in reversed(same) if one not in known), same[-1])
    return Anomaly(day, days[day], expected, score, reference)


def _deviations(days: Mapping[date, float], middle: float) -> Iterator[float]:
    """How far each day was from the median of the others of its weekday, in shares of that.

    Divided by what the noise of that median adds.
    """
    by_weekday: dict[int, list[float]] = {}
    for day, amount in days.items():
        by_weekday.setdefault(day.weekday(), []).append(amount)
    for amounts in by_weekday.values():
        for index, amount in enumerate(amounts):
            others = amounts[:index] + amounts[index + 1 :]
            if not others:
                continue
            median = statistics.median(others)
            unit = median if median > 0 else middle
            if unit > 0:
                yield abs(amount - median) / unit / _with_noise_of_median(len(others))


def _with_noise_of_median(count: int) -> float:
    """The standard deviation of a day minus the median of that many, over that of a day."""
    return math.sqrt(1 + (1.0 if count < 3 else _OF_MEDIAN) / count)
