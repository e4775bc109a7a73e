"""A score is judged against the sealed truth; what was not measured is None and never passes."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from maestro_cli.chaos.drills.model import Baseline, Outcome, PhaseScore, Scorecard, Truth
from maestro_cli.chaos.drills.release import bad_template, serves_the_same
from maestro_cli.chaos.drills.scenarios import SCENARIOS, find_scenario
from maestro_cli.chaos.drills.scorecard import Performance, score
from maestro_cli.core.errors import ActionFailed, NotFound
from maestro_cli.slo.objectives import Objective

START = datetime(2026, 1, 1, tzinfo=UTC)
SCENARIO = find_scenario("bad-release")
TARGET = str(SCENARIO.target)
OBJECTIVE = Objective("fraud-availability", "t", "fraud", 0.999, 2592000.0, "t", "b", None, {})
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
    fix_kind="rollback",
    fix_target=TARGET,
    fix_verified=True,
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
        ({"fix_kind": "restart"}, "the wrong fix was made"),
        ({"fix_target": "ml/deploy/other"}, "the wrong fix was made"),
        ({"fix_verified": False}, "the wrong fix was made"),
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


def test_a_defect_that_only_the_drill_took_away_is_no_fix() -> None:
    assert card(truth=replace(TRUTH, is_mended=False)).misses == ("the wrong fix was made",)


def test_it_was_mitigated_when_the_defect_truly_ended_where_that_was_recorded() -> None:
    recorded = card(truth=replace(TRUTH, ended_at=START + timedelta(seconds=25)))
    assert recorded.phases[2].seconds == 25.0


def test_a_response_that_stopped_fails_whatever_it_came_to() -> None:
    assert card(failure="it broke").misses == ("the response stopped: it broke",)


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
    bad = bad_template(TEMPLATE, {"--serve": "fraud=2"})
    assert before == TEMPLATE
    assert bad["spec"]["containers"][0]["args"] == ["--serve", "fraud=2", "-v"]
    assert not serves_the_same(TEMPLATE, bad)


@pytest.mark.parametrize(
    "template",
    [{}, {"spec": {}}, {"spec": {"containers": []}}, {"spec": {"containers": [{"args": ["--other", "x"]}]}},
     {"spec": {"containers": [{"args": ["x", "--serve"]}]}}, {"spec": {"containers": [{}]}}],
)  # fmt: skip
def test_a_workload_that_the_drill_does_not_know_is_refused(template: dict[str, Any]) -> None:
    with pytest.raises(ActionFailed, match="no argument --serve"):
        bad_template(template, {"--serve": "fraud=2"})


def test_metadata_of_a_template_does_not_count() -> None:
    assert serves_the_same(TEMPLATE, {**TEMPLATE, "metadata": {"labels": {"pod-template-hash": "x"}}})


def test_the_drills_are_found_by_name() -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)
    with pytest.raises(NotFound) as caught:
        find_scenario("bad-relase")
    assert "bad-release" in caught.value.why
