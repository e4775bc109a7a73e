"""How often something comes again, in a subset of RFC 5545: FREQ, INTERVAL, BYDAY, COUNT and UNTIL.

Invariant: times are times on the wall of a zone, so that what begins at two in the night does so all year.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count, takewhile
from typing import Literal
from zoneinfo import ZoneInfo

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_KNOWN = ("FREQ", "INTERVAL", "BYDAY", "COUNT", "UNTIL")
_DAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"(\d{8})(T\d{6}Z)?")
_MOST = 1000  # of INTERVAL and COUNT
_LAST = date(9000, 1, 1)  # what comes again for ever does so until here
_Day = tuple[int, int]  # which one of the month (0: each), and the day of the week, Monday being 0


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Every `interval` days, weeks or months; `days` as far as they are told; at most `count`, not after
    `until`, which is an instant, or a day of the zone that is still in it.
    """

    frequency: Literal["DAILY", "WEEKLY", "MONTHLY"]
    interval: int = 1
    days: tuple[_Day, ...] = ()
    count: int | None = None
    until: datetime | date | None = None

    def starts(self, first: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """The times on the wall at which it begins, without end where it has none; `first` is the first."""
        days = takewhile(lambda day: day < _LAST, self._days(first.date()))
        times = (datetime.combine(day, first.time()) for day in days)
        for number, at in enumerate(times):
            if (self.count is not None and number >= self.count) or self._is_over(at, zone):
                return
            yield at

    def begins_with(self, day: date) -> bool:
        """Whether that day is one of its own."""
        if self.frequency == "MONTHLY":
            return day in self._of_month(day.year, day.month, day)
        return not self.days or day.weekday() in {weekday for _, weekday in self.days}

    def _is_over(self, at: datetime, zone: ZoneInfo) -> bool:
        if isinstance(self.until, datetime):
            return instant(at, zone) > self.until
        return self.until is not None and at.date() > self.until

    def _days(self, first: date) -> Iterator[date]:
        if self.frequency == "DAILY":
            wanted = {day for _, day in self.days}
            for number in count():
                day = first + timedelta(days=number * self.interval)
                if not wanted or day.weekday() in wanted:
                    yield day
        elif self.frequency == "WEEKLY":
            wanted = {day for _, day in self.days} or {first.weekday()}
            monday = first - timedelta(days=first.weekday())
            for number in count():
                week = monday + timedelta(weeks=number * self.interval)
                yield from (day for one in sorted(wanted) if (day := week + timedelta(days=one)) >= first)
        else:
            for number in count():
                index = first.year * 12 + first.month - 1 + number * self.interval
                if index // 12 >= _LAST.year:
                    return
                yield from self._of_month(index // 12, index % 12 + 1, first)

    def _of_month(self, year: int, month: int, first: date) -> Iterator[date]:
        begin = date(year, month, 1)
        days = [begin + timedelta(days=one) for one in range(31)]
        days = [day for day in days if day.month == month]
        if not self.days:
            yield from (day for day in days if day.day == first.day)
            return
        found = set()
        for which, weekday in self.days:
            fitting = [day for day in days if day.weekday() == weekday]
            if which == 0:
                found |= set(fitting)
            elif abs(which) <= len(fitting):
                found.add(fitting[which - 1 if which > 0 else which])
        yield from (day for day in sorted(found) if day >= first)


def instant(at: datetime, zone: ZoneInfo) -> datetime:
    """A time on the wall in UTC: of two the first, of one that is left out by the clocks the one after it."""
    return at.replace(tzinfo=zone).astimezone(UTC)


def parse_rrule(text: str) -> Recurrence:
    """`FREQ=WEEKLY;BYDAY=SU;COUNT=10`; raises ValueError with what of it is not known."""
    pairs = [part.partition("=") for part in text.removeprefix("RRULE:").split(";")]
    given = {name: value for name, _, value in pairs}
    unknown = [name for name in given if name not in _KNOWN]
    if unknown or len(given) != len(pairs):
        raise ValueError(f"{(unknown or ['it'])[0][:20]!r} is not understood: there are {', '.join(_KNOWN)}")
    frequency = given.get("FREQ", "")
    if frequency not in ("DAILY", "WEEKLY", "MONTHLY"):
        raise ValueError(f"FREQ is DAILY, WEEKLY or MONTHLY, not {frequency[:20]!r}")
    if "COUNT" in given and "UNTIL" in given:
        raise ValueError("COUNT and UNTIL exclude each other")
    return Recurrence(
        frequency,  # type: ignore[arg-type]
        _number("INTERVAL", given.get("INTERVAL", "1")),
        tuple(_day(one, frequency) for one in given["BYDAY"].split(",")) if "BYDAY" in given else (),
        _number("COUNT", given["COUNT"]) if "COUNT" in given else None,
        _until(given["UNTIL"]) if "UNTIL" in given else None,
    )


def _number(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= _MOST or len(text) > 4:
        raise ValueError(f"{name} is a number from 1 to {_MOST}, not {text[:20]!r}")
    return int(text)


def _day(text: str, frequency: str) -> _Day:
    match = _DAY.fullmatch(text)
    if match is None or (match[1] and frequency != "MONTHLY"):
        fix = "1SU to -1SU" if frequency == "MONTHLY" else "MO to SU"
        raise ValueError(f"BYDAY has {text[:20]!r}, and takes {fix}")
    return int(match[1] or 0), _DAYS.index(match[2])


def _until(text: str) -> datetime | date:
    match = _UNTIL.fullmatch(text)
    try:
        if match is not None and match[2]:
            return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if match is not None:
            return datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        pass
    raise ValueError(f"UNTIL is 20261231 or 20261231T220000Z, not {text[:20]!r}")
