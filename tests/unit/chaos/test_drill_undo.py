"""However a drill ends, what it broke is put back, or it says what is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.changes.holder import acquire
from maestro_cli.chaos.drills.conductor import DRILLS, GONE, unfinished
from maestro_cli.chaos.drills.defects.defect import Scene
from maestro_cli.chaos.drills.defects.everything import everything
from maestro_cli.chaos.drills.model import Baseline
from maestro_cli.chaos.history import LEASE
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import (
    ActionFailed,
    Interrupted,
    NotFound,
    Refused,
    StalePlan,
    TimedOut,
    UndoFailed,
    Unreachable,
)
from maestro_cli.core.facts.cluster import ConfigMap, Workload
from maestro_cli.core.progress import Progress
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.runbooks.model import Confirm
from maestro_cli.services import rehearsing
from maestro_cli.services.drilling import clear_killed_drills
from tests.unit.chaos.theatre import SCENARIO, WELL, Theatre


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    made = Theatre(tmp_path / "journal.sqlite")
    yield made
    made.journal.close()


@pytest.mark.parametrize(
    "failure",
    [Interrupted(), KeyboardInterrupt(), ZeroDivisionError()],
    ids=lambda error: type(error).__name__,
)
def test_an_interrupted_drill_is_undone_and_put_away(theatre: Theatre, failure: BaseException) -> None:
    theatre.responder.fails = failure
    with pytest.raises(type(failure)):
        theatre.run()
    assert theatre.cluster.is_well
    assert theatre.stage.calls == ["up", "down"]
    assert theatre.kinds == ["drill.intended", "drill.undone"]
    assert theatre.responder.dismissed[-1] == "the drill is over"


def test_what_the_cluster_did_not_answer_is_undone(theatre: Theatre) -> None:
    """The call may have been done all the same."""

    def done_unanswered() -> None:
        theatre.cluster.template = BROKEN
        theatre.cluster.version += 1
        raise Unreachable("silent")

    theatre.cluster.before_replace = done_unanswered
    with pytest.raises(Unreachable):
        theatre.run()
    assert theatre.cluster.is_well
    assert theatre.journal.events(kinds=("drill.undone",))[0].data == {"by": "the drill"}


def test_one_that_lost_its_permission_after_it_shipped_is_undone(theatre: Theatre) -> None:
    read = theatre.cluster.get_workload
    theatre.cluster.numbers_revisions = False

    def refused(ref: WorkloadRef) -> Workload:
        if theatre.cluster.is_well:
            return read(ref)
        theatre.cluster.get_workload = read  # type: ignore[method-assign]
        raise Refused("403")

    theatre.cluster.before_replace = lambda: setattr(theatre.cluster, "get_workload", refused)
    with pytest.raises(Refused):
        theatre.run()
    assert theatre.cluster.is_well


def test_a_controller_that_sleeps_ends_the_drill_and_the_defect_is_undone(theatre: Theatre) -> None:
    theatre.cluster.numbers_revisions = False
    with pytest.raises(TimedOut, match="did not take up"):
        theatre.run()
    assert theatre.cluster.is_well


def test_an_undo_looks_again_when_the_cluster_moved_or_did_not_answer(theatre: Theatre) -> None:
    theatre.responder.fails = ActionFailed("x")

    def trouble() -> None:
        theatre.cluster.failures = [StalePlan("moved"), Unreachable("silent")]

    original = theatre.responder.respond

    def respond(incident: str, *, confirm: Confirm, progress: Progress, cancellation: Cancellation) -> None:
        trouble()
        original(incident, confirm=confirm, progress=progress, cancellation=cancellation)

    theatre.responder.respond = respond  # type: ignore[method-assign]
    theatre.run()
    assert theatre.cluster.is_well


def test_an_undo_that_fails_says_what_is_left(theatre: Theatre) -> None:
    theatre.responder.fails = ActionFailed("x")
    original = theatre.responder.respond

    def respond(incident: str, *, confirm: Confirm, progress: Progress, cancellation: Cancellation) -> None:
        theatre.cluster.failures = [Unreachable("silent") for _ in range(50)]
        original(incident, confirm=confirm, progress=progress, cancellation=cancellation)

    theatre.responder.respond = respond  # type: ignore[method-assign]
    with pytest.raises(UndoFailed, match="still on ml/deploy/fraud"):
        theatre.run()
    assert theatre.stage.calls == ["up", "down"]
    assert len(unfinished(theatre.journal)) == 1


BROKEN = {"spec": {"containers": [{"args": ["--serve", "fraud=2"]}]}}


def killed(theatre: Theatre, drill: str = "drl-1", target: str = "ml/deploy/fraud") -> None:
    """A drill that is no experiment intended this, and nobody works on it any more."""
    undo = {"template": WELL, "revision": 1}
    intent = {"scenario": "bad-release", "target": target, "undo": undo}
    theatre.journal.append("drill.intended", f"drill/{drill}", "ana", intent)


def test_what_a_killed_drill_left_is_undone_by_the_next(theatre: Theatre) -> None:
    killed(theatre, "drl-killed")
    theatre.cluster.template = BROKEN
    assert theatre.run().passed
    undone = theatre.journal.events(subject="drill/drl-killed", kinds=("drill.undone",))
    assert [event.data for event in undone] == [{"by": "the next drill"}]
    assert unfinished(theatre.journal) == ()


def left_by_a_league(theatre: Theatre) -> None:
    """A league of two workloads was killed; the cluster that is there now has only the first."""
    places = [SCENARIO.target, replace(SCENARIO.target, name="recommendation")]
    scenes = [Scene(theatre.ensemble, place, "drl-league", theatre.clock) for place in places]
    undo = everything(scenes, [Baseline(theatre.clock.now(), 1, WELL, 0, 0)] * 2)
    intent = {"seal": "x", "targets": [str(place) for place in places], "undo": undo}
    theatre.journal.append("drill.intended", "drill/drl-league", "tester", intent)
    read = theatre.cluster.get_workload

    def get_workload(ref: WorkloadRef) -> Workload:
        if ref.name == "recommendation":
            raise NotFound(f"there is no {ref}")
        return read(ref)

    theatre.cluster.get_workload = get_workload  # type: ignore[method-assign]


def test_a_killed_leagues_workload_that_is_gone_keeps_nothing_from_being_undone(theatre: Theatre) -> None:
    left_by_a_league(theatre)
    theatre.cluster.template = BROKEN
    assert theatre.run().passed
    undone = theatre.journal.events(subject="drill/drl-league", kinds=("drill.undone",))
    assert [event.data for event in undone] == [{"by": "the next drill"}]
    assert unfinished(theatre.journal) == ()


def test_what_a_workload_reads_that_is_gone_while_it_is_there_was_not_undone(theatre: Theatre) -> None:
    left_by_a_league(theatre)

    def get_config_map(namespace: str, name: str) -> ConfigMap:
        raise NotFound(f"there is no {name}")

    theatre.cluster.get_config_map = get_config_map  # type: ignore[method-assign]
    with pytest.raises(NotFound, match="fraud-settings"):
        theatre.run()
    assert [event.subject for event in unfinished(theatre.journal)] == ["drill/drl-league"]


def test_another_workloads_leftover_is_not_touched(theatre: Theatre) -> None:
    other = {"target": "ml/deploy/other", "undo": {"template": {"spec": {}}}}
    theatre.journal.append("drill.intended", "drill/drl-other", "tester", other)
    theatre.run()
    assert [event.subject for event in unfinished(theatre.journal)] == ["drill/drl-other"]


def test_a_leftover_of_an_unknown_kind_is_left_and_said(theatre: Theatre) -> None:
    other = {"target": str(SCENARIO.target), "undo": {"weather": "rain"}}
    theatre.journal.append("drill.intended", "drill/drl-newer", "tester", other)
    with pytest.raises(UndoFailed, match="not known here"):
        theatre.run()
    assert [event.subject for event in unfinished(theatre.journal)] == ["drill/drl-newer"]


def sweep(theatre: Theatre, monkeypatch: pytest.MonkeyPatch, run: str = "") -> list[tuple[str, ...]]:
    """What a sweep tells that it took back."""
    monkeypatch.setattr(rehearsing, "embedded_ensemble", lambda _: theatre.ensemble)
    services = SimpleNamespace(journal=theatre.journal, clock=theatre.clock, actor="ana")
    return [one.faults for one in clear_killed_drills(cast(Any, services), run)]


@pytest.mark.parametrize("is_mended", [False, True], ids=["killed", "its end could not be written down"])
def test_a_sweep_puts_away_a_drill_that_is_no_experiment_once(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch, *, is_mended: bool
) -> None:
    killed(theatre)
    if not is_mended:
        theatre.cluster.template = BROKEN
    for name, subject in ((DRILLS, "drl-1"), (LEASE, "exp-2")):
        living = acquire(theatre.journal, name, subject, 1e6)
        assert sweep(theatre, monkeypatch) == [], f"{subject} is at work"
        theatre.journal.release_lease(living)
    assert sweep(theatre, monkeypatch, "exp-1") == [], "it is not of that run"
    assert len(unfinished(theatre.journal)) == 1
    assert sweep(theatre, monkeypatch) == [("what bad-release broke",)]
    assert sweep(theatre, monkeypatch) == []
    assert theatre.cluster.is_well
    assert [event.data["by"] for event in theatre.journal.events(kinds=("drill.undone",))] == ["a sweep"]
    assert theatre.responder.dismissed == ["left open by a drill that was killed"]


def test_a_sweep_puts_away_a_sealed_drill_and_tells_nothing_of_it(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = WorkloadRef("Deployment", "ml", "recommendation")
    baseline = Baseline(theatre.clock.now(), 1, WELL, None, None)
    places = [Scene(theatre.ensemble, ref, "drl-1", theatre.clock) for ref in (SCENARIO.target, other)]
    intent = {
        "targets": [str(one.target) for one in places],
        "undo": everything(places[:1], [baseline]),
    }
    theatre.journal.append("drill.intended", "drill/drl-1", "ana", intent)
    theatre.cluster.template = BROKEN
    assert sweep(theatre, monkeypatch) == [("what a scenario broke",)]
    assert theatre.cluster.is_well
    assert unfinished(theatre.journal) == ()


def test_what_was_left_on_a_workload_that_is_gone_holds_up_no_sweep(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(theatre)

    def gone(ref: WorkloadRef) -> Workload:
        raise NotFound(f"there is no {ref}")

    theatre.cluster.get_workload = gone  # type: ignore[method-assign]
    sweep(theatre, monkeypatch)
    assert [event.data["by"] for event in theatre.journal.events(kinds=("drill.undone",))] == [GONE]


def test_a_killed_drill_that_a_sweep_cannot_put_away_keeps_no_other_from_it_and_is_told(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(theatre, target="ml/deploy/closed")
    killed(theatre, "drl-2")
    read = theatre.cluster.get_workload

    def get_workload(ref: WorkloadRef) -> Workload:
        if ref.name == "closed":
            raise Refused("403")
        return read(ref)

    theatre.cluster.get_workload = get_workload  # type: ignore[method-assign]
    monkeypatch.setattr(rehearsing, "embedded_ensemble", lambda _: theatre.ensemble)
    services = SimpleNamespace(journal=theatre.journal, clock=theatre.clock, actor="ana")
    stuck, mended = clear_killed_drills(cast(Any, services))
    assert (stuck.run, stuck.faults, mended.run, mended.residue) == ("drl-1", (), "drl-2", ())
    assert "403" in stuck.residue[0]
    assert [event.subject for event in unfinished(theatre.journal)] == ["drill/drl-1"]
