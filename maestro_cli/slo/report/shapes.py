"""The shapes of a period: how its budget went, its worst hours, and each hour of each day.

Invariant: what nobody saw is None; hours are of the zone of the period, and the two hours of a night in which
clocks go back are one. What is bad are events, or slices of time where the objective judges those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate
from math import fsum

from maestro_cli.slo.measuring.adding import add_up
from maestro_cli.slo.measuring.model import Measured, Minutes
from maestro_cli.slo.measuring.slices import budget_minutes
from maestro_cli.slo.measuring.window import MINUTE, Span, zone_named

HOUR_MINUTES = 60
HOURS = 24


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour from `start`; in `seen` of its `minutes` some target was seen."""

    start: datetime
    bad: float
    total: float
    seen: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Day:
    """The share of what was bad in each of its 24 hours; None where nothing was seen or happened.

    `seen`: whether somebody looked; None of an hour that is not over, or that the clocks leave out.
    """

    day: date
    shares: tuple[float | None, ...]
    seen: tuple[bool | None, ...]


def hours_of(measured: Measured) -> tuple[Hour, ...]:
    """Every hour that was measured; none for what has no minutes."""
    minutes = budget_minutes(measured)
    if minutes is None:
        return ()
    count = len(minutes.total)
    stretches = [(first, min(first + HOUR_MINUTES, count)) for first in range(0, count, HOUR_MINUTES)]
    both = minutes.both_in_each(stretches)  # of all hours at once, since it looks at every minute
    return tuple(_hour(minutes, *where, *found) for where, found in zip(stretches, both, strict=True))


def budget_curve(measured: Measured) -> tuple[tuple[datetime, float], ...]:
    """The share of the budget that was left after each hour that was seen; empty without events or a budget.

    By what the whole period has if it goes on like this, as `budget_left` is.
    """
    hours = hours_of(measured)
    allowed = _allowed(measured, fsum(hour.total for hour in hours))
    if not hours or allowed <= 0:
        return ()
    spent = accumulate(hour.bad for hour in hours)
    return (
        (hours[0].start, 1.0),
        *(
            (hour.start + timedelta(minutes=hour.minutes), 1 - bad / allowed)
            for hour, bad in zip(hours, spent, strict=True)
            if hour.seen
        ),
    )


def worst_hours(measured: Measured, most: int = 5) -> tuple[tuple[Hour, float], ...]:
    """The hours with the most that was bad, the worst first, with the share of the budget that each took."""
    hours = hours_of(measured)
    allowed = _allowed(measured, fsum(hour.total for hour in hours))
    bad = sorted(hours, key=lambda hour: (-hour.bad, hour.start))
    return tuple((hour, hour.bad / allowed) for hour in bad[:most] if hour.bad > 0) if allowed > 0 else ()


def spent_between(measured: Measured, start: datetime, end: datetime) -> float | None:
    """The share of the period's budget that was spent in that time; None where that is not known."""
    minutes = budget_minutes(measured)
    allowed = 0.0 if minutes is None else _allowed(measured, add_up(minutes.total))
    if minutes is None or allowed <= 0:
        return None
    begin = minutes.start.timestamp()
    first = max(int((start.timestamp() - begin) // MINUTE), 0)
    last = min(int((end.timestamp() - begin) // MINUTE) + 1, len(minutes.total))
    if first >= last:
        return None
    good, total = minutes.both_in(first, last)
    return max(total - good, 0.0) / allowed


def days(measured: Measured) -> tuple[Day, ...]:
    """The calendar of the period by its zone, for all its days, also those that nobody measured."""
    return tuple(_by_day(measured))


def _allowed(measured: Measured, total: float) -> float:
    """How much may be bad in the whole period, by how much there was in what was measured of it."""
    over = measured.measured.seconds
    return measured.objective.budget * total * measured.span.seconds / over if over else 0.0


def _hour(minutes: Minutes, first: int, end: int, good: float, total: float) -> Hour:
    bad = max(total - good, 0.0)
    start = minutes.start + timedelta(seconds=first * MINUTE)
    return Hour(start, bad, total, minutes.seen_in(first, end), end - first)


def _by_day(measured: Measured) -> Iterator[Day]:
    zone = zone_named(measured.span.zone)
    found: dict[date, list[list[Hour]]] = {day: [[] for _ in range(HOURS)] for day in _dates(measured.span)}
    for hour in hours_of(measured):
        at = hour.start.astimezone(zone)
        if at.date() in found:
            found[at.date()][at.hour].append(hour)
    for day, hours in found.items():
        seen = tuple(any(one.seen for one in each) if each else None for each in hours)
        yield Day(day, tuple(map(_share, hours)), seen)


def _dates(span: Span) -> Iterator[date]:
    zone = zone_named(span.zone)
    day, last = span.start.astimezone(zone).date(), (span.end - timedelta(minutes=1)).astimezone(zone).date()
    while day <= last:
        yield day
        day += timedelta(days=1)


def _share(hours: Sequence[Hour]) -> float | None:
    """What was bad in the hours of one hour of the clock; what counters tell of a gap is of no hour in it."""
    total = fsum(one.total for one in hours if one.seen)
    return fsum(one.bad for one in hours if one.seen) / total if total > 0 else None
