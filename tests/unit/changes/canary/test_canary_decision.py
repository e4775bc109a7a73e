"""What is decided about a canary, from counts alone; and how often that is wrong, over a thousand of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from maestro_cli.changes.canary.decision import (
    clean_requests,
    decide,
    no_less_right,
    no_worse,
    patience,
    told,
    worse_share,
)
from maestro_cli.changes.canary.model import Rules, Surroundings, Tally, Verb
from maestro_cli.core.verdict import Judgement, Verdict

RULES = Rules(target=0.9)
QUIET = Surroundings()
STABLE = Tally(90_000, 900, 900, 90_000, 900.0, 4_500, 45)
GOOD = Tally(10_000, 100, 100, 10_000, 100.0, 500, 5)
LOOKS, A_LOOK, CANARIES = 300, 500, 1_000

Test = Callable[[float, float, float, float, Rules], Judgement]


def shares_decided(test: Test, times: float, seed: int) -> dict[Verdict, float]:
    """A thousand canaries at a tenth of the traffic: 1 % of the stable version's requests fail, and `times`
    as many of the canary's. Each is looked at after every 500 requests, until it is decided or 300 looks."""
    chance = np.random.default_rng(seed)
    mine = chance.binomial(A_LOOK, 0.1, (CANARIES, LOOKS))
    bad = chance.binomial(mine, 0.01 * times).cumsum(axis=1)
    usual = chance.binomial(A_LOOK - mine, 0.01).cumsum(axis=1)
    requests = mine.cumsum(axis=1)
    found = dict.fromkeys(Verdict, 0)
    for one in range(CANARIES):
        verdict = Verdict.INDETERMINATE
        for look in range(LOOKS):
            of = int(requests[one, look])
            total = (look + 1) * A_LOOK
            verdict = test(int(bad[one, look]), of, int(usual[one, look]), total - of, Rules()).verdict
            if verdict is not Verdict.INDETERMINATE:
                break
        found[verdict] += 1
    return {verdict: count / CANARIES for verdict, count in found.items()}


def test_of_a_thousand_good_canaries_at_most_ten_are_taken_back() -> None:
    assert shares_decided(no_worse, 1.0, seed=6)[Verdict.FAIL] <= 0.01


def test_of_a_thousand_canaries_with_threefold_errors_940_are_taken_back() -> None:
    assert shares_decided(no_worse, 3.0, seed=7)[Verdict.FAIL] >= 0.94


def test_a_better_canary_is_taken_back_even_less_often() -> None:
    assert shares_decided(no_worse, 0.5, seed=8)[Verdict.FAIL] <= 0.002


def z_test(bad: float, of: float, stable_bad: float, stable_of: float, rules: Rules) -> Judgement:
    """MUTATION: the usual test of two shares at 1 %, made for one look and looked at again and again."""
    share = (bad + stable_bad) / (of + stable_of)
    spread = math.sqrt(share * (1 - share) * (1 / of + 1 / stable_of)) if share else 0.0
    worse = spread > 0 and (bad / of - stable_bad / stable_of) / spread > 2.326
    return Judgement(Verdict.FAIL if worse else Verdict.INDETERMINATE, 1.0, "")


def blind_to_traffic(bad: float, of: float, stable_bad: float, stable_of: float, rules: Rules) -> Judgement:
    """MUTATION: as if each version had half of the requests."""
    half = (of + stable_of) / 2
    return no_worse(bad, half, stable_bad, half, rules)


def test_tests_that_are_wrong_are_caught_by_the_same_thousand() -> None:
    assert shares_decided(z_test, 1.0, seed=6)[Verdict.FAIL] > 0.01
    assert shares_decided(blind_to_traffic, 3.0, seed=7)[Verdict.FAIL] < 0.94


def test_everything_well_is_promoted() -> None:
    assert decide(GOOD, STABLE, RULES, QUIET).verb is Verb.PROMOTE


@pytest.mark.parametrize(
    ("canary", "around", "why"),
    [
        (replace(GOOD, errors=400), QUIET, "errors"),
        (replace(GOOD, slow=400), QUIET, "slow"),
        (GOOD, Surroundings(crashing=("fraud-1",)), "crash loops: 1 pod (fraud-1)"),
        (replace(GOOD, requests_lately=12, bad_lately=12), QUIET, "ten are enough"),
    ],
)
def test_what_is_bad_is_taken_back_whatever_else_is_well(
    canary: Tally, around: Surroundings, why: str
) -> None:
    rules = RULES if "ten" not in why else replace(RULES, target=0.95)
    decision = decide(canary, STABLE, rules, around)
    assert decision.verb is Verb.ABORT
    assert decision.why.startswith("burn" if "ten" in why else why)


def test_nine_bad_requests_are_too_few_to_call_it_burning() -> None:
    few = replace(GOOD, requests_lately=9, bad_lately=9)
    assert decide(few, STABLE, replace(RULES, target=0.95), QUIET).verb is Verb.PROMOTE


def test_an_outage_of_both_versions_takes_no_canary_back_and_promotes_none() -> None:
    burning = replace(GOOD, requests_lately=500, bad_lately=400)
    also = replace(STABLE, requests_lately=4_500, bad_lately=3_600)
    decision = decide(burning, also, replace(RULES, target=0.95), QUIET)
    assert decision.verb is Verb.HOLD
    assert "the stable version burns too" in decision.why


def test_undecided_is_held_and_no_data_decides_nothing() -> None:
    early = decide(Tally(100, 1, 1, 100, 1.0, 100, 1), Tally(900, 9, 9, 900, 9.0, 900, 9), RULES, QUIET)
    assert early.verb is Verb.HOLD
    for missing in ({"requests": None, "errors": None}, {"slow": None}, {"requests": 0.0}):
        assert decide(replace(GOOD, **missing), STABLE, RULES, QUIET).verb is Verb.HOLD


def test_one_without_any_error_passes_by_its_objective_once_that_is_known() -> None:
    rules = Rules()
    enough = clean_requests(rules)
    for requests, verdict in ((enough, Verdict.PASS), (enough * 0.9, Verdict.INDETERMINATE)):
        assert no_worse(0, requests, 0, 9 * requests, rules).verdict is verdict


def test_accuracy_needs_a_proof_either_way() -> None:
    def judged(right: float, of: float, usual: float, stable_of: float) -> Verdict:
        counts = {"right": right, "judged": of}
        stable = {"right": usual, "judged": stable_of}
        return no_less_right(replace(GOOD, **counts), replace(STABLE, **stable), RULES).verdict

    assert judged(18_000, 20_000, 18_000, 20_000) is Verdict.PASS
    assert judged(16_000, 20_000, 18_000, 20_000) is Verdict.FAIL
    assert judged(90, 100, 90, 100) is Verdict.INDETERMINATE
    assert no_less_right(GOOD, STABLE, RULES).verdict is Verdict.INDETERMINATE


def test_accuracy_that_is_asked_for_holds_the_promotion_until_it_is_there() -> None:
    rules = replace(RULES, right="right_total", judged="judged_total")
    assert decide(GOOD, STABLE, rules, QUIET).why.startswith("accuracy")


def test_a_dear_canary_is_held_for_a_person_and_not_taken_back() -> None:
    rules = replace(RULES, most_per_million=5.0)
    decided = [
        decide(GOOD, STABLE, rules, around).verb
        for around in (Surroundings(per_million=2.0), Surroundings((), 5.1, 2.0), QUIET)
    ]
    assert decided == [Verb.PROMOTE, Verb.HOLD, Verb.HOLD]


def test_how_long_it_takes_is_told_from_traffic_and_errors() -> None:
    found = patience(100.0, 0.01, 0.1, RULES)
    assert found.if_bad is not None
    assert found.if_good is not None
    errors = found.if_bad * 100 * 0.01 * (3 * 0.1 + 0.9)
    assert 40 < errors < 60
    faster = patience(100.0, 0.01, 0.5, RULES)
    assert faster.if_bad is not None
    assert faster.if_bad < found.if_bad
    assert patience(None, None, 0.1, RULES).if_bad is None
    assert "no traffic" in told(patience(0.0, None, 0.1, RULES))
    clean = patience(100.0, 0.0, 0.1, Rules())
    assert clean.if_good == pytest.approx(clean_requests(Rules()) / 10)


def test_the_expected_errors_are_those_that_the_thousand_needed() -> None:
    """Wald's figure leaves out the last step over the bound, so the mean is a little above it."""
    chance = np.random.default_rng(9)
    bad = chance.binomial(1, worse_share(0.1, 3), (CANARIES, 400)).cumsum(axis=1)
    needed = []
    for one in bad:
        for errors in range(1, 401):
            mine = int(one[errors - 1])
            if no_worse(mine, 1_000, errors - mine, 9_000, Rules()).verdict is not Verdict.INDETERMINATE:
                needed.append(errors)
                break
    found = patience(1.0, 1.0, 0.1, RULES)
    assert found.if_bad is not None
    expected = found.if_bad * (3 * 0.1 + 0.9)
    assert expected <= np.mean(needed) <= 1.2 * expected
