"""The course of a drill: started, broken, responded to, scored, put away; the truth comes last."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from maestro_cli.changes.holder import acquire, is_held
from maestro_cli.chaos import keeping
from maestro_cli.chaos.drills import conductor
from maestro_cli.chaos.drills.conductor import DRILLS, is_drilling
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import (
    ActionFailed,
    Busy,
    CannotRecord,
    ExitCode,
    GateNotMet,
    Interrupted,
    MaestroError,
    NotFound,
    TimedOut,
)
from maestro_cli.core.facts.cluster import Workload
from maestro_cli.core.progress import Quiet
from maestro_cli.core.refs import WorkloadRef
from tests.patience import wait_for
from tests.unit.chaos.theatre import SCENARIO, WELL, Theatre


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    made = Theatre(tmp_path / "journal.sqlite")
    yield made
    made.journal.close()


def test_a_good_response_passes_and_everything_is_put_away(theatre: Theatre) -> None:
    card = theatre.run()
    assert card.passed, card.misses
    assert theatre.cluster.is_well
    assert theatre.stage.calls == ["up", "down"]
    assert theatre.kinds == ["drill.intended", "drill.undone", "drill.scored"]
    assert theatre.journal.events(kinds=("drill.undone",))[0].data == {"by": "the responders"}
    assert theatre.responder.closed == ["inc-1"]


def test_the_undo_is_in_the_journal_before_anything_is_broken(theatre: Theatre) -> None:
    seen: list[list[str]] = []
    theatre.cluster.before_replace = lambda: seen.append(theatre.kinds)
    theatre.run()
    assert seen == [["drill.intended"]]
    assert theatre.journal.events()[0].data["undo"]["template"] == WELL


def test_the_truth_is_not_in_the_journal_before_the_score(theatre: Theatre) -> None:
    theatre.run()
    intent = str(theatre.journal.events(kinds=("drill.intended",))[0].data)
    assert str(SCENARIO.true_cause) not in intent.replace(SCENARIO.name, "")
    assert SCENARIO.right_fix not in intent


@pytest.mark.parametrize(("keep", "up_already"), [(True, False), (False, True), (True, True)])
def test_a_platform_that_was_up_or_is_kept_stays(theatre: Theatre, keep: bool, up_already: bool) -> None:
    theatre.stage.up_already = up_already
    card = theatre.run(keep=keep)
    assert "down" not in theatre.stage.calls
    assert (card.platform_seconds is None) is up_already


def test_a_response_that_fails_is_scored_and_undone(theatre: Theatre) -> None:
    theatre.responder.fails = ActionFailed("the runbook broke")
    card = theatre.run()
    assert not card.passed
    assert "the response stopped: the runbook broke" in card.misses
    assert theatre.cluster.is_well
    assert theatre.journal.events(kinds=("drill.undone",))[0].data == {"by": "the drill"}


def test_a_response_that_fixes_nothing_fails_and_is_undone(theatre: Theatre) -> None:
    theatre.responder.fixes = False
    card = theatre.run()
    assert not card.fix_is_right
    assert theatre.cluster.is_well


def test_a_defect_that_nobody_notices_is_a_score_not_a_crash(theatre: Theatre) -> None:
    theatre.responder.detects = False
    card = theatre.run()
    assert "detected never happened" in card.misses
    assert theatre.cluster.is_well


def test_a_platform_that_does_not_start_is_taken_down(theatre: Theatre) -> None:
    theatre.stage.fails = TimedOut("not ready")
    with pytest.raises(TimedOut):
        theatre.run()
    assert theatre.stage.calls == ["up", "down"]
    assert theatre.kinds == []


def test_a_drill_is_known_while_it_runs_and_a_little_longer(theatre: Theatre) -> None:
    assert not is_drilling(theatre.journal, theatre.clock.now())
    theatre.run()
    assert is_drilling(theatre.journal, theatre.clock.now())
    theatre.clock.sleep(121)
    assert not is_drilling(theatre.journal, theatre.clock.now())


@pytest.mark.parametrize("is_there", [False, True], ids=["gone", "there"])
def test_what_a_killed_drill_left_on_another_workload_is_nobodys_once_that_is_gone(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    known = theatre.cluster.get_workload

    def get_workload(ref: WorkloadRef) -> Workload:
        if ref.name == "recommendation" and not is_there:
            raise NotFound("there is no deployment recommendation")
        return known(ref)

    monkeypatch.setattr(theatre.cluster, "get_workload", get_workload)
    left = {"target": "ml/deploy/recommendation", "undo": {"template": {}}}
    theatre.journal.append("drill.intended", "drill/drl-killed", "tester", left)
    theatre.run()
    theatre.clock.sleep(121)
    assert is_drilling(theatre.journal, theatre.clock.now()) is is_there, "the next drill there undoes it"


def test_a_drill_leaves_everything_to_one_that_is_at_work(theatre: Theatre) -> None:
    """What it broke, what it opened, and the platform that both found down."""
    theatre.cluster.template = {"spec": "broken by the other one"}
    left = {"target": str(SCENARIO.target), "undo": {"template": WELL}}
    theatre.journal.append("drill.intended", "drill/drl-other", "ben", left)
    other = acquire(theatre.journal, DRILLS, "drl-other", 1e6)
    with pytest.raises(Busy, match="drills is held by drl-other"):
        theatre.run()
    assert theatre.kinds == ["drill.intended"]
    assert theatre.cluster.replaced == 0
    assert theatre.responder.dismissed == []
    assert theatre.stage.calls == ["up"]
    theatre.journal.release_lease(other)
    theatre.cluster.template = WELL
    assert theatre.run().passed
    assert theatre.kinds[1] == "drill.undone"


@pytest.mark.parametrize("fails", [False, True], ids=["to its end", "broken off"])
def test_a_drill_has_the_lease_until_nothing_of_it_is_left(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    # The theatre's time jumps, that of its threads does not.
    monkeypatch.setattr(keeping, "LEASE_SECONDS", 1e6)
    seen: list[bool] = []

    def look(*given: object) -> None:
        seen.append(is_held(theatre.journal, DRILLS))

    monkeypatch.setattr(theatre.stage, "down", look)
    monkeypatch.setattr(theatre.responder, "dismiss_drills", look)
    theatre.cluster.before_replace = look
    if fails:
        theatre.cluster.failures = [ActionFailed("no answer")]
        with pytest.raises(ActionFailed):
            theatre.run()
    else:
        theatre.run()
    assert len(seen) >= 3
    assert all(seen)
    assert not is_held(theatre.journal, DRILLS)


@pytest.mark.parametrize("is_taken_back", [True, False], ids=["what it broke is taken back", "it is there"])
def test_a_drill_that_lost_its_lease_stops_and_leaves_what_another_one_is_at(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch, is_taken_back: bool
) -> None:
    monkeypatch.setattr(keeping, "LEASE_SECONDS", 0.1)  # asked each third of it, by the time of threads

    def took_over() -> bool:
        held = theatre.journal.lease(DRILLS)
        if held is not None:
            theatre.journal.release_lease(held)
        try:
            acquire(theatre.journal, DRILLS, "drl-other", 1e6)
        except Busy:  # the drill was quicker
            return False
        return True

    def taken_over(incident: str, *, cancellation: Cancellation, **_: object) -> None:
        wait_for(took_over, "it has the lease")
        if is_taken_back:
            drill = theatre.journal.events(kinds=("drill.intended",))[0].subject
            theatre.journal.append("drill.undone", drill, "ben", {"by": "the next drill"})
            theatre.cluster.template = {**theatre.cluster.template, "spec": "broken by the other one"}
        wait_for(lambda: cancellation.is_set, "it is heard")
        raise Interrupted()

    monkeypatch.setattr(theatre.responder, "respond", taken_over)
    with pytest.raises(Busy, match="another process took over its lease") as told:
        theatre.run()
    assert told.value.exit_code is ExitCode.BUSY
    assert theatre.kinds == ["drill.intended", "drill.undone"]
    assert theatre.responder.dismissed == ["left open by a drill that was killed"], "the other one's stay"
    assert theatre.stage.calls == ["up"], "the other one is on it"
    assert theatre.cluster.is_well is not is_taken_back
    held = theatre.journal.lease(DRILLS)
    assert held is not None
    assert held.holder.startswith("drl-other ")


def test_who_ends_a_drill_is_told_that_what_it_broke_was_put_back(theatre: Theatre) -> None:
    class Notes(Quiet):
        said: ClassVar[list[str]] = []

        def note(self, text: str) -> None:
            self.said.append(text)

    theatre.progress, theatre.responder.fails = Notes(), Interrupted()
    with pytest.raises(Interrupted):
        theatre.run()
    assert Notes.said == ["what the drill broke was put back"]
    assert theatre.cluster.is_well


@pytest.mark.parametrize(
    ("kind", "error", "code"),
    [
        ("drill.scored", None, ExitCode.NO_DATA),
        ("drill.scored", ActionFailed("it broke"), ExitCode.CONDITION_NOT_MET),
        ("drill.undone", None, ExitCode.NO_DATA),
        ("drill.undone", Interrupted(), ExitCode.SIGINT),
    ],
)
@pytest.mark.parametrize("refusal", [CannotRecord, Busy], ids=["full", "held by another process"])
def test_a_drill_whose_end_cannot_be_written_down_is_put_back_and_no_pass(
    theatre: Theatre,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    error: MaestroError | None,
    code: ExitCode,
    refusal: type[MaestroError],
) -> None:
    append = theatre.journal.append

    def full(name: str, *given: object) -> object:
        if name == kind:
            raise refusal("the journal cannot be written", why="database or disk is full")
        return append(name, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(theatre.journal, "append", full)
    theatre.responder.fails = error
    with pytest.raises(MaestroError) as told:
        theatre.run()
    assert told.value.exit_code is code
    is_told = not isinstance(error, Interrupted)
    assert is_told is ("full; what the drill broke was put back" in told.value.why)
    assert theatre.cluster.is_well


def test_a_drill_that_cannot_be_written_down_breaks_nothing_and_leaves_no_platform(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object) -> object:
        raise CannotRecord("the journal cannot be written", why="database or disk is full")

    monkeypatch.setattr(conductor, "Keeper", full)
    with pytest.raises(GateNotMet, match="nothing was broken"):
        theatre.run()
    assert theatre.stage.calls == ["up", "down"]
