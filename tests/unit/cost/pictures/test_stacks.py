"""Bins of a window add up to it, whatever the step, and nothing that was not measured passes for cheap."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.cost.metering.model import HOUR, Hours
from maestro_cli.cost.pictures.stacks import stacks

FRIDAY = datetime(2026, 10, 30, tzinfo=UTC)


@given(st.integers(0, 200), st.integers(1, 2000), st.integers(1, 4), st.integers(3, 80))
def test_bins_add_up_and_follow_each_other(first: int, count: int, things: int, most: int) -> None:
    hours = Hours(FRIDAY + first * HOUR, count)
    costs = np.random.default_rng(count).normal(1.0, 2.0, (things, count))
    found = stacks(hours, costs, np.ones(count), most)
    for row in range(things):
        assert math.fsum(one.amounts[row] for one in found.bins) == pytest.approx(costs[row].sum())
    assert found.bins[0].start == hours.start
    for one, following in zip(found.bins, found.bins[1:], strict=False):
        assert one.start + one.hours * HOUR == following.start
    assert sum(one.hours for one in found.bins) == count


@pytest.mark.parametrize(
    ("count", "word", "bins"), [(1, "hour", 1), (62, "hour", 62), (63, "day", 3), (62 * 24, "day", 62)]
)
def test_the_shortest_step_that_has_room(count: int, word: str, bins: int) -> None:
    found = stacks(Hours(FRIDAY, count), np.ones((1, count)), np.ones(count))
    assert (found.word, len(found.bins)) == (word, bins)


def test_days_begin_at_midnight_and_weeks_on_monday() -> None:
    count = 100 * 24
    found = stacks(Hours(FRIDAY + 5 * HOUR, count), np.ones((1, count)), np.ones(count))
    assert found.word == "week"
    assert found.bins[0].hours == 3 * 24 - 5
    assert all(one.start.weekday() == 0 and one.start.hour == 0 for one in found.bins[1:])
    days = stacks(Hours(FRIDAY + 5 * HOUR, 70), np.ones((1, 70)), np.ones(70)).bins
    assert [one.hours for one in days] == [19, 24, 24, 3]
    assert days[1].start == FRIDAY + timedelta(days=1)


def test_how_much_of_a_bin_was_measured_is_the_mean_of_its_hours() -> None:
    coverage = np.concatenate([np.zeros(24), np.full(12, 0.5), np.ones(12), np.ones(24)])
    found = stacks(Hours(FRIDAY, 72), np.ones((2, 72)), coverage)
    assert [one.coverage for one in found.bins] == [0.0, 0.75, 1.0]
    assert [one.seen_hours for one in found.bins] == [0, 24, 24]
    assert found.bins[0].total == 48.0


def test_a_window_without_an_hour_has_no_bin() -> None:
    assert stacks(Hours(FRIDAY, 0), np.ones((1, 0)), np.ones(0)).bins == ()
