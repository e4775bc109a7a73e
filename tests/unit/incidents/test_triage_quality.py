"""A version whose answers turn out wrong is told by what came true, though nothing fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from maestro_cli.core.refs import WorkloadRef
from maestro_cli.incidents.triage.facts import CaseFacts, LogGroup, Rollout, SplitRow, Tally
from maestro_cli.incidents.triage.model import Onset, SuspectKind
from maestro_cli.incidents.triage.onset import find_onset, in_use
from maestro_cli.incidents.triage.quality import is_chance, quality_evidence, worse_answers
from maestro_cli.incidents.triage.suspects import rank_suspects

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REF = WorkloadRef("Deployment", "ml", "fraud")


def case(judged: dict[str, Tally], *, served_before: float = 0.0) -> CaseFacts:
    """Revision 2 with version 3 replaced revision 1 with version 1 at the onset; no request fails."""
    return CaseFacts(
        REF,
        Onset(NOW, NOW, "wrong answers"),
        rollouts=(Rollout(REF, 2, "fraud-b", NOW, True, 1, ("args fraud=1 -> fraud=3",)),),
        split=(
            SplitRow("fraud-a-1", "n", "1", "1", Tally(requests_before=900)),
            SplitRow("fraud-b-1", "n", "2", "3", Tally(requests_before=served_before, requests_since=500)),
        ),
        judged=judged,
    )


def test_a_service_that_only_begins_to_be_used_is_no_surge() -> None:
    rates = [0.0, 0.0, 20.0, 45.0, 50.0, 51.0, 49.0, 50.0]
    points = [(NOW + timedelta(seconds=7 * number), rate) for number, rate in enumerate(rates)]
    kept = in_use(points, 14, NOW)
    assert [rate for _, rate in kept] == [50.0, 51.0, 49.0, 50.0]
    assert in_use(kept, 14, kept[0][0]) == kept
    assert find_onset(
        kept, points[-1][0], basis="requests", floor=1, factor=1.8, gap_seconds=14
    ) is None  # fmt: skip


def test_the_release_whose_answers_turn_out_wrong_is_named_with_a_rollback() -> None:
    wrong = {"1": Tally(900, 225), "3": Tally(0, 0, 500, 375)}
    suspect = rank_suspects(case(wrong))[0]
    assert (suspect.kind, suspect.subject) == (SuspectKind.RELEASE, "ml/deploy/fraud revision 2")
    assert "25 % of revision 2's answers turn out right, 75 % before it" in suspect.reasons_for
    assert suspect.score >= 0.5
    assert suspect.fix is not None
    assert suspect.fix.name == "rollback"


def test_a_release_that_is_right_as_often_is_not_blamed() -> None:
    assert rank_suspects(case({"1": Tally(900, 225), "3": Tally(0, 0, 500, 130)})) == ()


def test_too_few_judged_answers_say_nothing() -> None:
    assert worse_answers(case({"1": Tally(900, 225), "3": Tally(0, 0, 19, 19)}), "2") == ""
    assert worse_answers(case({"1": Tally(19, 0), "3": Tally(0, 0, 500, 500)}), "2") == ""
    assert worse_answers(case({}), "2") == ""


@pytest.mark.parametrize(("few", "says"), [(1.0, False), (10.0, True)])
def test_a_difference_that_may_be_chance_says_nothing(few: float, says: bool) -> None:
    """22 % wrong of 90 answers beside 9 % of 33 may be drawn from one lot; of ten times as many not."""
    judged = {"1": Tally(0, 0, 33 * few, 3 * few), "3": Tally(0, 0, 90 * few, 20 * few)}
    assert bool(worse_answers(case(judged), "2")) is says
    assert is_chance(20 / 90, 90 * few, 3 / 33, 33 * few) is not says


def test_others_that_answer_at_the_same_time_are_what_is_compared_with() -> None:
    judged = {"1": Tally(900, 900, 300, 75), "3": Tally(0, 0, 500, 375)}
    assert worse_answers(case(judged), "2").endswith("75 % of the others at the same time")


def same_version(before: Tally, served_before: float) -> CaseFacts:
    """Revision 2 replaced revision 1 at the onset, with the same version of the model."""
    rows = (
        SplitRow("fraud-a-1", "n", "1", "1", Tally(requests_before=900)),
        SplitRow("fraud-b-1", "n", "2", "1", Tally(requests_before=served_before, requests_since=500)),
    )
    return replace(case({"1": before}), split=rows)


def test_a_release_that_makes_the_same_version_answer_wrongly_is_named() -> None:
    wrong = same_version(Tally(400, 100, 300, 225), served_before=20)
    suspect = rank_suspects(wrong)[0]
    assert (suspect.kind, suspect.score >= 0.5) == (SuspectKind.RELEASE, True)
    assert (
        "25 % of the answers turn out right since revision 2 answers, 75 % before it" in suspect.reasons_for
    )


@pytest.mark.parametrize(
    ("judged", "served_before"),
    [
        (Tally(400, 100, 300, 80), 20),  # as right as ever
        (Tally(400, 100, 300, 225), 400),  # it had answered before, and rightly
        (Tally(19, 4, 300, 225), 20),  # too few to tell
        (Tally(400, 100, 19, 19), 20),
    ],
)
def test_the_same_version_excuses_a_release_unless_it_got_worse_with_it(
    judged: Tally, served_before: float
) -> None:
    assert worse_answers(same_version(judged, served_before), "2") == ""


def test_the_evidence_has_the_share_of_right_answers_of_each_version() -> None:
    found = quality_evidence(case({"3": Tally(0, 0, 500, 375)}), "query", NOW, 0.1)
    assert (found.kind, found.summary) == ("quality", "right answers since the onset: version 3 25.0 %")
    assert quality_evidence(case({}), "query", NOW, 0.1).summary == "no answer was judged"


def line_of_all(revision: str) -> LogGroup:
    shape = "inference failed | the features could not be read: the store does not answer"
    return LogGroup("f", shape, shape, "error", True, {f"fraud-{revision}-{n}": (0, 9) for n in range(3)})


def failing(served_before: float) -> CaseFacts:
    """Everything that revision 2, released lately, answers fails from the onset on."""
    since = NOW - timedelta(seconds=600)
    return CaseFacts(
        REF,
        Onset(NOW, NOW, "errors"),
        rollouts=(Rollout(REF, 2, "fraud-b", since, True, 1, ("args",)),),
        split=tuple(
            SplitRow(f"fraud-b-{n}", "n", "2", "1", Tally(served_before / 3, 0, 100, 100)) for n in range(3)
        ),
        logs=(line_of_all("b"),),
    )


def test_a_recent_revision_that_had_answered_well_does_not_excuse_a_dependency() -> None:
    suspect = rank_suspects(failing(served_before=3000))[0]
    assert (suspect.kind, suspect.score >= 0.5) == (SuspectKind.DEPENDENCY, True)


def test_one_that_never_answered_well_does() -> None:
    found = [one for one in rank_suspects(failing(served_before=0)) if one.kind is SuspectKind.DEPENDENCY]
    assert all(one.score < 0.5 for one in found)
