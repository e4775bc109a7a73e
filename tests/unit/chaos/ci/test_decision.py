"""A gate ends with the gravest that is true, and its score is 100 only for what passed."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.chaos.ci.decision import PRECEDENCE, WAIVABLE, decide, gravest
from maestro_cli.chaos.ci.outcome import Outcome
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.verdict import Verdict
from tests.unit.chaos.ci.outcomes import outcome
from tests.unit.chaos.test_verdict import CASES

ALL = [outcome(case.journal, case.findings) for case in CASES] + [outcome()]
outcomes = st.lists(
    st.builds(lambda one, weight: replace(one, weight=weight), st.sampled_from(ALL), st.integers(0, 3)),
    max_size=6,
)


def test_the_order_is_13_14_130_143_11_12_10_15_75() -> None:
    order = [int(one) for one in PRECEDENCE if one is not ExitCode.TIMEOUT]
    assert order == [13, 14, 130, 143, 11, 12, 10, 15, 75]
    for graver, milder in pairwise(PRECEDENCE):
        assert gravest([milder, graver]) is graver
    assert gravest([ExitCode.NO_DATA, ExitCode.OK]) is ExitCode.NO_DATA
    assert gravest([ExitCode.GATE_NOT_MET, ExitCode.POLICY_REFUSED]) is ExitCode.POLICY_REFUSED
    assert gravest([ExitCode.POLICY_REFUSED, ExitCode.SIGTERM]) is ExitCode.SIGTERM
    assert gravest([]) is ExitCode.OK


def test_that_one_could_not_begin_yet_hides_no_verdict_of_another() -> None:
    deviated, well = outcome({"after": "missed"}), outcome()
    busy = replace(well, verdict=Verdict.INDETERMINATE, exit_code=ExitCode.BUSY)
    assert decide([busy, deviated]).ends_with is ExitCode.CONDITION_NOT_MET
    assert decide([busy, well]).ends_with is ExitCode.BUSY


@given(outcomes)
def test_a_gate_passes_if_and_only_if_everything_did_and_there_was_something(found: list[Outcome]) -> None:
    decision = decide(found)
    passed = bool(found) and all(one.verdict is Verdict.PASS for one in found)
    assert (decision.verdict is Verdict.PASS) == passed == (decision.ends_with is ExitCode.OK)
    assert decision.ends_with is decision.exit_code


@given(outcomes)
def test_the_score_is_never_above_100_and_100_for_passes_alone(found: list[Outcome]) -> None:
    score = decide(found).score
    weighing = [one for one in found if one.weight]
    assert (score is None) == (not weighing)
    if score is not None:
        assert 0 <= score <= 100
        assert (score == 100) == all(one.verdict is Verdict.PASS for one in weighing)


@given(outcomes, st.sets(st.sampled_from(WAIVABLE)))
def test_waiving_hides_no_verdict_and_never_what_was_left_behind(
    found: list[Outcome], fail_on: set[ExitCode]
) -> None:
    plain, waived = decide(found), decide(found, fail_on)
    assert (waived.verdict, waived.exit_code, waived.score) == (plain.verdict, plain.exit_code, plain.score)
    codes = [one.exit_code for one in found] or [ExitCode.NO_DATA]
    kept = [one for one in codes if one in fail_on or one not in WAIVABLE or not found]
    assert waived.ends_with is gravest(kept)
    if ExitCode.UNDO_FAILED in codes:
        assert waived.ends_with is ExitCode.UNDO_FAILED


@pytest.mark.parametrize("code", WAIVABLE)
def test_where_nothing_was_run_nothing_is_waived(code: ExitCode) -> None:
    well = outcome()
    unrun = replace(well, journal=None, verdict=Verdict.INDETERMINATE, exit_code=code)
    later = replace(unrun, exit_code=ExitCode.NO_DATA)
    alone = decide([unrun, later], ())
    assert (alone.ends_with, alone.waived) == (alone.exit_code, ())
    assert alone.ends_with is gravest([code, ExitCode.NO_DATA])
    beside = decide([unrun, later, well], ())
    assert (beside.ends_with, set(beside.waived)) == (ExitCode.OK, {code, ExitCode.NO_DATA})


def test_what_contributes_more_weighs_more_and_no_data_earns_nothing() -> None:
    well, unknown = outcome(contributions={"reliability": "high"}), outcome({"after": "none"})
    assert (well.weight, unknown.weight) == (3, 2)
    assert decide([well, unknown]).score == 60
    assert decide([outcome(contributions={"speed": "none"})]).score is None
    deviated = decide([outcome({"after": "missed"})]).score
    assert deviated is not None
    assert 50 < deviated < 100


@pytest.mark.parametrize("code", [ExitCode.INTERNAL, ExitCode.SIGINT, ExitCode.UNDO_FAILED, ExitCode.TIMEOUT])
def test_some_codes_cannot_be_waived(code: ExitCode) -> None:
    assert decide([replace(outcome({"after": "missed"}), exit_code=code)], ()).ends_with is code
