"""A fault in one replica as a drill: judged by what its server recorded, and ended however the drill ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from maestro_cli.chaos.drills.conductor import unfinished
from maestro_cli.chaos.drills.faults import InjectedFault
from maestro_cli.chaos.drills.scenarios import find_scenario
from maestro_cli.core.errors import (
    ActionFailed,
    GateNotMet,
    Interrupted,
    InvalidFile,
    MaestroError,
    NoData,
    Refused,
    UndoFailed,
    Unreachable,
)
from tests.unit.chaos.theatre import Theatre

SLOW = find_scenario("slow-model")


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    made = Theatre(tmp_path / "journal.sqlite", SLOW)
    yield made
    made.journal.close()


def undone_by(theatre: Theatre) -> list[str]:
    return [event.data["by"] for event in theatre.journal.events(kinds=("drill.undone",))]


def test_a_good_response_passes_and_was_mitigated_when_the_fault_truly_ended(theatre: Theatre) -> None:
    card = theatre.run()
    assert card.passed, card.misses
    assert theatre.faults.fault is not None
    assert card.injected_at == theatre.faults.fault.began
    assert [(phase.name, phase.seconds) for phase in card.phases] == [
        ("detected", 20.0), ("triaged", 30.0), ("mitigated", 30.0), ("resolved", 35.0)
    ]  # fmt: skip
    assert card.true_cause == "latency in pod ml/fraud-abc"
    assert (card.blamed, card.fix) == ("pod ml/fraud-abc", "restart ml/deploy/fraud")
    assert undone_by(theatre) == ["the responders"]
    assert theatre.cluster.replaced == 0


def test_how_to_undo_it_is_in_the_journal_before_and_the_truth_only_with_the_score(theatre: Theatre) -> None:
    seen: list[list[str]] = []
    theatre.faults.before_inject = lambda: seen.append(theatre.kinds)
    theatre.run()
    assert seen == [["drill.intended"]]
    intent, *_ = theatre.journal.events()
    assert intent.data["undo"] == {"faults": "all"}
    assert theatre.faults.pod not in str(intent.data)


@pytest.mark.parametrize(
    ("disturb", "miss"),
    [
        (lambda t: setattr(t.responder, "fixes", False), "the wrong fix was made"),
        (lambda t: setattr(t.responder, "blames", "fraud-other"), "the wrong cause was blamed"),
        (lambda t: setattr(t.responder, "detects", False), "detected never happened"),
        (lambda t: setattr(t.responder, "fails", ActionFailed("broke")), "the response stopped: broke"),
    ],
)
def test_a_poor_response_fails_and_the_fault_is_ended(
    theatre: Theatre, disturb: Callable[[Theatre], None], miss: str
) -> None:
    disturb(theatre)
    card = theatre.run()
    assert miss in card.misses
    assert not theatre.faults.is_on


@pytest.mark.parametrize(
    "leave", [lambda t: setattr(t.faults, "stops", False), lambda t: setattr(t.faults, "ended_by", "time")],
    ids=["still on", "its time was over"],
)  # fmt: skip
def test_who_leaves_the_fault_to_its_time_or_to_the_drill_has_fixed_nothing(
    theatre: Theatre, leave: Callable[[Theatre], None]
) -> None:
    leave(theatre)
    card = theatre.run()
    assert card.misses == ("mitigated never happened", "the wrong fix was made")
    assert undone_by(theatre) == ["the drill"]
    assert not theatre.faults.is_on


def test_a_fault_that_met_nobody_is_not_scored(theatre: Theatre) -> None:
    theatre.faults.hits = 0
    with pytest.raises(NoData, match="met nobody"):
        theatre.run()
    assert theatre.kinds == ["drill.intended", "drill.undone"]


def test_a_fault_whose_requests_nobody_counted_is_scored(theatre: Theatre) -> None:
    theatre.faults.hits = None
    assert theatre.run().passed


def test_a_record_that_cannot_be_read_keeps_no_fault_on(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> tuple[InjectedFault, ...]:
        raise InvalidFile("is no line of a fault journal", file="f.jsonl")

    monkeypatch.setattr(theatre.faults, "recorded", refuse)
    with pytest.raises(InvalidFile):
        theatre.run()
    assert not theatre.faults.is_on


@pytest.mark.parametrize("error", [Refused("403"), GateNotMet("no ready pod")])
def test_what_was_refused_is_not_undone(theatre: Theatre, error: MaestroError) -> None:
    theatre.faults.failures = [error]
    with pytest.raises(type(error), match=error.what):
        theatre.run()
    assert theatre.faults.ended_all == 0
    assert undone_by(theatre) == ["nobody: nothing was shipped"]


def test_what_got_no_answer_may_be_on_and_is_ended(theatre: Theatre) -> None:
    theatre.faults.failures = [Unreachable("silent")]
    with pytest.raises(Unreachable):
        theatre.run()
    assert theatre.faults.ended_all == 1
    assert unfinished(theatre.journal) == ()


def test_an_interrupted_drill_ends_its_fault(theatre: Theatre) -> None:
    theatre.responder.fails = Interrupted()
    with pytest.raises(Interrupted):
        theatre.run()
    assert not theatre.faults.is_on
    assert undone_by(theatre) == ["the drill"]


def test_ending_looks_again_and_says_what_is_left(theatre: Theatre) -> None:
    theatre.faults.failures_to_end = [Unreachable("silent") for _ in range(4)]
    assert theatre.run().passed
    theatre.faults.failures_to_end = [Unreachable("silent") for _ in range(50)]
    with pytest.raises(UndoFailed, match="still on ml/deploy/fraud"):
        theatre.run()
    assert len(unfinished(theatre.journal)) == 1


def test_what_a_killed_drill_left_is_ended_by_the_next_of_either_kind(theatre: Theatre) -> None:
    for scenario in (SLOW, find_scenario("bad-release")):
        theatre.faults.fault, theatre.faults.ended_all = None, 0
        left = {"target": str(SLOW.target), "undo": {"faults": "all"}}
        theatre.journal.append("drill.intended", f"drill/drl-{scenario.name}", "tester", left)
        theatre.scenario = replace(scenario)
        assert theatre.run().passed
        assert theatre.faults.ended_all >= 1
        assert unfinished(theatre.journal) == ()
