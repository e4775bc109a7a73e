"""A score is judged against the sealed truth; what was not measured is None and never passes."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from maestro_cli.chaos.drills.model import BadRelease, Baseline, Fix, Outcome, PhaseScore, Scorecard, Truth
from maestro_cli.chaos.drills.release import bad_template, serves_the_same
from maestro_cli.chaos.drills.scenarios import SCENARIOS, find_scenario
from maestro_cli.chaos.drills.scorecard import Performance, score
from maestro_cli.core.errors import ActionFailed, NotFound
from maestro_cli.slo.objectives import Counters, Objective

START = datetime(2026, 1, 1, tzinfo=UTC)
SCENARIO = find_scenario("bad-release")
TARGET = str(SCENARIO.target)
OBJECTIVE = Objective("fraud-availability", "t", "fraud", 0.999, 2592000.0, Counters("t", "b"), {})
BASELINE = Baseline(START - timedelta(seconds=10), 1, {}, requests=1000.0, errors=1.0)
TRUTH = Truth(START, TARGET, f"release of {TARGET}, revision 2", is_mended=True, revision=2)
GOOD = Outcome(
    incident="inc-1",
    detected_at=START + timedelta(seconds=20),
    triaged_at=START + timedelta(seconds=22),
    mitigated_at=START + timedelta(seconds=30),
    resolved_at=START + timedelta(seconds=50),
    suspect_kind="release",
    suspect_subject=TARGET,
    suspect_revision=2,
    fixes=(Fix("rollback", TARGET, verified=True),),
    postmortem="pm.md",
)


def card(outcome: Outcome = GOOD, **values: Any) -> Scorecard:
    arguments: dict[str, Any] = {
        "drill": "drl-1", "scenario": SCENARIO, "truth": TRUTH, "baseline": BASELINE,
        "outcome": outcome, "requests": 2000.0, "errors": 11.0, "finished_at": START + timedelta(seconds=90),
        "objective": OBJECTIVE, "wall_seconds": 100.0, "platform_seconds": 4.0,
    }  # fmt: skip
    return score(Performance(**{**arguments, **values}))


def test_a_good_response_passes_and_is_measured_from_the_injection() -> None:
    good = card()
    assert good.passed
    assert good.misses == ()
    assert [(phase.name, phase.seconds) for phase in good.phases] == [
        ("detected", 20.0), ("triaged", 22.0), ("mitigated", 30.0), ("resolved", 50.0)
    ]  # fmt: skip
    assert (good.requests_served, good.errors_served) == (1000.0, 10.0)
    assert good.budget_share == pytest.approx(10 / (1000 / 100 * 2592000 * 0.001))
    assert good.blamed == f"release of {TARGET}, revision 2"


@pytest.mark.parametrize(
    ("change", "miss"),
    [
        ({"suspect_kind": "node"}, "the wrong cause was blamed"),
        ({"suspect_subject": "ml/deploy/other"}, "the wrong cause was blamed"),
        ({"suspect_revision": 1}, "the wrong cause was blamed"),
        ({"suspect_kind": ""}, "the wrong cause was blamed"),
        ({"fixes": (Fix("restart", TARGET, verified=True),)}, "the wrong fix was made"),
        ({"fixes": (Fix("rollback", "ml/deploy/other", verified=True),)}, "the wrong fix was made"),
        ({"fixes": (Fix("rollback", TARGET, verified=False),)}, "the wrong fix was made"),
        ({"fixes": ()}, "the wrong fix was made"),
        ({"detected_at": None}, "detected never happened"),
        ({"resolved_at": None}, "resolved never happened"),
        ({"detected_at": START + timedelta(seconds=301)}, "detected took longer than its budget"),
        ({"triaged_at": START + timedelta(seconds=601)}, "triaged took longer than its budget"),
        ({"mitigated_at": START + timedelta(seconds=1801)}, "mitigated took longer than its budget"),
    ],
)
def test_each_fault_of_a_response_fails_it(change: dict[str, Any], miss: str) -> None:
    faulty = card(replace(GOOD, **change))
    assert not faulty.passed
    assert faulty.misses == (miss,)


def test_a_defect_that_only_the_drill_took_away_or_that_ended_by_itself_is_no_fix_and_no_recovery() -> None:
    nobodys = card(truth=replace(TRUTH, is_mended=False))
    assert nobodys.misses == ("mitigated never happened", "the wrong fix was made")
    assert nobodys.phases[2].seconds is None


def test_it_was_mitigated_when_the_defect_truly_ended_where_that_was_recorded() -> None:
    recorded = card(truth=replace(TRUTH, ended_at=START + timedelta(seconds=25)))
    assert recorded.phases[2].seconds == 25.0


def test_a_response_that_stopped_fails_whatever_it_came_to() -> None:
    assert card(failure="it broke").misses == ("the response stopped: it broke",)


def test_a_cause_without_a_truth_is_not_scored_and_fails_nothing() -> None:
    unscored = card(replace(GOOD, suspect_kind=""), scenario=replace(SCENARIO, true_cause=None))
    assert unscored.cause_is_right is None
    assert unscored.passed


def test_without_an_objective_nothing_is_counted() -> None:
    scenario = replace(SCENARIO, objective=None)
    uncounted = card(
        scenario=scenario, objective=None, baseline=replace(BASELINE, requests=None, errors=None)
    )
    assert (uncounted.requests_served, uncounted.errors_served, uncounted.budget_share) == (None, None, None)
    assert uncounted.passed


@pytest.mark.parametrize(("steps", "passed"), [(("renew/issue",), True), (("renew/look",), False)])
def test_a_right_fix_that_is_no_change_is_a_step_that_succeeded(steps: tuple[str, ...], passed: bool) -> None:
    scenario = replace(SCENARIO, right_fix="renew/issue")
    assert card(replace(GOOD, fixes=(), steps=steps), scenario=scenario).passed is passed


def test_the_right_fix_may_be_made_to_something_else_than_the_target() -> None:
    done = replace(GOOD, fixes=(Fix("drain", "node/a", True), Fix("uncordon", "node/a", True)))
    scenario = replace(SCENARIO, right_fix="drain")
    moved = card(done, scenario=scenario, truth=replace(TRUTH, fix_target="node/a"))
    assert (moved.fix_is_right, moved.fix) == (True, "drain node/a, uncordon node/a")
    assert not card(done, scenario=scenario, truth=replace(TRUTH, fix_target="node/b")).fix_is_right


def test_nothing_done_is_nothing_passed() -> None:
    nothing = card(Outcome())
    assert (nothing.blamed, nothing.fix) == ("nobody", "none")
    assert len(nothing.misses) == 6


@pytest.mark.parametrize(
    ("requests", "errors"), [(None, 1.0), (2000.0, None), (1000.0, 1.0), (500.0, 11.0), (2000.0, 0.0)]
)
def test_what_was_not_measured_is_none(requests: float | None, errors: float | None) -> None:
    unknown = card(requests=requests, errors=errors)
    assert unknown.budget_share is None
    assert unknown.budget_seconds is None


@pytest.mark.parametrize(("seconds", "met"), [(None, False), (0.0, True), (300.0, True), (300.1, False)])
def test_a_phase_is_met_up_to_its_budget(seconds: float | None, met: bool) -> None:
    assert PhaseScore("detected", seconds, 300.0).met is met


TEMPLATE = {
    "metadata": {"labels": {"app": "fraud"}},
    "spec": {"containers": [{"args": ["--serve", "fraud=1", "-v"]}]},
}


def test_the_bad_release_changes_a_copy() -> None:
    before = copy.deepcopy(TEMPLATE)
    bad = bad_template(TEMPLATE, BadRelease("x", {"--serve": "fraud=2"}))
    assert before == TEMPLATE
    assert bad["spec"]["containers"][0]["args"] == ["--serve", "fraud=2", "-v"]
    assert not serves_the_same(TEMPLATE, bad)


def test_the_bad_release_may_have_another_image_and_environment() -> None:
    env = [{"name": "LEVEL", "value": "info"}, {"name": "PORT", "value": "1"}]
    before = {"spec": {"containers": [{"args": [], "image": "server:1", "env": env}]}}
    bad = bad_template(before, BadRelease("x", environment={"LEVEL": "debug"}, image="server:2"))
    assert bad["spec"]["containers"][0] == {
        "args": [], "image": "server:2",
        "env": [{"name": "PORT", "value": "1"}, {"name": "LEVEL", "value": "debug"}],
    }  # fmt: skip


@pytest.mark.parametrize(
    "template",
    [{}, {"spec": {}}, {"spec": {"containers": []}}, {"spec": {"containers": [{"args": ["--other", "x"]}]}},
     {"spec": {"containers": [{"args": ["x", "--serve"]}]}}, {"spec": {"containers": [{}]}}],
)  # fmt: skip
def test_a_workload_that_the_drill_does_not_know_is_refused(template: dict[str, Any]) -> None:
    with pytest.raises(ActionFailed, match="no argument --serve"):
        bad_template(template, BadRelease("x", {"--serve": "fraud=2"}))


def test_metadata_of_a_template_does_not_count() -> None:
    assert serves_the_same(TEMPLATE, {**TEMPLATE, "metadata": {"labels": {"pod-template-hash": "x"}}})


def test_the_drills_are_found_by_name() -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)
    with pytest.raises(NotFound) as caught:
        find_scenario("bad-relase")
    assert "bad-release" in caught.value.why
