"""How a budget of money stands: used, burn, warnings, and a verdict that no gap can turn into a pass."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from maestro_cli.core.verdict import Verdict
from maestro_cli.cost.budgets.forecast import forecast
from maestro_cli.cost.budgets.spend import DaySpend
from maestro_cli.cost.budgets.standing import Standing, standing

FIRST = date(2026, 4, 1)  # of a month of 30 days


def at(days: float) -> datetime:
    return datetime(2026, 4, 1, tzinfo=UTC) + timedelta(days=days)


def spent(per_day: float, known: int, *, without: tuple[int, ...] = ()) -> list[DaySpend]:
    days = (FIRST + timedelta(days=index) for index in range(known))
    return [DaySpend(day, per_day, 1.0) for day in days if day.day not in without]


def judged(amount: float, days: list[DaySpend], known: float, **options: object) -> Standing:
    return standing(amount, forecast(days, at(known)), at(known), **options)  # type: ignore[arg-type]


def test_burn_is_one_where_the_budget_lasts_as_long_as_the_month() -> None:
    even = judged(300.0, spent(10.0, 15), 15)
    assert (even.used, even.burn, even.left) == (0.5, 1.0, 150.0)
    assert judged(300.0, spent(20.0, 10), 10).burn == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("per_day", "crossed"), [(9.0, None), (10.0, 0.5), (15.9, 0.5), (16.0, 0.8), (20.0, 1.0), (30.0, 1.0)]
)
def test_the_highest_share_that_is_reached_is_told(per_day: float, crossed: float | None) -> None:
    assert judged(300.0, spent(per_day, 15), 15).crossed == crossed


def test_own_shares_take_the_place_of_the_usual_ones() -> None:
    assert judged(300.0, spent(9.0, 15), 15, warn=(0.25, 0.4)).crossed == 0.4


def test_a_forecast_above_the_budget_is_told_while_the_verdict_is_of_what_is_spent() -> None:
    fast = judged(300.0, spent(15.0, 10), 10)
    assert fast.forecast_over
    assert fast.judgement.verdict is Verdict.PASS
    assert fast.runs_out == at(20)
    assert judged(300.0, spent(10.0, 10), 10).runs_out is None


def test_what_is_spent_beyond_the_budget_fails_at_any_coverage() -> None:
    over = judged(90.0, spent(10.0, 20, without=tuple(range(3, 13))), 20)
    assert over.judgement.verdict is Verdict.FAIL
    assert over.judgement.coverage == 0.5
    assert over.judgement.reason == "11.1% over the budget"


def test_a_gap_is_never_a_pass() -> None:
    thin = judged(1000.0, spent(10.0, 20, without=(3, 4, 5)), 20)
    assert thin.judgement.verdict is Verdict.INDETERMINATE
    assert thin.judgement.reason == "measured for 85% of the month so far, 90% needed"
    assert judged(1000.0, [], 20).judgement.verdict is Verdict.INDETERMINATE
    near = judged(195.0, spent(10.0, 20, without=(3,)), 20)
    assert near.judgement.verdict is Verdict.INDETERMINATE
    assert near.judgement.reason == "what was not measured may have gone over the budget"
    assert judged(200.0, spent(10.0, 20, without=(3,)), 20).judgement.verdict is Verdict.PASS


def test_what_has_no_price_is_never_a_pass() -> None:
    unpriced = judged(1000.0, spent(10.0, 20), 20, unpriced=("gpu of a100",))
    assert unpriced.judgement.verdict is Verdict.INDETERMINATE
    assert unpriced.judgement.reason == "no price for gpu of a100: what is spent is a lower bound"
    assert judged(100.0, spent(10.0, 20), 20, unpriced=("gpu",)).judgement.verdict is Verdict.FAIL
