"""Spans are of the calendar of a zone, whatever its clocks do, or roll."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from maestro_cli.slo.measuring.exclusion import kept_minutes
from maestro_cli.slo.measuring.model import Excluded
from maestro_cli.slo.measuring.window import Unit, calendar_span, days_of, month_span, previous_span, rolling


@pytest.mark.parametrize(
    ("month", "zone", "hours"),
    [
        ("2026-10", "Europe/Berlin", 31 * 24 + 1),
        ("2026-03", "Europe/Berlin", 31 * 24 - 1),
        ("2026-02", "Europe/Berlin", 28 * 24),
        ("2028-02", "UTC", 29 * 24),
        ("2026-11", "America/New_York", 30 * 24 + 1),
        ("2026-10", "Australia/Lord_Howe", 31 * 24 - 0.5),
    ],
)
def test_a_month_has_the_hours_that_its_zone_gives_it(month: str, zone: str, hours: float) -> None:
    assert month_span(month, zone).seconds == hours * 3600


def test_a_month_begins_at_midnight_of_its_zone() -> None:
    found = month_span("2026-10", "Europe/Berlin")
    assert found.start == datetime(2026, 9, 30, 22, tzinfo=UTC)
    assert found.end == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert str(found) == "2026-10-01 00:00 to 2026-11-01 00:00 Europe/Berlin"


@pytest.mark.parametrize(
    ("unit", "label", "days"),
    [("week", "2026-W48", 7), ("month", "2026-11", 30), ("quarter", "2026-Q4", 92), ("year", "2026", 365)],
)
def test_an_instant_is_in_one_period_of_the_calendar(unit: Unit, label: str, days: int) -> None:
    at = datetime(2026, 11, 26, 16, tzinfo=UTC)
    found = calendar_span(at, unit, "Europe/Berlin")
    assert found.start <= at < found.end
    assert found.label == label
    assert round(found.seconds / 86400) == days
    before = previous_span(found, unit)
    assert before.end == found.start


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "october", "2026-10-01", ""])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a month such as 2026-10"):
        month_span(text, "UTC")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", ""])
def test_what_is_no_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="is not a time zone"):
        month_span("2026-10", zone)


def test_a_rolling_window_ends_with_the_last_whole_minute() -> None:
    found = rolling(datetime(2026, 11, 26, 16, 4, 59, tzinfo=UTC), 7 * 86400)
    assert found.end == datetime(2026, 11, 26, 16, 4, tzinfo=UTC)
    assert (found.seconds, found.label) == (7 * 86400, "7d")
    assert previous_span(found, None).end == found.start


def test_the_days_of_a_span_are_all_of_it() -> None:
    found = month_span("2026-10", "Europe/Berlin")
    days = list(days_of(found))
    assert len(days) == 31
    assert sum((end - start).total_seconds() for _, start, end in days) == found.seconds
    assert max((end - start) for _, start, end in days) == timedelta(hours=25)


def test_a_minute_of_which_a_part_is_excluded_does_not_count() -> None:
    found = month_span("2026-10", "UTC")
    out = Excluded(found.start + timedelta(seconds=90), found.start + timedelta(seconds=190))
    before = Excluded(found.start - timedelta(hours=3), found.start + timedelta(seconds=1))
    kept = kept_minutes(found, [out, before])
    assert kept[:5] == bytes([0, 0, 0, 0, 1])
    assert kept.count(0) == 4
    assert len(kept) == 31 * 1440
