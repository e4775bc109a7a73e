"""Budgets are counted in events; nothing measured is no reading."""

from __future__ import annotations

import math
from itertools import accumulate

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


WINDOWS = PROFILES["production"].windows
MINUTE, DAY = 60.0, 86400.0
SPANS = PROFILES["production"].spans_seconds  # 5m 30m 1h 2h 6h 1d 3d


@pytest.mark.parametrize(
    ("rates", "state"),
    [
        ((15, 15, 15, 15, 15, 15, 15), BurnState.CRITICAL),
        ((14.4, 6, 6, 3, 1, 1, 1), BurnState.OK),  # at a limit is not over it
        ((15, 1, 15, 1, 1, 1, 1), BurnState.CRITICAL),  # the first pair that pages
        ((0, 7, 7, 1, 7, 1, 1), BurnState.CRITICAL),  # the second one, which has not cleared yet
        ((15, 5, 5, 2, 1, 0, 0), BurnState.INCREASING),  # it has just begun
        ((0, 2, 15, 2, 1, 0, 0), BurnState.RECOVERING),  # it is just over
        ((4, 4, 4, 4, 0.9, 4, 0.9), BurnState.INCREASING),  # a pair that is a ticket holds, and it goes on
        ((0, 0, 0, 4, 0.9, 4, 0.9), BurnState.RECOVERING),  # the same pair still holds, and it does not
        ((0, 0, 0, 0, 2, 1, 2), BurnState.RECOVERING),
        ((None, 0, 0, 4, 0.9, 4, 0.9), BurnState.NO_DATA),  # whether it goes on is not known
        ((None, 7, 7, 1, 7, 1, 1), BurnState.CRITICAL),
        ((15, None, 5, 2, 1, 0, 0), BurnState.INCREASING),
        ((0, 0, 0, 0, 0, 0, None), BurnState.NO_DATA),
        ((math.nan, 0, 0, 0, 0, 0, 0), BurnState.NO_DATA),
        ((None,) * 7, BurnState.NO_DATA),
    ],
)
def test_the_pairs_make_the_state_and_the_unknown_is_never_ok(
    rates: tuple[float | None, ...], state: BurnState
) -> None:
    assert burn_state(dict(zip(SPANS, rates, strict=True)), WINDOWS) is state


def test_without_windows_there_is_no_state() -> None:
    assert burn_state(dict.fromkeys(SPANS, 0.0), ()) is BurnState.NO_DATA


def lived(stretches: list[tuple[float, float]], minutes: int) -> list[BurnState]:
    """The states that follow each other minute by minute, of (from minute, burn rate) with steady traffic."""
    before = round(3 * DAY / MINUTE)
    rates = [
        next(rate for since, rate in reversed(stretches) if minute >= since) for minute in range(minutes)
    ]
    spent = [0.0, *accumulate([0.0] * before + rates)]
    found: list[BurnState] = []
    for end in range(before, len(spent)):
        over = {span: (spent[end] - spent[end - round(span / MINUTE)]) * MINUTE / span for span in SPANS}
        state = burn_state(over, WINDOWS)
        if not found or found[-1] is not state:
            found.append(state)
    return found


@pytest.mark.parametrize(
    ("stretches", "states"),
    [
        ([(0, 0.0), (10, 100.0), (30, 0.0)], "ok increasing critical recovering ok"),
        ([(0, 0.0), (10, 30.0), (13, 0.0)], "ok increasing ok"),
        ([(0, 0.0), (10, 2.0)], "ok increasing"),
        ([(0, 0.0), (10, 2.0), (1500, 0.0)], "ok increasing recovering ok"),
        ([(0, 0.0), (10, 0.9)], "ok"),
        (
            [(0, 0.0), (10, 100.0), (30, 0.0), (90, 100.0)],
            "ok increasing critical recovering increasing critical",
        ),
    ],
    ids=[
        "an outage",
        "a blip",
        "a leak that is no page",
        "a leak that is mended",
        "within the budget",
        "twice",
    ],
)
def test_the_states_follow_each_other_as_a_service_fails_and_comes_back(
    stretches: list[tuple[float, float]], states: str
) -> None:
    found = lived(stretches, 3 * 1440 + 1600)
    assert " ".join(one.value for one in found) == states


def test_the_budget_is_gone_when_what_is_left_is_spent_at_this_rate() -> None:
    assert budget_gone_in_seconds(0.5, 10.0, MONTH) == pytest.approx(MONTH / 20)
    assert budget_gone_in_seconds(-0.1, None, MONTH) == 0.0
    for left, burn in ((None, 1.0), (0.5, None), (0.5, 0.0), (0.5, math.nan)):
        assert budget_gone_in_seconds(left, burn, MONTH) is None
