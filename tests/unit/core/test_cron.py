"""Five fields in a time zone; windows neither vanish nor shrink when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_cli.core.cron import began_at, parse_cron

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "minutes", "hours"),
    [
        ("0 16 * * *", (0,), (16,)),
        ("*/20 8-10 * * *", (0, 20, 40), (8, 9, 10)),
        ("5,10-12 */12 * * *", (5, 10, 11, 12), (0, 12)),
        ("50/5 0 * * *", (50, 55), (0,)),
        ("10-20/5 0 * * *", (10, 15, 20), (0,)),
    ],
)
def test_fields_are_read_as_cron_reads_them(
    cron: str, minutes: tuple[int, ...], hours: tuple[int, ...]
) -> None:
    read = parse_cron(cron)
    assert (read.minutes, read.hours) == (minutes, hours)


@pytest.mark.parametrize(
    ("cron", "days"),
    [
        ("0 0 * * fri", [4, 11, 18, 25]),
        ("0 0 * * 7", [6, 13, 20, 27]),  # Sunday has two numbers
        ("0 0 * * SAT-sun", [5, 6, 12, 13, 19, 20, 26, 27]),
        ("0 0 1,15 dec *", [1, 15]),
        ("0 0 1 * fri", [1, 4, 11, 18, 25]),  # both days restricted: either will do
        ("0 0 */10 * tue", [1]),  # a star restricts nothing: both must match
        ("0 0 * jan *", []),
    ],
)
def test_days_are_found_as_cron_finds_them(cron: str, days: list[int]) -> None:
    read = parse_cron(cron)
    assert [day for day in range(1, 32) if read.falls_on(datetime(2026, 12, day).date())] == days


@pytest.mark.parametrize(
    ("cron", "what"),
    [
        ("0 16 * *", "has 4 fields"),
        ("60 * * * *", "'60' is not a minute from 0 to 59"),
        ("0 0 0 * *", "'0' is not a day of the month from 1 to 31"),
        ("0 0 * foo *", "'foo' is not a month"),
        ("0 9-8 * * *", "the hour '9-8' ends before it begins"),
        ("*/0 * * * *", "'0' is not a minute from 1 to 59"),
        ("-1 * * * *", "is not a minute"),
        ("1,, * * * *", "is not a minute"),
        ("٣ * * * *", "is not a minute"),
    ],
)
def test_what_is_no_cron_says_which_field(cron: str, what: str) -> None:
    with pytest.raises(ValueError, match=what.replace("*", r"\*")):
        parse_cron(cron)


@pytest.mark.parametrize(
    ("now", "holds"),
    [
        ("2026-11-27T14:59", False),
        ("2026-11-27T15:00", True),  # 16:00 in Berlin
        ("2026-11-30T06:59", True),
        ("2026-11-30T07:00", False),  # the end is excluded
    ],
)
def test_a_weekend_from_its_first_minute_to_its_last(now: str, holds: bool) -> None:
    begun = began_at(parse_cron("0 16 * * fri"), BERLIN, 64 * HOUR, at(now))
    assert begun == (at("2026-11-27T15:00") if holds else None)


def test_what_begins_in_the_hour_that_is_left_out_begins_after_it() -> None:
    """29 March 2026, 02:00 to 03:00 does not exist in Berlin."""
    cron = parse_cron("30 2 * * *")
    assert began_at(cron, BERLIN, HOUR, at("2026-03-29T01:29")) is None
    assert began_at(cron, BERLIN, HOUR, at("2026-03-29T01:30")) == at("2026-03-29T01:30")


def test_what_begins_in_the_hour_that_comes_twice_begins_both_times() -> None:
    """25 October 2026, 02:00 to 03:00 comes twice in Berlin."""
    cron = parse_cron("30 2 * * *")
    held = [
        minute
        for minute in range(240)
        if began_at(cron, BERLIN, 30 * MINUTE, at("2026-10-25T00:00") + minute * MINUTE)
    ]
    assert held == [*range(30, 60), *range(90, 120)]


crons = st.builds(
    "{} {} {} {} {}".format,
    st.sampled_from(["0", "30", "*/15", "5,50"]),
    st.sampled_from(["*", "0", "2", "3", "1-3", "16", "23"]),
    st.sampled_from(["*", "*", "25", "29", "1-7"]),
    st.sampled_from(["*", "3", "10", "mar-apr"]),
    st.sampled_from(["*", "sun", "5", "sat-sun"]),
)
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
# Around the days on which one of these zones changes its clocks, and any other.
moments = st.builds(
    lambda day, minute: at(day) + minute * MINUTE,
    st.sampled_from(["2026-03-07", "2026-03-28", "2026-04-04", "2026-10-03", "2026-10-24", "2026-10-31"]),
    st.integers(0, 3 * 1440),
)


def starts_by_the_minute(cron_text: str, zone: ZoneInfo, duration: timedelta, now: datetime) -> bool:
    """The rule itself: some minute within the duration, on the wall's clock, is one of the cron's."""
    cron = parse_cron(cron_text)
    ago = timedelta()
    while ago < duration:
        wall = (now - ago).astimezone(zone)
        if wall.minute in cron.minutes and wall.hour in cron.hours and cron.falls_on(wall.date()):
            return True
        ago += MINUTE
    return False


@settings(max_examples=150, deadline=None)
@given(crons, zones, st.sampled_from([1, 45, 60, 600, 1500]), moments)
def test_a_window_holds_whenever_a_clock_on_the_wall_says_so(
    text: str, zone_name: str, minutes: int, now: datetime
) -> None:
    zone, duration = ZoneInfo(zone_name), minutes * MINUTE
    begun = began_at(parse_cron(text), zone, duration, now)
    by_the_wall = starts_by_the_minute(text, zone, duration, now)
    if by_the_wall:
        assert begun is not None
    if begun is not None:
        assert begun <= now < begun + duration
        if not by_the_wall:  # it began in the hour that was left out: the clocks went forward just before
            gap = begun.astimezone(zone).utcoffset() != (begun - HOUR).astimezone(zone).utcoffset()
            assert gap
