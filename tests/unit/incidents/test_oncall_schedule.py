"""Who is on call: turns, hours, overrides, and clocks that change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from maestro_cli.incidents.people.schedule import (
    Hours,
    Layer,
    Override,
    Schedule,
    first_instant,
    gaps,
    shifts,
    who_is_on_call,
)

BERLIN = ZoneInfo("Europe/Berlin")
# Clocks that change at 2:00, 1:00 and midnight, by an hour or a half, in either half of the year, or never.
ZONES = ("Europe/Berlin", "America/New_York", "Europe/London", "America/Santiago", "Australia/Lord_Howe",
         "Africa/Casablanca", "Asia/Kolkata", "UTC")  # fmt: skip
EVERY_DAY = frozenset(range(7))
WORKDAYS = frozenset(range(5))


def weekly(*people: str, start: datetime = datetime(2026, 3, 2, 9), **more: object) -> Schedule:
    layer = Layer(people, start, timedelta(days=7))
    return Schedule("primary", BERLIN, (layer,), **more)  # type: ignore[arg-type]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("wall", "instant"),
    [
        ("2026-03-29 01:59", "2026-03-29T00:59Z"),
        ("2026-03-29 02:00", "2026-03-29T01:00Z"),  # the hour that is left out
        ("2026-03-29 02:30", "2026-03-29T01:00Z"),
        ("2026-03-29 03:00", "2026-03-29T01:00Z"),
        ("2026-10-25 02:30", "2026-10-25T00:30Z"),  # the hour that comes twice: its first coming
        ("2026-10-25 03:00", "2026-10-25T02:00Z"),
    ],
)
def test_a_time_on_the_wall_is_the_first_instant_that_shows_it(wall: str, instant: str) -> None:
    assert first_instant(datetime.fromisoformat(wall), BERLIN) == at(instant)


def test_a_week_begins_at_the_same_time_on_the_wall_in_summer_and_winter() -> None:
    found = shifts(weekly("ana", "ben"), at("2026-03-23T08:00Z"), at("2026-04-06T08:00Z"))
    assert [(one.person, one.begin.isoformat()) for one in found] == [
        ("ben", "2026-03-23T08:00:00+00:00"),
        ("ana", "2026-03-30T07:00:00+00:00"),
        ("ben", "2026-04-06T07:00:00+00:00"),
    ]


def test_before_the_first_turn_nobody_is_on_call() -> None:
    assert who_is_on_call(weekly("ana"), at("2026-03-02T07:59:59Z")) == ("", "nobody's turn")
    assert who_is_on_call(weekly("ana"), at("2026-03-02T08:00Z")) == ("ana", "layer 1")


def test_a_later_layer_stands_before_an_earlier_one_in_its_hours() -> None:
    day = Hours(WORKDAYS, time(9), time(17))
    start = datetime(2026, 1, 5, 9)
    office = Layer(("chi", "dan"), start, timedelta(days=1), (day,))
    both = Schedule("s", BERLIN, (Layer(("ana",), start, timedelta(days=7)), office))
    assert who_is_on_call(both, at("2026-01-05T08:00Z")) == ("chi", "layer 2")
    assert who_is_on_call(both, at("2026-01-06T15:59Z")) == ("dan", "layer 2")
    assert who_is_on_call(both, at("2026-01-06T16:00Z")) == ("ana", "layer 1")  # 17:00, the end excluded
    assert who_is_on_call(both, at("2026-01-10T10:00Z")) == ("ana", "layer 1")  # a Saturday


def test_hours_over_midnight_are_of_the_day_on_which_they_begin() -> None:
    night = Hours(frozenset({4}), time(22), time(6))  # Friday
    alone = Schedule("s", BERLIN, (Layer(("ana",), datetime(2026, 1, 1), timedelta(days=7), (night,)),))
    found = shifts(alone, at("2026-01-05T00:00Z"), at("2026-01-12T00:00Z"))
    (duty,) = [one for one in found if one.person]
    assert (duty.begin, duty.end) == (at("2026-01-09T21:00Z"), at("2026-01-10T05:00Z"))
    assert len(gaps(found)) == 2


def test_an_override_stands_before_all_until_it_ends_and_of_two_the_later() -> None:
    holiday = Override("chi", at("2026-03-03T08:00Z"), at("2026-03-05T08:00Z"), "swap")
    sick = Override("dan", at("2026-03-04T08:00Z"), at("2026-03-05T08:00Z"))
    swapped = weekly("ana", overrides=(holiday, sick))
    found = shifts(swapped, at("2026-03-02T08:00Z"), at("2026-03-06T08:00Z"))
    assert [(one.person, one.why) for one in found] == [
        ("ana", "layer 1"),
        ("chi", "override: swap"),
        ("dan", "override"),
        ("ana", "layer 1"),
    ]


@some.composite
def schedules(draw: some.DrawFn) -> Schedule:
    zone = ZoneInfo(draw(some.sampled_from(ZONES)))
    minutes = some.integers(0, 24 * 60 - 1).map(lambda n: time(n // 60, n % 60))
    hours = some.builds(Hours, some.frozensets(some.integers(0, 6), min_size=1), minutes, minutes)
    layers = some.builds(
        Layer,
        some.lists(some.sampled_from(["ana", "ben", "chi"]), min_size=1, max_size=3).map(tuple),
        some.datetimes(datetime(2024, 1, 1), datetime(2026, 12, 31)).map(lambda d: d.replace(microsecond=0)),
        some.sampled_from([1, 2, 8, 12, 24, 36, 168]).map(lambda n: timedelta(hours=n)),
        some.lists(hours, max_size=2).map(tuple),
    )
    return Schedule("s", zone, tuple(draw(some.lists(layers, min_size=1, max_size=3))))


INSTANTS = some.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 1)).map(
    lambda found: found.replace(tzinfo=UTC, microsecond=0)
)


@settings(max_examples=60, deadline=None)
@given(schedules(), INSTANTS, some.integers(1, 240), some.floats(0, 0.999999))
def test_shifts_follow_each_other_and_say_what_is_asked_at_any_instant(
    schedule: Schedule, begin: datetime, hours: int, share: float
) -> None:
    end = begin + timedelta(hours=hours)
    found = shifts(schedule, begin, end)
    assert (found[0].begin, found[-1].end) == (begin, end)
    assert all(one.end == other.begin for one, other in pairwise(found))
    assert all((one.person, one.why) != (other.person, other.why) for one, other in pairwise(found))
    asked = begin + share * (end - begin)
    (holding,) = [one for one in found if one.begin <= asked < one.end]
    assert (holding.person, holding.why) == who_is_on_call(schedule, asked)


@settings(max_examples=100, deadline=None)
@given(some.sampled_from(ZONES), some.integers(0, 24 * 60 - 1), some.sampled_from([1, 7, 14]), INSTANTS)
def test_turns_of_whole_days_begin_at_their_time_on_the_wall_or_right_after_what_is_left_out(
    name: str, minute: int, days: int, when: datetime
) -> None:
    zone = ZoneInfo(name)
    layer = Layer(("ana", "ben"), datetime(2026, 1, 1, minute // 60, minute % 60), timedelta(days=days))
    turn = layer.turn(when, zone)
    assert turn is None or layer.boundary(turn, zone) <= when < layer.boundary(turn + 1, zone)
    begins = layer.boundary(0 if turn is None else turn, zone)
    wall = begins.astimezone(zone)
    just_before = (begins - timedelta(seconds=1)).astimezone(zone)
    is_left_out = wall.utcoffset() != just_before.utcoffset()
    assert wall.time() == layer.start.time() or is_left_out


@settings(max_examples=200, deadline=None)
@given(
    some.sampled_from(ZONES),
    some.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
    some.integers(0, 180),
)
def test_a_later_time_on_the_wall_is_never_an_earlier_instant(
    name: str, wall: datetime, minutes: int
) -> None:
    zone, wall = ZoneInfo(name), wall.replace(second=0, microsecond=0)
    assert first_instant(wall, zone) <= first_instant(wall + timedelta(minutes=minutes), zone)
