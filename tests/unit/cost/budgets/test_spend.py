"""What is spent of a month: what was measured, and how much was not."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from maestro_cli.cost.budgets.spend import DaySpend, Month, month_to_date

NOON_OF_THE_THIRD = datetime(2026, 3, 3, 12, tzinfo=UTC)


def test_a_month_is_one_of_utc_with_as_many_days_as_it_has() -> None:
    assert [Month(2024, 2).days, Month(2026, 2).days, Month(2026, 12).days] == [29, 28, 31]
    assert Month(2026, 12).end == datetime(2027, 1, 1, tzinfo=UTC)
    assert Month.of(datetime.fromisoformat("2026-04-01T01:00:00+02:00")) == Month(2026, 3)
    assert str(Month(2026, 3)) == "2026-03"


def test_the_share_that_is_over_stays_within_the_month() -> None:
    month = Month(2026, 4)
    assert month.elapsed(datetime(2026, 4, 16, tzinfo=UTC)) == 0.5
    assert month.elapsed(datetime(2026, 3, 1, tzinfo=UTC)) == 0.0
    assert month.elapsed(datetime(2026, 9, 1, tzinfo=UTC)) == 1.0


def test_days_of_other_months_are_not_in_it() -> None:
    days = [DaySpend(date(2026, 2, 28), 50.0, 1.0), DaySpend(date(2026, 3, 1), 10.0, 1.0)]
    days += [DaySpend(date(2026, 3, 2), 12.0, 1.0), DaySpend(date(2026, 3, 3), 6.0, 1.0, over=0.5)]
    found = month_to_date(days, NOON_OF_THE_THIRD)
    assert found.amount == 28.0
    assert found.coverage == pytest.approx(1.0)
    assert found.unmeasured_days == pytest.approx(0.0)


def test_a_day_that_nobody_measured_lowers_the_coverage_and_is_not_a_day_that_cost_nothing() -> None:
    days = [DaySpend(date(2026, 3, 1), 10.0, 1.0), DaySpend(date(2026, 3, 3), 6.0, 1.0, over=0.5)]
    for missing in ([], [DaySpend(date(2026, 3, 2), None, 0.0)]):
        found = month_to_date([*days, *missing], NOON_OF_THE_THIRD)
        assert found.amount == 16.0
        assert found.coverage == pytest.approx(0.6)
        assert found.unmeasured_days == pytest.approx(1.0)


def test_without_a_day_there_is_no_amount() -> None:
    found = month_to_date([], NOON_OF_THE_THIRD)
    assert (found.amount, found.coverage) == (None, 0.0)


def test_a_day_is_scaled_up_to_a_whole_one_only_where_half_of_it_was_measured_and_it_is_over() -> None:
    assert DaySpend(date(2026, 3, 1), 6.0, 0.75).whole == 8.0
    assert DaySpend(date(2026, 3, 1), 6.0, 0.4).whole is None
    assert DaySpend(date(2026, 3, 1), 6.0, 1.0, over=0.5).whole is None
    assert DaySpend(date(2026, 3, 1), None, 0.0).whole is None
