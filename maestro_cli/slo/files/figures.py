"""Targets and periods as people write them.

Invariant: a percentage is never taken for a ratio, nor a ratio for a percentage; figures are those of the
text, since 0.999 is no sum of binary fractions.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Literal
from zoneinfo import ZoneInfo

from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.slo.files.found import Place
from maestro_cli.slo.objectives import LONGEST_WINDOW_SECONDS, Calendar

DAY_SECONDS = 86400.0
DEFAULT_WINDOW_SECONDS = 30 * DAY_SECONDS
_SHORT = re.compile(r"([1-9][0-9]{0,5})([MQY])")
_LONG_DAYS = {"M": 30, "Q": 90, "Y": 365}
_Unit = Literal["week", "month", "quarter", "year"]
_CALENDARS: dict[str, _Unit] = {
    "1w": "week", "7d": "week", "1M": "month", "1Q": "quarter", "3M": "quarter", "1Y": "year", "12M": "year",
    "4Q": "year",
}  # fmt: skip
_CALENDAR_DAYS = {"week": 7, "month": 30, "quarter": 90, "year": 365}
_START = "%Y-%m-%d %H:%M:%S"


def ratio(place: Place, value: float) -> float:
    """A target from 0 to 1, both excluded; raises InvalidFile."""
    exact = _decimal(place, value)
    if 1 < exact < 100:
        fix = f"write {exact / 100:f}, or targetPercent: {exact:f}"
        raise place.fail("the target is a ratio above 0 and below 1", why="this is a percentage", fix=fix)
    if not 0 < exact < 1:
        why = "nothing could ever be bad" if exact == 1 else ""
        raise place.fail("the target is a ratio above 0 and below 1", why=why, fix="write 0.999 for 99.9 %")
    return float(exact)


def percent(place: Place, value: float | str, *, otherwise: str = "") -> float:
    """A target above 1 and below 100, as a ratio; raises InvalidFile. `otherwise` is a key for ratios."""
    exact = _decimal(place, value)
    if 0 < exact <= 1:
        fix = f"write {(exact * 100).normalize():f}" + (f", or {otherwise}: {exact:f}" if otherwise else "")
        raise place.fail(
            "the target is a percentage above 1 and below 100", why="this looks like a ratio", fix=fix
        )
    if not 1 < exact < 100:
        why = "nothing could ever be bad" if exact == 100 else ""
        raise place.fail("the target is a percentage above 1 and below 100", why=why, fix="write 99.9")
    return float(exact / 100)


def seconds(place: Place, text: str) -> float:
    """How long a duration is: m, h, d, w; M is 30 days, Q 90, Y 365; five years at most.

    Raises InvalidFile.
    """
    short = _SHORT.fullmatch(text.strip())
    if short is not None:
        return _bounded(place, int(short[1]) * _LONG_DAYS[short[2]] * DAY_SECONDS)
    try:
        found = parse_duration_seconds(text)
    except ValueError as error:
        raise place.fail(str(error), fix="write 30d, 4w, 1M, 1Q or 1Y") from error
    if found <= 0:
        raise place.fail("must be longer than nothing", fix="30d")
    return _bounded(place, found)


def _bounded(place: Place, found: float) -> float:
    if found > LONGEST_WINDOW_SECONDS:
        raise place.fail("is longer than five years", why="every minute of it is measured", fix="30d")
    return found


def calendar(place: Place, duration: str, start: str, zone: str) -> tuple[Calendar, float]:
    """A calendar window, and its usual length; raises InvalidFile. `place` is that of the window."""
    unit = _CALENDARS.get(duration.strip())
    if unit is None:
        fix = "write 1w, 1M (a month; 1m is a minute), 1Q or 1Y, or take a rolling window"
        raise place.at("duration").fail("is no calendar window", fix=fix)
    key = zone_at(place.at("calendar", "timeZone"), zone).key
    return Calendar(unit, key, _day(place, start)), _CALENDAR_DAYS[unit] * DAY_SECONDS


def zone_at(place: Place, name: str) -> ZoneInfo:
    """An IANA zone; raises InvalidFile."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise place.fail("is not a time zone", fix="name one such as Europe/Zurich") from error


def _day(place: Place, start: str) -> date:
    """The day of `2020-01-21 12:30:00`, or of an ISO date."""
    try:
        return datetime.strptime(start, _START).date()
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(start).date()
    except ValueError as error:
        at = place.at("calendar", "startTime")
        raise at.fail("is not a time", fix='write it as "2026-01-01 00:00:00"') from error


def _decimal(place: Place, value: float | str) -> Decimal:
    try:
        found = Decimal(str(value))
    except InvalidOperation as error:
        raise place.fail("is not a number", fix="write 99.9") from error
    if not found.is_finite():
        raise place.fail("is not a number", fix="write 99.9")
    return found
