"""Who is on call at an instant, by rotations of people and exceptions to them.

Invariant: pure; hand-overs are at the same time on the wall of the schedule's zone, also when the clocks
change. A time that comes twice is its first coming; one that is left out is the instant at which it is left
out. So shifts follow each other without gap or overlap, whatever the clocks do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_WEEK = 8  # days in which hours that recur each week begin or end at least once


@dataclass(frozen=True, slots=True)
class Hours:
    """From one time on the wall to another, on days of the week (Monday is 0); over midnight if it ends
    before it begins, and then it is the day on which it begins."""

    days: frozenset[int]
    begin: time
    end: time

    def window(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
        """The instants of that day's, the end excluded; None where it has none."""
        if day.weekday() not in self.days:
            return None
        last = day if self.end > self.begin else day + _DAY
        begin = first_instant(datetime.combine(day, self.begin), zone)
        return begin, first_instant(datetime.combine(last, self.end), zone)


@dataclass(frozen=True, slots=True)
class Layer:
    """People who take turns of length `handoff` from `start` on, a time on the wall; within `hours` if there
    are any."""

    people: tuple[str, ...]
    start: datetime
    handoff: timedelta
    hours: tuple[Hours, ...] = ()

    def boundary(self, number: int, zone: ZoneInfo) -> datetime:
        """When that turn begins, the first being 0."""
        return first_instant(self.start + number * self.handoff, zone)

    def turn(self, at: datetime, zone: ZoneInfo) -> int | None:
        """Which turn an instant is in; None before the first."""
        number = (at.astimezone(zone).replace(tzinfo=None) - self.start) // self.handoff
        while self.boundary(number + 1, zone) <= at:
            number += 1
        while number >= 0 and self.boundary(number, zone) > at:
            number -= 1
        return number if number >= 0 else None

    def holds(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether it is one of its hours."""
        day = at.astimezone(zone).date()
        windows = (hours.window(day - n * _DAY, zone) for hours in self.hours for n in (-1, 0, 1))
        return not self.hours or any(one is not None and one[0] <= at < one[1] for one in windows)

    def edges(self, at: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """Instants after `at` at which it may change."""
        turn = self.turn(at, zone)
        yield self.boundary(0 if turn is None else turn + 1, zone)
        day = at.astimezone(zone).date()
        for hours in self.hours:
            for number in range(-1, _WEEK + 1):
                yield from (hours.window(day + number * _DAY, zone) or ())


@dataclass(frozen=True, slots=True)
class Override:
    """Instead of whoever's turn it is, from one instant to another (excluded)."""

    person: str
    begin: datetime
    end: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A later layer stands before an earlier one, and an override before all; of two, the later in the file.

    `pagerduty` is the id of a schedule that is kept there instead.
    """

    name: str
    zone: ZoneInfo
    layers: tuple[Layer, ...] = ()
    overrides: tuple[Override, ...] = ()
    pagerduty: str = ""


@dataclass(frozen=True, slots=True)
class Shift:
    """Who is on call from one instant to another (excluded); nobody where `person` is empty."""

    schedule: str
    person: str
    begin: datetime
    end: datetime
    why: str


@lru_cache(maxsize=4096)
def first_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) at which a clock on that wall shows this time or a later one."""
    earlier, later = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if earlier <= later:
        return earlier  # it comes once, or twice
    low, high = later, earlier  # it is left out between them
    offset = high.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return high.replace(microsecond=0) if high.microsecond else high


def who_is_on_call(schedule: Schedule, at: datetime) -> tuple[str, str]:
    """The person and why: an override, or which layer's turn it is; empty names where it is nobody's."""
    for override in reversed(schedule.overrides):
        if override.begin <= at < override.end:
            return override.person, "override" + (f": {override.reason}" if override.reason else "")
    for number, layer in reversed(list(enumerate(schedule.layers, start=1))):
        turn = layer.turn(at, schedule.zone)
        if turn is not None and layer.holds(at, schedule.zone):
            return layer.people[turn % len(layer.people)], f"layer {number}"
    return "", "nobody's turn"


def shifts(schedule: Schedule, begin: datetime, end: datetime) -> tuple[Shift, ...]:
    """Who is on call from `begin` to `end`, without gap or overlap; neighbours differ."""
    found: list[Shift] = []
    at = begin
    while at < end:
        until = min(_next_edge(schedule, at, end), end)
        person, why = who_is_on_call(schedule, at)
        last = found[-1] if found else None
        if last is not None and (last.person, last.why) == (person, why):
            found[-1] = Shift(schedule.name, person, last.begin, until, why)
        else:
            found.append(Shift(schedule.name, person, at, until, why))
        at = until
    return tuple(found)


def _next_edge(schedule: Schedule, at: datetime, end: datetime) -> datetime:
    edges = [one for layer in schedule.layers for one in layer.edges(at, schedule.zone)]
    edges += [edge for override in schedule.overrides for edge in (override.begin, override.end)]
    return min((edge for edge in edges if edge > at), default=end)


def gaps(found: Sequence[Shift]) -> tuple[Shift, ...]:
    """The times in which nobody is on call."""
    return tuple(shift for shift in found if not shift.person)
