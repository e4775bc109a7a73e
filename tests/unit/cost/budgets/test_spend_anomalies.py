"""Days that cost what such days do not, by medians of their weekday."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from maestro_cli.cost.budgets.anomalies import anomalies, judged_days

MONDAY = date(2026, 3, 2)


def days_of(count: int, *, noise: float = 0.03, weekend: float = 0.5, seed: int = 1) -> dict[date, float]:
    chance = random.Random(seed)
    found = {}
    for index in range(count):
        day = MONDAY + timedelta(days=index)
        found[day] = 100.0 * (weekend if day.weekday() >= 5 else 1.0) * (1 + chance.gauss(0, noise))
    return found


def test_a_dear_day_is_found_with_what_was_expected_and_the_day_to_compare_it_with() -> None:
    days = days_of(35, noise=0.0)
    dear = MONDAY + timedelta(days=30)
    days[dear] = 150.0
    (found,) = anomalies(days, MONDAY)
    assert (found.day, found.amount, found.expected, found.excess) == (dear, 150.0, 100.0, 50.0)
    assert found.score > 3.5
    assert found.reference == dear - timedelta(days=7)


def test_a_cheap_day_is_one_too() -> None:
    days = days_of(35, noise=0.0)
    days[MONDAY + timedelta(days=30)] = 0.0
    (found,) = anomalies(days, MONDAY)
    assert (found.excess, found.score < -3.5) == (-100.0, True)


@pytest.mark.parametrize("count", [15, 22, 40])
def test_a_weekend_is_no_anomaly_and_noise_seldom_is(count: int) -> None:
    last = MONDAY + timedelta(days=count - 1)
    assert sum(len(anomalies(days_of(count, seed=seed), last)) for seed in range(100)) <= 5


@pytest.mark.parametrize("count", [15, 22, 40])
def test_a_day_ten_deviations_away_is_nearly_always_found(count: int) -> None:
    last, found = MONDAY + timedelta(days=count - 1), 0
    for seed in range(50):
        days = days_of(count, seed=seed)
        days[last] *= 1.3
        found += len(anomalies(days, last))
    assert found >= 45


def test_nothing_is_judged_by_fewer_than_fourteen_days() -> None:
    days = {**days_of(13), MONDAY + timedelta(days=13): 1000.0}
    assert anomalies(days, MONDAY) == ()
    assert judged_days(days, MONDAY) == 0
    assert judged_days(days_of(16), MONDAY) == 2


def test_an_anomaly_is_not_what_a_later_one_is_compared_with() -> None:
    days = days_of(42, noise=0.0)
    days[MONDAY + timedelta(days=28)] = days[MONDAY + timedelta(days=35)] = 300.0
    found = anomalies(days, MONDAY)
    assert [one.reference for one in found] == [MONDAY + timedelta(days=21)] * 2


def test_what_always_costs_the_same_is_not_judged_by_its_last_digits() -> None:
    days = {MONDAY + timedelta(days=index): 100.0 for index in range(28)}
    days[MONDAY + timedelta(days=27)] = 103.0
    assert anomalies(days, MONDAY) == ()
    days[MONDAY + timedelta(days=27)] = 115.0
    assert len(anomalies(days, MONDAY)) == 1


def test_what_cost_nothing_has_no_anomalies() -> None:
    assert anomalies({MONDAY + timedelta(days=index): 0.0 for index in range(28)}, MONDAY) == ()
