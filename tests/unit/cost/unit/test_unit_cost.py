"""A million predictions cost price × replica-hours / predictions × 1,000,000, or nobody knows."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.core.verdict import Verdict
from maestro_cli.cost.unit.figure import LEAST_COVERAGE, Usage, break_even_rate, unit_cost

PAGE = Path(__file__).resolve().parents[4] / "docs" / "cost-unit.md"
# three replicas for an hour, 100 predictions a second together
BUSY = Usage("ml", "fraud", 3600.0, 360_000.0, 3 * 3600.0, 1.0)
positive = st.floats(min_value=1e-3, max_value=1e6)


def test_the_cost_follows_the_formula() -> None:
    found = unit_cost(BUSY, 0.05, 5.0)
    assert found.per_million == pytest.approx(0.05 * 3 / 360_000 * 1_000_000)
    assert found.verdict is Verdict.PASS
    assert BUSY.replica_hours == 3.0
    assert BUSY.rate_per_replica == pytest.approx(100 / 3)


@pytest.mark.parametrize(
    ("budget", "verdict"), [(0.42, Verdict.PASS), (0.41, Verdict.FAIL), (5.0, Verdict.PASS)]
)
def test_a_budget_decides(budget: float, verdict: Verdict) -> None:
    assert unit_cost(BUSY, 0.05, budget).verdict is verdict


def test_exactly_the_budget_is_within_it() -> None:
    found = unit_cost(replace(BUSY, predictions=1_000_000.0), 2.0, 6.0)
    assert found.per_million == 6.0
    assert found.verdict is Verdict.PASS


def test_without_a_budget_there_is_a_figure_and_no_verdict() -> None:
    found = unit_cost(BUSY, 0.05)
    assert found.per_million is not None
    assert found.judgement is None


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("part", ["predictions", "replica_seconds", "price"])
def test_what_nobody_measured_gives_no_figure(part: str, nothing: float | None) -> None:
    usage, price = BUSY, nothing if part == "price" else 0.05
    if part == "predictions":
        usage = replace(BUSY, predictions=nothing)
    elif part == "replica_seconds":
        usage = replace(BUSY, replica_seconds=nothing)
    found = unit_cost(usage, price, 5.0)
    assert found.per_million is None
    assert found.verdict is Verdict.INDETERMINATE
    assert found.judgement is not None
    assert found.judgement.reason


@pytest.mark.parametrize("budget", [None, 5.0])
@pytest.mark.parametrize(
    ("usage", "price", "reason"),
    [
        (replace(BUSY, predictions=0.0), 0.05, "no prediction succeeded"),
        (replace(BUSY, replica_seconds=0.0), 0.05, "no measurement of replicas"),
        (replace(BUSY, coverage=0.0), 0.05, "nothing was measured in the window"),
        (replace(BUSY, coverage=math.nan), 0.05, "nothing was measured in the window"),
        (BUSY, -0.05, "replica_hourly_rate is not a price"),
        (BUSY, 0.0, "a replica_hourly_rate of 0 is no price: every budget would hold"),
        (BUSY, -0.0, "a replica_hourly_rate of 0 is no price: every budget would hold"),
        (BUSY, None, "no price: replica_hourly_rate is not given"),
    ],
)
def test_nothing_is_never_a_price_of_zero_or_a_pass(
    usage: Usage, price: float | None, reason: str, budget: float | None
) -> None:
    found = unit_cost(usage, price, budget)
    assert found.per_million is None
    assert found.judgement is not None
    assert (found.verdict, found.judgement.reason) == (Verdict.INDETERMINATE, reason)


@pytest.mark.parametrize("budget", [None, 0.001, 5.0])
def test_a_window_that_was_hardly_measured_has_a_figure_and_no_verdict_on_it(budget: float | None) -> None:
    found = unit_cost(replace(BUSY, coverage=LEAST_COVERAGE - 0.01), 0.05, budget)
    assert found.per_million == unit_cost(BUSY, 0.05).per_million
    assert found.verdict is Verdict.INDETERMINATE
    assert found.judgement is not None
    assert found.judgement.coverage == pytest.approx(0.89)
    assert unit_cost(replace(BUSY, coverage=LEAST_COVERAGE), 0.05, 5.0).verdict is Verdict.PASS


def test_a_budget_that_is_missed_by_a_hair_is_not_told_as_met_once() -> None:
    figure = unit_cost(BUSY, 0.05).per_million
    assert figure is not None
    reasons = []
    for budget in (figure / 1.0001, figure / 1.5):
        judgement = unit_cost(BUSY, 0.05, budget).judgement
        assert judgement is not None
        reasons.append(judgement.reason)
    assert reasons == ["just over the budget", "1.5 times the budget"]


@given(price=positive, budget=positive, replicas=st.integers(1, 50), seconds=positive)
def test_the_break_even_rate_costs_the_budget(
    price: float, budget: float, replicas: int, seconds: float
) -> None:
    predictions = break_even_rate(price, budget) * replicas * seconds
    at_it = replace(BUSY, predictions=predictions, replica_seconds=replicas * seconds)
    assert unit_cost(at_it, price).per_million == pytest.approx(budget)
    assert unit_cost(replace(at_it, predictions=predictions * 1.01), price, budget).verdict is Verdict.PASS
    assert unit_cost(replace(at_it, predictions=predictions * 0.99), price, budget).verdict is Verdict.FAIL


@given(price=positive, predictions=positive, seconds=positive, factor=st.floats(1.5, 100))
def test_twice_the_work_costs_half_and_twice_the_replicas_twice(
    price: float, predictions: float, seconds: float, factor: float
) -> None:
    base = replace(BUSY, predictions=predictions, replica_seconds=seconds)
    once = unit_cost(base, price).per_million
    assert once is not None
    more_work = replace(base, predictions=predictions * factor)
    more_replicas = replace(base, replica_seconds=seconds * factor)
    assert unit_cost(more_work, price).per_million == pytest.approx(once / factor)
    assert unit_cost(more_replicas, price).per_million == pytest.approx(once * factor)


def test_the_table_of_the_page_is_the_formula() -> None:
    rows = re.findall(r"^\| ([0-9.]+) \| ([0-9.]+) \| ([0-9.]+) \|$", PAGE.read_text(encoding="utf-8"), re.M)
    assert len(rows) >= 5
    for price, one, three in rows:
        rate = break_even_rate(float(price), 5.0)
        assert (one, three) == (f"{rate:.2f}", f"{3 * rate:.2f}")
