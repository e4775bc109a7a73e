"""However a drill ends, what it broke is put back, or it says what is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from maestro_cli.chaos.drills.conductor import unfinished
from maestro_cli.chaos.drills.defects.defect import Scene
from maestro_cli.chaos.drills.defects.everything import everything
from maestro_cli.chaos.drills.model import Baseline
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
        theatre.cluster.template = {"spec": {"containers": [{"args": ["--serve", "fraud=2"]}]}}
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


def test_what_a_killed_drill_left_is_undone_by_the_next(theatre: Theatre) -> None:
    theatre.journal.append(
        "drill.intended",
        "drill/drl-killed",
        "tester",
        {"target": str(SCENARIO.target), "undo": {"template": WELL}},
    )
    theatre.cluster.template = {"spec": {"containers": [{"args": ["--serve", "fraud=2"]}]}}
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
    theatre.cluster.template = {"spec": {"containers": [{"args": ["--serve", "fraud=2"]}]}}
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
