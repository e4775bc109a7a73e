"""The forecast of a month: what it is made of, and that its interval holds what it says it holds."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from maestro_cli.cost.budgets import daily_rate, forecast
from maestro_cli.cost.budgets.forecast import Forecast
from maestro_cli.cost.budgets.spend import DaySpend

MONTH = date(2026, 3, 1)
# noise of a day, step of the level a day, what a day of a weekend costs, chance of a jump of the level
KINDS = {
    "noise alone": (0.05, 0.0, 1.0, 0.0),
    "much noise": (0.2, 0.0, 1.0, 0.0),
    "quiet weekends": (0.05, 0.005, 0.6, 0.0),
    "a level that wanders": (0.03, 0.02, 0.7, 0.0),
    "a level that jumps": (0.04, 0.0, 0.7, 0.02),
}


def days_of(amounts: list[float], first: date) -> list[DaySpend]:
    return [DaySpend(first + timedelta(days=index), amount, 1.0) for index, amount in enumerate(amounts)]


def at(days: float) -> datetime:
    return datetime(MONTH.year, MONTH.month, MONTH.day, tzinfo=UTC) + timedelta(days=days)


def generated(seed: random.Random, kind: str, history: int) -> list[DaySpend]:
    noise, step, weekend, jump = KINDS[kind]
    first, level, amounts = MONTH - timedelta(days=history), 100.0, []
    for index in range(history + 31):
        level *= math.exp(seed.gauss(0, step))
        level *= seed.choice([0.8, 1.25]) if seed.random() < jump else 1.0
        factor = weekend if (first + timedelta(days=index)).weekday() >= 5 else 1.0
        amounts.append(level * factor * max(0.0, 1 + seed.gauss(0, noise)))
    return days_of(amounts, first)


def share_held(kind: str, months: int, change: Callable[[Forecast], Forecast] = lambda one: one) -> float:
    """How many of the generated months came to what the interval said, forecast on some day of them."""
    seed, held = random.Random(f"months of {kind}"), 0
    for _ in range(months):
        days = generated(seed, kind, seed.choice([14, 31, 60]))
        known = seed.choice([8, 10, 15, 20, 25])
        truth = sum(one.amount or 0.0 for one in days if one.day.month == MONTH.month)
        seen = [one for one in days if one.day < MONTH + timedelta(days=known)]
        found = change(forecast.forecast(seen, at(known)))
        assert found.low is not None
        assert found.high is not None
        held += found.low <= truth <= found.high
    return held / months


def test_eight_of_ten_months_come_to_what_the_interval_says() -> None:
    shares = {kind: share_held(kind, 120) for kind in KINDS}
    assert 0.75 <= sum(shares.values()) / len(shares) <= 0.87, shares
    assert all(0.65 <= share <= 0.95 for share in shares.values()), shares


def test_an_interval_without_the_doubt_about_the_level_holds_too_few(monkeypatch: pytest.MonkeyPatch) -> None:
    def noise_alone(rate: daily_rate.DailyRate, weights: list[float]) -> list[tuple[float, float]]:
        squares = sum(one * one for one in weights)
        return [(weight, noise * squares) for _, noise, weight in rate.speeds]

    monkeypatch.setattr(forecast, "error_variance", noise_alone)
    assert sum(share_held(kind, 60) for kind in KINDS) / len(KINDS) < 0.72


def test_the_forecast_is_month_to_date_and_the_rate_of_a_day_for_the_days_left() -> None:
    found = forecast.forecast(days_of([10.0] * 12, MONTH - timedelta(days=2)), at(10))
    assert (found.to_date.amount, found.per_day) == (100.0, 10.0)
    assert found.days_left == pytest.approx(21.0)
    assert found.total == pytest.approx(310.0)
    assert found.low == pytest.approx(310.0)
    assert found.high == pytest.approx(310.0)


def test_the_rate_is_an_exponentially_weighted_mean_of_seven_days() -> None:
    rate = daily_rate.daily_rate(
        {MONTH + timedelta(days=index): amount for index, amount in enumerate([10.0] * 7 + [20.0])}
    )
    assert rate is not None
    assert rate.level == pytest.approx(10.0 + 0.25 * 10.0)


def test_the_days_left_cost_what_their_weekdays_do() -> None:
    first = date(2026, 1, 26)  # a Monday
    amounts = [30.0 if (first + timedelta(days=index)).weekday() >= 5 else 100.0 for index in range(64)]
    found = forecast.forecast(days_of(amounts, first), at(30))  # Tuesday 31 March is left
    assert found.by_weekday
    assert found.total == pytest.approx(sum(amounts[-30:]) + 100.0)


def test_today_counts_as_far_as_it_went() -> None:
    days = [*days_of([10.0] * 10, MONTH), DaySpend(date(2026, 3, 11), 2.5, 1.0, over=0.25)]
    found = forecast.forecast(days, at(10.25))
    assert found.to_date.amount == 102.5
    assert found.total == pytest.approx(310.0)


def test_what_was_not_measured_cost_what_the_rest_did_and_the_amount_stays_a_lower_bound() -> None:
    days = [one for one in days_of([10.0] * 10, MONTH) if one.day.day != 5]
    found = forecast.forecast(days, at(10))
    assert found.to_date.amount == 90.0
    assert found.total == pytest.approx(310.0)


def test_no_day_gives_no_forecast_and_few_give_no_interval() -> None:
    today = DaySpend(MONTH, 5.0, 1.0, over=0.5)
    nothing = forecast.forecast([today], at(0.5))
    assert (nothing.total, nothing.low, nothing.reason) == (None, None, "no whole day was measured")
    few = forecast.forecast(days_of([10.0] * 6, MONTH), at(6))
    assert few.total == pytest.approx(310.0)
    assert few.low is None
    assert few.reason == "fewer than seven whole days: no interval"
    unseen = forecast.forecast(days_of([10.0] * 20, MONTH - timedelta(days=20)), at(3))
    assert (unseen.total, unseen.reason) == (None, "nothing of this month was measured")


def test_the_interval_never_begins_below_what_is_spent() -> None:
    seed = random.Random(1)
    days = days_of([seed.choice([1.0, 200.0]) for _ in range(30)], MONTH)
    found = forecast.forecast(days, at(30))
    assert found.low is not None
    assert found.low >= (found.to_date.amount or 0.0)


@pytest.mark.parametrize(("freedom", "t"), [(1, 6.314), (2, 2.920), (3, 2.353), (10, 1.812), (31, 1.6955)])
def test_students_distribution_is_the_one_of_the_tables(freedom: int, t: float) -> None:
    assert forecast._student_inside(t, freedom) == pytest.approx(0.9, abs=1e-4)
