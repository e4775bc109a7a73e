"""What was spent on each day of a month.

Invariant: days and months are those of UTC; an amount is what was measured, so that it is a lower bound
wherever `coverage` is below 1, and what nobody measured is None and never 0.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

LEAST_COVERAGE = 0.9
_LEAST_SHARE = 0.5  # of a day that is scaled up to a whole one


@dataclass(frozen=True, slots=True)
class Month:
    """One month of UTC."""

    year: int
    number: int

    @classmethod
    def of(cls, instant: datetime | date) -> Month:
        at = instant.astimezone(UTC) if isinstance(instant, datetime) else instant
        return cls(at.year, at.month)

    @property
    def days(self) -> int:
        return calendar.monthrange(self.year, self.number)[1]

    @property
    def start(self) -> datetime:
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        return self.start + timedelta(days=self.days)

    @property
    def hours(self) -> int:
        return 24 * self.days

    def elapsed(self, now: datetime) -> float:
        """The share of it that is over, 0 to 1."""
        return min(1.0, max(0.0, (now - self.start) / (self.end - self.start)))

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"


@dataclass(frozen=True, slots=True)
class DaySpend:
    """One day. `over` is the share of it that has passed, `coverage` the share of that which was measured."""

    day: date
    amount: float | None
    coverage: float
    over: float = 1.0

    @property
    def whole(self) -> float | None:
        """The amount of the whole day: what was not measured cost what the rest of it did.

        None for a day that is not over, or of which less than half was measured.
        """
        if self.amount is None or self.over < 1 or self.coverage < _LEAST_SHARE:
            return None
        return self.amount / min(1.0, self.coverage)


@dataclass(frozen=True, slots=True)
class MonthToDate:
    """`amount` was measured, a lower bound; `unmeasured_days` is how much of the time so far was not."""

    month: Month
    amount: float | None
    coverage: float
    unmeasured_days: float


def month_to_date(days: Iterable[DaySpend], now: datetime) -> MonthToDate:
    """What is spent since the month began. A day that is missing is one that nobody measured."""
    month = Month.of(now)
    passed = month.elapsed(now) * month.days
    mine = [one for one in days if Month.of(one.day) == month]
    measured = sum(one.coverage * one.over for one in mine if one.amount is not None)
    amounts = [one.amount for one in mine if one.amount is not None]
    return MonthToDate(
        month=month,
        amount=sum(amounts) if amounts else None,
        coverage=min(1.0, measured / passed) if passed > 0 else 0.0,
        unmeasured_days=max(0.0, passed - measured),
    )
