"""A game day passes when each experiment came out as its plan expected."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from maestro_cli.chaos.ci.outcome import Outcome, refused
from maestro_cli.chaos.drills.model import ExperimentEnd, PhaseScore, Scorecard
from maestro_cli.chaos.drills.scenarios import SCENARIOS
from maestro_cli.chaos.gameday.plan import GameDay
from maestro_cli.chaos.gameday.score import Taken, day_result, outcome_of_drill, undrilled, unkept_day
from maestro_cli.chaos.model import Experiment, Guarded
from maestro_cli.core.canonical import plain
from maestro_cli.core.errors import ExitCode, Interrupted, NotKept
from maestro_cli.core.verdict import Verdict
from maestro_cli.output.renderers.chaos_gameday import gameday_view
from maestro_cli.output.views import Fields, Listing
from tests.unit.chaos.ci.outcomes import BURNED, outcome

NOW = datetime(2026, 11, 27, tzinfo=UTC)
PASSED, DEVIATED = outcome(), outcome({"after": "missed"})
LEFT, BLIND = outcome(findings={"residue": ("x",)}), outcome({"after": "none"})


@pytest.mark.parametrize(
    ("made", "expect", "verdict", "code"),
    [
        (PASSED, Verdict.PASS, Verdict.PASS, ExitCode.OK),
        (DEVIATED, Verdict.FAIL, Verdict.PASS, ExitCode.OK),
        (PASSED, Verdict.FAIL, Verdict.FAIL, ExitCode.CONDITION_NOT_MET),
        (DEVIATED, Verdict.PASS, Verdict.FAIL, ExitCode.CONDITION_NOT_MET),
        (LEFT, Verdict.FAIL, Verdict.FAIL, ExitCode.UNDO_FAILED),
        (BLIND, Verdict.PASS, Verdict.INDETERMINATE, ExitCode.NO_DATA),
    ],
)
def test_one_is_as_expected_or_ends_the_day_with_its_code(
    made: Outcome, expect: Verdict, verdict: Verdict, code: ExitCode
) -> None:
    result = day_result([Taken(made, expect, "")])
    assert (result.verdict, result.exit_code) == (verdict, code)


def test_the_gravest_decides_and_nothing_is_no_pass() -> None:
    both = day_result([Taken(DEVIATED, Verdict.PASS, ""), Taken(LEFT, Verdict.PASS, "")])
    assert (both.verdict, both.exit_code) == (Verdict.FAIL, ExitCode.UNDO_FAILED)
    nothing = day_result([])
    assert (nothing.verdict, nothing.exit_code) == (Verdict.INDETERMINATE, ExitCode.NO_DATA)


@pytest.mark.parametrize(
    ("made", "verdict", "code"),
    [
        (None, Verdict.INDETERMINATE, ExitCode.SIGTERM),
        (PASSED, Verdict.INDETERMINATE, ExitCode.SIGTERM),
        (DEVIATED, Verdict.FAIL, ExitCode.SIGTERM),
        (LEFT, Verdict.FAIL, ExitCode.UNDO_FAILED),
    ],
)
def test_a_day_that_was_interrupted_is_no_pass_whatever_came_before(
    made: Outcome | None, verdict: Verdict, code: ExitCode
) -> None:
    taken = [] if made is None else [Taken(made, Verdict.PASS, "")]
    result = day_result(taken, Interrupted(terminated=True))
    assert (result.verdict, result.exit_code) == (verdict, code)
    assert result.ended_early == "interrupted in a break"


DRILL = SCENARIOS[0]
EXPERIMENT = Experiment("x", "t", "d", "x.yaml", "0", {}, Guarded())


def card(*, fix: bool = True, experiment: ExperimentEnd | None = None) -> Scorecard:
    phases = tuple(PhaseScore(name, 12.0, 300.0) for name in ("detected", "triaged", "mitigated", "resolved"))
    return Scorecard(
        "drl-1", DRILL.name, DRILL.alert, None, "inc-1", NOW, phases, "a release", "a release", True,
        "rollback", fix, "", None, None, None, None, "pm.md", 61.0, None, experiment=experiment,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("made", "expect", "code"),
    [
        (card(), Verdict.PASS, ExitCode.OK),
        (card(fix=False), Verdict.PASS, ExitCode.CONDITION_NOT_MET),
        (card(fix=False), Verdict.FAIL, ExitCode.OK),
        (
            card(fix=False, experiment=ExperimentEnd("exp-1", "x", "FAIL", 14, "too many errors")),
            Verdict.FAIL,
            ExitCode.STOP_CONDITION,
        ),
    ],
)
def test_a_drill_is_as_expected_by_its_own_score_and_weighs_nothing_in_that_of_experiments(
    made: Scorecard, expect: Verdict, code: ExitCode
) -> None:
    drilled = Taken(outcome_of_drill(DRILL, made), expect, "", (), DRILL.name, made)
    assert (day_result([drilled]).exit_code, day_result([drilled]).score) == (code, None)
    assert day_result([drilled, Taken(PASSED, Verdict.PASS, "")]).score == 100


def test_the_report_names_drills_with_who_did_what_and_their_score() -> None:
    played = Taken(
        outcome_of_drill(DRILL, card()), Verdict.PASS, "the pager", (("responder", "bo"),), DRILL.name, card()
    )
    unplayed = Taken(undrilled(DRILL, "it was ended", ExitCode.NO_DATA), Verdict.PASS, "", (), DRILL.name)
    day = GameDay("Friday", "", (("lead", "ana"),), (), "day.yaml")
    view = gameday_view(day, day_result([played, unplayed]))
    (fields,) = [one for one in view.blocks if isinstance(one, Fields)]
    assert dict(fields.rows)["drills passed"] == "1 of 2"
    steps, scores = [one for one in view.blocks if isinstance(one, Listing)]
    told = {column.title: column.cell(played) for column in steps.columns}
    assert (told["step"], told["who"]) == (f"drill {DRILL.name}: {DRILL.title}", "responder: bo")
    (scored,) = scores.items
    shown = {column.title: column.cell(scored) for column in scores.columns}
    assert (shown["result"], shown["resolved"], shown["fix"]) == ("PASS", "12s", "rollback (right)")
    assert view.document["experiments"][0]["scorecard"]["drill"] == "drl-1"
    assert view.document["experiments"][1]["scorecard"] is None


@pytest.mark.parametrize(
    ("made", "verdict", "code"),
    [
        (PASSED, Verdict.INDETERMINATE, ExitCode.NO_DATA),
        (DEVIATED, Verdict.FAIL, ExitCode.CONDITION_NOT_MET),
        (LEFT, Verdict.FAIL, ExitCode.UNDO_FAILED),
    ],
)
def test_a_day_without_a_record_of_its_end_is_no_pass_and_what_is_worse_stays(
    made: Outcome, verdict: Verdict, code: ExitCode
) -> None:
    result = unkept_day(day_result([Taken(made, Verdict.PASS, "")]), "its end cannot be written down")
    assert (result.verdict, result.exit_code) == (verdict, code)
    assert result.ended_early == "its end cannot be written down"


@pytest.mark.parametrize("found", [ExitCode.CONDITION_NOT_MET, ExitCode.UNDO_FAILED, ExitCode.STOP_CONDITION])
def test_what_was_found_bad_reads_so_beside_its_code_and_without_a_record_is_never_as_expected(
    found: ExitCode,
) -> None:
    drill = Taken(undrilled(DRILL, "it cannot be written down", found), Verdict.FAIL, "", (), DRILL.name)
    run = Taken(refused(EXPERIMENT, NotKept("no room", found=found)), Verdict.FAIL, "")
    for one in (drill, run):
        assert one.outcome.verdict is Verdict.FAIL
        assert not one.is_as_expected
        ended = day_result([one])
        assert (ended.verdict, ended.exit_code) == (Verdict.FAIL, found)
    assert undrilled(DRILL, "its guard refused it", ExitCode.GATE_NOT_MET).verdict is Verdict.INDETERMINATE


def test_an_expected_deviation_without_a_record_is_told_to_have_none() -> None:
    unkept = refused(EXPERIMENT, NotKept("no room", found=ExitCode.CONDITION_NOT_MET))
    result = day_result([Taken(unkept, Verdict.FAIL, "")])
    steps = gameday_view(GameDay("Friday", "", (("lead", "ana"),), (), "day.yaml"), result).rows
    assert isinstance(steps, Listing)
    shown = {column.title: column.cell(steps.items[0]) for column in steps.columns}
    assert shown["as expected"] == "no: it has no record"


def test_a_report_of_the_day_tells_what_each_experiment_cost() -> None:
    day, taken = GameDay("Friday", "", (), (), "friday.yaml"), [Taken(PASSED, Verdict.PASS, "")]
    view = gameday_view(day, day_result(taken))
    assert view.document["experiments"][0]["actual_burn"] == [plain(BURNED)]
    assert view.document["experiments"][0]["predicted_burn"] == PASSED.ours["predicted_burn"]
    (steps,) = [one for one in view.blocks if isinstance(one, Listing)]
    (column,) = [one for one in steps.columns if one.title == "burned meanwhile"]
    assert str(column.cell(taken[0])).startswith("fraud-availability: 0.3% of its budget")
    unbegun = refused(EXPERIMENT, NotKept("no room", found=ExitCode.OK))
    assert column.cell(Taken(unbegun, Verdict.PASS, "")) is None
