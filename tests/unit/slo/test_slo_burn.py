"""Budgets are counted in events; nothing measured is no reading."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.burn import (
    BurnState,
    budget_gone_in_seconds,
    budget_spend,
    burn_rate,
    burn_state,
    judge_objective,
    worst_burn_state,
)
from maestro_cli.slo.objectives import Counters, Objective
from maestro_cli.slo.windows import PROFILES

MONTH = 30 * 86400.0
OBJECTIVE = Objective("a", "a", "s", 0.999, MONTH, Counters("t", "b"), {})


def test_a_burn_of_one_spends_the_budget_exactly() -> None:
    assert burn_rate(0.001, OBJECTIVE) == pytest.approx(1.0)
    assert burn_rate(0.0144, OBJECTIVE) == pytest.approx(14.4)
    assert burn_rate(0.0, OBJECTIVE) == 0.0


@pytest.mark.parametrize("ratio", [None, math.nan])
def test_without_a_ratio_there_is_no_burn_and_no_verdict(ratio: float | None) -> None:
    assert burn_rate(ratio, OBJECTIVE) is None
    judgement = judge_objective(ratio, OBJECTIVE)
    assert judgement.verdict is Verdict.INDETERMINATE
    assert judgement.reason == "no data"


@pytest.mark.parametrize(
    ("target", "ratio", "verdict"),
    [
        (0.999, 0.001, Verdict.PASS),
        (0.999, 0.0010001, Verdict.FAIL),
        (0.9, 0.1, Verdict.PASS),  # 1 - 0.9 is a little less than 0.1
        (0.99, 0.0, Verdict.PASS),
    ],
)
def test_exactly_the_budget_is_within_it(target: float, ratio: float, verdict: Verdict) -> None:
    objective = Objective("a", "a", "s", target, MONTH, Counters("t", "b"), {})
    assert judge_objective(ratio, objective).verdict is verdict


def test_without_coverage_nothing_is_decided() -> None:
    assert judge_objective(0.0, OBJECTIVE, coverage=0.0).verdict is Verdict.INDETERMINATE


def test_a_whole_window_at_the_target_spends_the_whole_budget() -> None:
    spend = budget_spend(1000, 1_000_000, MONTH, OBJECTIVE)
    assert spend is not None
    assert spend.share == pytest.approx(1.0)
    assert spend.seconds_equivalent == pytest.approx(43.2 * 60)


@given(bad=st.floats(0, 1e6), total=st.floats(1, 1e9), span=st.floats(1, 1e6), factor=st.floats(0.1, 100))
def test_the_share_grows_with_the_bad_and_with_the_span(
    bad: float, total: float, span: float, factor: float
) -> None:
    one = budget_spend(bad, total, span, OBJECTIVE)
    more = budget_spend(bad * factor, total, span, OBJECTIVE)
    longer = budget_spend(bad, total, span * factor, OBJECTIVE)
    assert one is not None
    assert more is not None
    assert longer is not None
    assert one.share is not None
    assert more.share == pytest.approx(one.share * factor)
    assert longer.share == pytest.approx(one.share * factor)
    assert one.seconds_equivalent == pytest.approx(bad / total * span)  # as if it was down for that share


@pytest.mark.parametrize(
    ("bad", "total"),
    [
        (None, 1.0),
        (1.0, None),
        (math.nan, 1.0),
        (1.0, math.nan),
        (0.0, 0.0),
        (1.0, -1.0),
        (-1.0, 1.0),
        (1.0, math.inf),
    ],
)
def test_counts_that_cannot_be_spend_nothing_known(bad: float | None, total: float | None) -> None:
    assert budget_spend(bad, total, 60.0, OBJECTIVE) is None


@pytest.mark.parametrize("span", [0.0, -1.0])
def test_without_a_span_the_share_is_not_known(span: float) -> None:
    spend = budget_spend(1.0, 10.0, span, OBJECTIVE)
    assert spend is not None
    assert (spend.share, spend.seconds_equivalent) == (None, None)


@pytest.mark.parametrize(
    ("long", "short", "state"),
    [
        (15.0, 15.0, BurnState.CRITICAL),
        (15.0, 14.4, BurnState.RECOVERING),
        (14.4, 15.0, BurnState.INCREASING),
        (14.4, 14.4, BurnState.OK),
        (None, 15.0, BurnState.NO_DATA),
        (0.0, None, BurnState.NO_DATA),
        (math.nan, 0.0, BurnState.NO_DATA),
    ],
    ids=["both", "long alone", "short alone", "neither", "no long", "no short", "nan"],
)
def test_long_and_short_window_make_a_state_and_the_unknown_is_never_ok(
    long: float | None, short: float | None, state: BurnState
) -> None:
    assert burn_state(long, short, 14.4) is state


def test_the_worst_pair_of_windows_is_the_state_of_the_objective() -> None:
    windows = PROFILES["production"].windows
    rates: dict[float, float | None] = dict.fromkeys(PROFILES["production"].spans_seconds, 0.5)
    assert worst_burn_state(rates, windows) is BurnState.OK
    assert worst_burn_state({**rates, 3 * 86400.0: None}, windows) is BurnState.NO_DATA
    assert worst_burn_state({**rates, 6 * 3600.0: 7.0}, windows) is BurnState.INCREASING
    assert worst_burn_state({**rates, 6 * 3600.0: 7.0, 1800.0: 8.0}, windows) is BurnState.CRITICAL
    assert worst_burn_state({}, windows) is BurnState.NO_DATA
    assert worst_burn_state(rates, ()) is BurnState.NO_DATA


def test_the_budget_is_gone_when_what_is_left_is_spent_at_this_rate() -> None:
    assert budget_gone_in_seconds(0.5, 10.0, OBJECTIVE) == pytest.approx(MONTH / 20)
    assert budget_gone_in_seconds(-0.1, None, OBJECTIVE) == 0.0
    for left, burn in ((None, 1.0), (0.5, None), (0.5, 0.0), (0.5, math.nan)):
        assert budget_gone_in_seconds(left, burn, OBJECTIVE) is None
