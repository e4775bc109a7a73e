"""How the league is scored: where the true cause came, what was noticed, and when the league misses."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from maestro_cli.chaos.drills.league.draw import NOTHING, draw
from maestro_cli.chaos.drills.league.judge import judge, rank_of
from maestro_cli.chaos.drills.league.model import Item, LeagueReport, Pair
from maestro_cli.chaos.drills.league.record import document_of, read_document
from maestro_cli.chaos.drills.model import Accused, Baseline, Fix, Outcome, Truth
from maestro_cli.chaos.drills.scorecard import Performance
from maestro_cli.core.canonical import plain
from maestro_cli.core.errors import InvalidFile
from maestro_cli.output.renderers.drills import league_view

T0 = datetime(2026, 1, 1, tzinfo=UTC)
TARGET = "ml/deploy/fraud"
TRUE = Accused("release", TARGET, 2, 0.8)
POD = Accused("pod", "pod ml/fraud-1", None, 0.7)
TRUTH = Truth(T0, TARGET, "release of ml/deploy/fraud, revision 2", is_mended=True, revision=2)
NO_TRUTH = Truth(T0, "nothing", "nothing was wrong", is_mended=False)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


WELL_DONE = Outcome(
    incident="inc-1", detected_at=at(5), triaged_at=at(6), mitigated_at=at(20), resolved_at=at(21),
    suspect_kind="release", suspect_subject=TARGET, suspect_revision=2, suspects=(TRUE, POD),
    fixes=(Fix("rollback", TARGET, True),), run="crash-loop succeeded",
)  # fmt: skip


def judged(
    name: str, outcome: Outcome, truth: Truth = TRUTH, fouls: tuple[str, ...] = (), *, seed: int = 1
) -> Item:
    baseline = Baseline(T0, 1, {}, None, None)
    played = Performance(
        "drl-1", draw(name, seed), None, baseline, truth, outcome, None, None, at(30), 30.0, None
    )  # fmt: skip
    return judge(played, seed, "seal", fouls)


def test_a_response_that_names_and_ends_the_cause_passes() -> None:
    item = judged("crash-loop", WELL_DONE)
    assert item.passed
    assert (item.cause_rank, item.detected_seconds, item.triaged_seconds) == (1, 5, 6)
    assert (item.mitigated_seconds, item.resolved_seconds) == (20, 21)
    assert item.pairs == (Pair(0.8, True, "release"), Pair(0.7, False, "pod"))


def test_a_cause_that_comes_second_does_not() -> None:
    item = judged("crash-loop", replace(WELL_DONE, suspects=(POD, TRUE)))
    assert (item.passed, item.cause_rank, item.misses) == (False, 2, ("the true cause came at 2",))


@pytest.mark.parametrize("other", [replace(TRUE, revision=1), replace(TRUE, subject="ml/deploy/x"), POD])
def test_a_cause_is_the_kind_the_subject_and_the_revision(other: Accused) -> None:
    assert rank_of((other,), "release", TRUTH) is None


def test_a_foul_fails_what_went_well() -> None:
    assert not judged("crash-loop", WELL_DONE, fouls=("read early",)).passed


def test_where_no_runbook_ends_it_only_notice_and_cause_count() -> None:
    left = replace(WELL_DONE, mitigated_at=None, resolved_at=None, fixes=())
    seed = next(seed for seed in range(99) if not draw("wrong-answers", seed).right_fix)
    item = judged("wrong-answers", left, seed=seed)
    assert item.passed
    assert not judged("slow-release", left).passed  # a runbook ends that one
    assert item.resolved_seconds is None


def test_what_nobody_noticed_was_not_noticed_rightly() -> None:
    item = judged("slow-release", Outcome())
    assert (item.passed, item.noticed_rightly) == (False, False)
    assert "detected never happened" in item.misses


def test_a_quiet_hour_passes_where_nothing_is_opened_and_fails_where_something_is() -> None:
    assert draw("quiet-hour", 1).true_cause == NOTHING
    assert judged("quiet-hour", Outcome(), NO_TRUTH).passed
    opened = Outcome(incident="inc-1", detected_at=at(9), triaged_at=at(10))
    item = judged("quiet-hour", opened, NO_TRUTH)
    assert (item.passed, item.noticed_rightly, item.cause_is_right) == (False, False, True)


def test_noise_passes_where_it_is_seen_and_nobody_is_blamed() -> None:
    seen = Outcome(incident="inc-1", detected_at=at(2), triaged_at=at(3), suspects=(replace(POD, score=0.3),))
    item = judged("noise-storm", seen, NO_TRUTH)
    assert (item.passed, item.cause_rank, item.cause_is_right) == (True, None, True)
    blamed = replace(seen, suspect_kind="pod", suspect_subject="pod ml/fraud-1")
    assert judged("noise-storm", blamed, NO_TRUTH).misses == ("pod ml/fraud-1 was blamed",)
    mended = replace(seen, fixes=(Fix("restart", TARGET, True),))
    assert "nothing was wrong, and this was done" in judged("noise-storm", mended, NO_TRUTH).misses[0]


def test_noise_that_nobody_triaged_is_blamed_on_nobody_by_chance_alone() -> None:
    seen = Outcome(incident="inc-1", detected_at=at(2))
    item = judged("noise-storm", seen, NO_TRUTH)
    assert (item.passed, item.cause_is_right) == (False, False)
    assert "triaged never happened" in item.misses


def league(first: int, of: int, **change: object) -> LeagueReport:
    item = judged("crash-loop", WELL_DONE)
    items = [replace(item, seed=seed, cause_is_right=seed < first) for seed in range(of)]
    items[0] = replace(items[0], **change)  # type: ignore[arg-type]
    wanted = tuple(("crash-loop", seed) for seed in range(of))
    return LeagueReport(tuple(items), wanted, T0)


@pytest.mark.parametrize(
    ("first", "of", "passed"), [(9, 10, True), (8, 10, False), (54, 60, True), (53, 60, False)]
)
def test_nine_of_ten_true_causes_have_to_come_first(first: int, of: int, passed: bool) -> None:
    assert league(first, of).passed is passed


@pytest.mark.parametrize("change", [{"noticed_rightly": False}, {"fouls": ("read early",)}])
def test_one_that_is_not_noticed_rightly_or_foul_fails_the_league(change: dict[str, object]) -> None:
    assert not league(10, 10, **change).passed


def test_a_league_of_which_something_is_left_has_not_passed() -> None:
    whole = league(3, 3)
    part = replace(whole, items=whole.items[:2])
    assert part.left == (("crash-loop", 2),)
    assert not part.passed
    assert not replace(whole, items=(), wanted=()).passed


def test_a_league_that_was_kept_is_read_as_it_was() -> None:
    report = league(2, 3, misses=("late",), fouls=("read early",))
    content = json.dumps(plain(document_of(report))).encode()
    assert read_document(content, "league.json") == report


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"items": [{}]}'])
def test_what_is_no_league_is_refused_with_its_file(content: bytes) -> None:
    with pytest.raises(InvalidFile):
        read_document(content, "league.json")


def test_the_scorecard_has_what_programs_were_promised() -> None:
    body = league_view(league(3, 3), "league.json").body()
    assert body["schema"] == "maestro.dev/drill-league/v1"
    promised = {"scenario", "seed", "true_cause", "cause_rank", "detected_seconds", "triaged_seconds",
                "mitigated_seconds", "resolved_seconds", "passed"}  # fmt: skip
    assert promised <= set(body["items"][0])
    assert body["calibration"][0] == {
        "scenario": "crash-loop", "seed": 0, "score": 0.8, "was_right": True, "kind": "release",
    }  # fmt: skip
