"""What follows from a budget, who gets through a gate, and what another target had cost."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from maestro_cli.core.verdict import Verdict
from maestro_cli.output.strips import sparkline, strip
from maestro_cli.services.measuring import target_of
from maestro_cli.slo.burn import BurnState
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.target import at_target, days_in, left_bounds, spent_at
from maestro_cli.slo.measuring.verdict import percent
from maestro_cli.slo.policy import Standing, consequence_of, wants_review
from maestro_cli.slo.slo_gate import Reading, judge_experiment, judge_gate
from tests.unit.slo.measuring.told import START, Told, every, objective, series, span


@pytest.mark.parametrize(
    ("left", "standing", "features", "chaos"),
    [
        (1.0, Standing.NORMAL, True, True),
        (0.51, Standing.NORMAL, True, True),
        (0.5, Standing.CAREFUL, True, False),
        (0.25, Standing.CAREFUL, False, False),
        (0.0, Standing.FREEZE, False, False),
        (-3.0, Standing.FREEZE, False, False),
        (None, Standing.UNKNOWN, False, False),
        (math.nan, Standing.UNKNOWN, False, False),
    ],
)
def test_the_less_is_left_the_less_may_be_done(
    left: float | None, standing: Standing, features: bool, chaos: bool
) -> None:
    found = consequence_of(left)
    assert (found.standing, found.features, found.chaos) == (standing, features, chaos)
    assert found.sentence


def test_an_incident_that_took_a_fifth_of_the_budget_is_reviewed() -> None:
    assert wants_review(0.21)
    assert not wants_review(0.2)
    assert not wants_review(None)


@pytest.mark.parametrize(
    ("left", "state", "verdict"),
    [
        ((0.5, 0.6), BurnState.OK, Verdict.PASS),
        ((0.5, 0.6), BurnState.NO_DATA, Verdict.PASS),
        ((0.5, 0.6), BurnState.CRITICAL, Verdict.FAIL),
        ((0.1, 0.2), BurnState.OK, Verdict.FAIL),
        ((0.1, 0.6), BurnState.OK, Verdict.INDETERMINATE),
        (None, BurnState.OK, Verdict.INDETERMINATE),
    ],
)
def test_a_gate_opens_only_for_what_holds_whatever_was_not_seen(
    left: tuple[float, float] | None, state: BurnState, verdict: Verdict
) -> None:
    assert judge_gate([Reading("a", left, state)], 0.25).verdict is verdict


@pytest.mark.parametrize(
    ("left", "state", "in_production", "verdict"),
    [
        ((0.6, 0.6), BurnState.OK, True, Verdict.PASS),
        ((0.5, 0.5), BurnState.OK, True, Verdict.FAIL),
        ((0.5, 0.5), BurnState.OK, False, Verdict.PASS),
        ((0.0, 0.0), BurnState.OK, False, Verdict.FAIL),
        ((0.3, 0.9), BurnState.OK, True, Verdict.INDETERMINATE),
        (None, BurnState.OK, False, Verdict.INDETERMINATE),
        ((0.9, 0.9), BurnState.CRITICAL, False, Verdict.FAIL),
    ],
)
def test_an_experiment_begins_where_the_budget_policy_lets_it(
    left: tuple[float, float] | None, state: BurnState, in_production: bool, verdict: Verdict
) -> None:
    assert judge_experiment([Reading("a", left, state)], in_production=in_production).verdict is verdict
    if left is not None and left[0] == left[1] and in_production:
        assert consequence_of(left[0]).chaos is (verdict is Verdict.PASS)


def test_one_that_fails_closes_the_gate_and_no_objective_opens_none() -> None:
    good, bad = Reading("a", (1.0, 1.0), BurnState.OK), Reading("b", (0.0, 0.0), BurnState.OK)
    assert judge_gate([good, bad], 0.0).verdict is Verdict.FAIL
    assert judge_gate([], 0.0).verdict is Verdict.INDETERMINATE


@pytest.mark.parametrize(
    ("text", "target"), [("99.95%", 0.9995), ("99.95 %", 0.9995), ("0.9995", 0.9995), (".5", 0.5)]
)
def test_a_target_is_a_percentage_with_its_sign_or_a_ratio(text: str, target: float) -> None:
    assert target_of(text) == target


@pytest.mark.parametrize("text", ["99.95", "1", "0", "100%", "0%", "nan", "1e-3", "-5%", ""])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="target"):
        target_of(text)


def test_another_target_has_the_same_events_and_says_when_its_budget_was_spent() -> None:
    steps = range(2881)
    total = series(every(60, [100.0 * step for step in steps]), code="200")
    failed = series(every(60, [float(min(max(step - 1500, 0), 200)) for step in steps]), code="500")
    two_days = span(2880)
    now = two_days.end + timedelta(hours=1)
    found = measure(objective(0.999, 2 * 86400), two_days, Outside(Told([total, failed]), now))
    loose, strict = at_target(found, 0.99), at_target(found, 0.9999)
    assert (loose.judgement.verdict, strict.judgement.verdict) == (Verdict.PASS, Verdict.FAIL)
    assert loose.good == found.good == strict.good
    assert spent_at(loose) is None
    assert spent_at(strict) == START + timedelta(minutes=1500 + 30)
    assert (found.bad_minutes, loose.bad_minutes, strict.bad_minutes) == (200, 0, 200)
    left = left_bounds(strict)
    assert left is not None
    assert strict.budget_left == pytest.approx(left[0])
    first, second = days_in(found)
    assert first.spent == 0
    assert second.spent == pytest.approx(found.budget_consumed)


def test_a_picture_tells_what_is_not_known_from_the_lowest_value() -> None:
    assert sparkline([1.0, 0.5, None, 0.0, -2.0], 10, 0.0, 1.0) == "█▅ ▁▁"
    assert strip([0, 2, None, 9]) == " ▒·█"


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(1.0, "100.00 %"), (0.9995, "99.95 %"), (0.999993, "99.9993 %"), (0.9999, "99.99 %"), (0.5, "50.00 %")],
)
def test_a_percentage_has_the_digits_that_tell_it_from_a_hundred(ratio: float, text: str) -> None:
    assert percent(ratio) == text


@pytest.mark.parametrize(
    ("ratio", "target", "text"),
    [
        (0.998996, 0.999, "99.8996 % of 99.90 %"),
        (0.99899996, 0.999, "99.899996 % of 99.90 %"),
        (0.999, 0.999, "99.90 % of 99.90 %"),
        (0.5, 0.999, "50.00 % of 99.90 %"),
        (0.9999999, 0.99999, "99.99999 % of 99.999 %"),
    ],
)
def test_a_figure_that_misses_what_was_promised_does_not_look_like_it(
    ratio: float, target: float, text: str
) -> None:
    assert f"{percent(ratio, target)} of {percent(target, ratio)}" == text
