"""The stretch of time that is measured: rolling, or a calendar week, month, quarter or year in a zone.

Invariant: a span is half open, in UTC, and begins and ends on a whole minute; a calendar period begins and
ends at midnight of its zone, so that a month with a change of clocks is an hour shorter or longer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from maestro_cli.core.quantities import prometheus_duration

MINUTE = 60
STEP_SECONDS = 300  # of queries over a range: rates need two samples, and scrapes come once a minute at worst
Unit = Literal["week", "month", "quarter", "year"]
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_FIRST_YEAR = 1970  # of the clock of Prometheus
_QUARTER_MONTHS, _YEAR_MONTHS = 3, 12


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to before `end`; `zone` is what both are printed in, `label` what people call it."""

    start: datetime
    end: datetime
    zone: str = "UTC"
    label: str = ""

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()

    @property
    def minutes(self) -> int:
        return round(self.seconds) // MINUTE

    def until(self, now: datetime) -> Span:
        """The part of it that is over, to a whole minute; empty for a span of the future."""
        end = min(self.end, max(whole_minute(now), self.start))
        return Span(self.start, end, self.zone, self.label)

    def __str__(self) -> str:
        zone = zone_named(self.zone)
        start, end = (at.astimezone(zone) for at in (self.start, self.end))
        return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} {self.zone}"


def zone_named(name: str) -> ZoneInfo:
    """Raises ValueError for what is no IANA zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name[:60]!r} is not a time zone such as Europe/Berlin or UTC") from error


def whole_minute(at: datetime) -> datetime:
    """The minute that is over at that instant."""
    return at.astimezone(UTC).replace(second=0, microsecond=0)


def minute_end(at: datetime) -> datetime:
    """When the minute is over that the instant is in, or the instant itself where one just is."""
    start = whole_minute(at)
    return start if start == at else start + timedelta(seconds=MINUTE)


def rolling(at: datetime, seconds: float, zone: str = "UTC") -> Span:
    """The window that ends with the last whole minute; as many whole minutes as fit, and one at least."""
    end = whole_minute(at)
    minutes = max(int(seconds // MINUTE), 1)
    return Span(end - timedelta(minutes=minutes), end, zone, prometheus_duration(minutes * MINUTE))


def calendar_span(at: datetime, unit: Unit, zone: str) -> Span:
    """The period of the calendar that the instant is in; weeks begin on Monday. Raises ValueError."""
    place = zone_named(zone)
    first, following = _bounds(at.astimezone(place).date(), unit)
    return Span(_midnight(first, place), _midnight(following, place), zone, _label(first, unit))


def month_span(text: str, zone: str) -> Span:
    """The month written as `2026-10`, in a zone. Raises ValueError."""
    match = _MONTH.fullmatch(text.strip())
    if match is None or not 1 <= int(match[2]) <= 12 or not _FIRST_YEAR <= int(match[1]) < 9999:
        raise ValueError(f"{text[:60]!r} is not a month such as 2026-10")
    first = date(int(match[1]), int(match[2]), 1)
    place = zone_named(zone)
    return Span(_midnight(first, place), _midnight(_months_later(first, 1), place), zone, text.strip())


def in_zone(span: Span, unit: Unit | None, zone: str) -> Span:
    """The period of the calendar of that zone with the same label; without a unit the same stretch of time.

    Its middle is in it: no zone is as far from another as half a week. Raises ValueError.
    """
    if unit is None or zone == span.zone:
        return span
    return calendar_span(span.start + (span.end - span.start) / 2, unit, zone)


def previous_span(span: Span, unit: Unit | None) -> Span:
    """The period before: of the calendar, or as long a time."""
    if unit is not None:
        return calendar_span(span.start - timedelta(minutes=1), unit, span.zone)
    return Span(span.start - (span.end - span.start), span.start, span.zone, span.label)


@lru_cache(maxsize=8)  # many objectives are measured over one span
def days_of(span: Span) -> tuple[tuple[date, datetime, datetime], ...]:
    """Each day of its zone with the part of it that is in the span, in UTC."""
    place, found = zone_named(span.zone), []
    day = span.start.astimezone(place).date()
    start = _midnight(day, place)
    while start < span.end:
        day += timedelta(days=1)
        end = _midnight(day, place)
        found.append((day - timedelta(days=1), max(start, span.start), min(end, span.end)))
        start = end
    return tuple(found)


def _bounds(day: date, unit: Unit) -> tuple[date, date]:
    if unit == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    months = {"month": 1, "quarter": _QUARTER_MONTHS, "year": _YEAR_MONTHS}[unit]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    return first, _months_later(first, months)


def _months_later(first: date, months: int) -> date:
    index = first.year * 12 + first.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def _midnight(day: date, place: ZoneInfo) -> datetime:
    """When the day begins there; a midnight that a change of clocks leaves out is the minute after it."""
    return datetime(day.year, day.month, day.day, tzinfo=place).astimezone(UTC)


def _label(first: date, unit: Unit) -> str:
    if unit == "week":
        year, week, _ = first.isocalendar()
        return f"{year}-W{week:02d}"
    if unit == "month":
        return f"{first:%Y-%m}"
    return f"{first.year}-Q{(first.month - 1) // 3 + 1}" if unit == "quarter" else f"{first.year}"
