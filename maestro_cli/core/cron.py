"""When something recurs: five cron fields in a time zone, and the windows that begin then.

Invariant: a window is judged by instants, so that a change of the clocks neither skips nor shortens one: what
would begin in the hour that is left out begins right after it, and what begins in the hour that comes twice
begins both times.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAY = timedelta(days=1)
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """`minute hour day month weekday`; with both days restricted either may match, as in cron(5)."""

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool

    def falls_on(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (in_month or in_week) if self.any_day else (in_month and in_week)


def parse_cron(text: str) -> Cron:
    """Read five fields: `*`, numbers, names (`mon`, `jan`), ranges, lists and steps. Raises ValueError."""
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"{text[:60]!r} has {len(fields)} fields, and cron has five")
    read = [
        _values(field, name, low, high, names)
        for field, (name, low, high, names) in zip(fields, _FIELDS, strict=True)
    ]
    minutes, hours, days, months, weekdays = read
    any_day = not fields[2].startswith("*") and not fields[4].startswith("*")
    if not any_day and min(days) > max(_LONGEST[month - 1] for month in months):
        raise ValueError(f"{text[:60]!r} never comes: none of its months has that day")
    return Cron(
        text=" ".join(fields),
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=days,
        months=months,
        weekdays=frozenset(day % 7 for day in weekdays),
        any_day=any_day,
    )


def began_at(cron: Cron, zone: tzinfo, duration: timedelta, now: datetime) -> datetime | None:
    """The newest start (UTC) whose window of that duration holds `now`, or None; its end is excluded."""
    newest = next(starts_until(cron, zone, now, duration), None)
    return newest if newest is not None and now < newest + duration else None


def next_start(cron: Cron, zone: tzinfo, now: datetime, within: timedelta) -> datetime | None:
    """The first start (UTC) after `now`, or None where there is none in that time."""
    day = now.astimezone(zone).date() - _DAY
    last = (now + within).astimezone(zone).date() + _DAY
    while day <= last:
        found = next((start for start in _starts_on(cron, zone, day) if start > now), None)
        if found is not None:
            return found if found <= now + within else None
        day += _DAY
    return None


def starts_until(cron: Cron, zone: tzinfo, now: datetime, gap: timedelta) -> Iterator[datetime]:
    """Starts (UTC) up to `now`, the newest first, until nothing comes for longer than `gap`."""
    seen = now
    day = now.astimezone(zone).date() + _DAY
    while day >= (seen - gap).astimezone(zone).date() - _DAY:
        for start in reversed(_starts_on(cron, zone, day)):
            if start <= now:
                seen = start
                yield start
        day -= _DAY


def _starts_on(cron: Cron, zone: tzinfo, day: date) -> list[datetime]:
    """In order, by the wall of that zone."""
    if not cron.falls_on(day):
        return []
    walls = (datetime.combine(day, time(hour, minute)) for hour in cron.hours for minute in cron.minutes)
    return sorted(start for wall in walls for start in _instants(wall, zone))


def _instants(local: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    """The instants that a clock on that wall shows this time: two when it is put back, else one."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return (first,) if second <= first else (first, second)


def _values(field: str, name: str, low: int, high: int, names: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step_text = part.partition("/")
        step = _number(step_text, name, 1, high, ()) if slash else 1
        if span == "*":
            first, last = low, high
        else:
            start, dash, end = span.partition("-")
            first = _number(start, name, low, high, names)
            last = _number(end, name, low, high, names) if dash else high if slash else first
        if names is _DAYS and last == 0 < first:
            last = 7  # fri-sun
        if last < first:
            raise ValueError(f"the {name} {span!r} ends before it begins")
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _number(text: str, name: str, low: int, high: int, names: tuple[str, ...]) -> int:
    if text.lower() in names:
        return names.index(text.lower()) + low
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and low <= int(text) <= high):
        raise ValueError(f"{text[:20]!r} is not a {name} from {low} to {high}")
    return int(text)
