"""A surge and a lost dependency as drills: what helped counts, and all is as before however it went."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro_cli.chaos.drills.defects import clear, defect_of
from maestro_cli.chaos.drills.defects.defect import Defect, NothingDone, Scene
from maestro_cli.chaos.drills.defects.dependency import LostDependency
from maestro_cli.chaos.drills.defects.load import Surge
from maestro_cli.chaos.drills.model import Baseline, Breakage, ReplicaFault
from maestro_cli.core.errors import NoData, Refused, UndoFailed, Unreachable
from tests.unit.chaos.theatre import SCENARIO, WELL, Theatre

SURGE = Surge(factor=4.0, seconds=60.0)
LOST = LostDependency(ReplicaFault("dependency", {}, "fraud", None, seconds=60.0), "fraud-routing")
FALLBACK = {"routing.yaml": "routes: {fraud: default}"}


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    made = Theatre(tmp_path / "journal.sqlite", SCENARIO)
    yield made
    made.journal.close()


def scene(theatre: Theatre) -> Scene:
    return Scene(theatre.ensemble, SCENARIO.target, "drl-1", theatre.clock)


def prepared(theatre: Theatre, breakage: Breakage) -> Defect:
    defect = defect_of(breakage, scene(theatre))
    defect.prepare(Baseline(theatre.clock.now(), 1, WELL, 0, 0))
    return defect


def broken(theatre: Theatre, breakage: Breakage) -> Defect:
    defect = prepared(theatre, breakage)
    defect.inject()
    return defect


def test_who_has_enough_replicas_there_has_met_the_surge_and_they_are_taken_back(theatre: Theatre) -> None:
    defect = broken(theatre, SURGE)
    assert theatre.load.factor == 4
    theatre.cluster.wanted = theatre.cluster.ready = 6
    assert defect.mend()
    assert (theatre.load.factor, theatre.cluster.wanted) == (1, 3)
    truth = defect.truth(is_mended=True)
    assert (truth.subject, truth.words) == (
        "load on ml/deploy/fraud",
        "4 times the usual requests to ml/deploy/fraud",
    )


@pytest.mark.parametrize(("wanted", "ready"), [(3, 3), (6, 3), (2, 3)])
def test_replicas_that_are_not_there_meet_no_surge(theatre: Theatre, wanted: int, ready: int) -> None:
    defect = broken(theatre, SURGE)
    theatre.cluster.wanted, theatre.cluster.ready = wanted, ready
    assert not defect.mend()
    assert (theatre.load.factor, theatre.cluster.wanted) == (1, 3)


def test_a_surge_is_ended_also_where_nobody_can_tell_who_met_it(theatre: Theatre) -> None:
    defect = broken(theatre, SURGE)
    theatre.cluster.wanted = 6
    theatre.cluster.failures_to_read = [Unreachable("silent")]
    with pytest.raises(Unreachable):
        defect.mend()
    assert (theatre.load.factor, theatre.cluster.wanted) == (1, 3)


def test_the_surge_of_a_killed_drill_is_undone_by_what_it_left(theatre: Theatre) -> None:
    theatre.load.factor, theatre.cluster.wanted = 4, 6
    clear({"surge": {"replicas": 3}}, scene(theatre))
    assert (theatre.load.factor, theatre.cluster.wanted) == (1, 3)


def test_replicas_that_cannot_be_taken_back_are_told(theatre: Theatre) -> None:
    defect = broken(theatre, SURGE)
    theatre.cluster.wanted = 6
    theatre.cluster.failures = [Unreachable("gone") for _ in range(5)]
    with pytest.raises(UndoFailed, match="the defect is still on"):
        defect.mend()
    assert theatre.load.factor == 1


def test_who_has_callers_answered_got_round_the_dependency_and_the_routing_is_put_back(
    theatre: Theatre,
) -> None:
    defect = broken(theatre, LOST)
    theatre.cluster.routing = dict(FALLBACK)
    theatre.metrics.answer = 0.0
    assert defect.mend()
    assert theatre.cluster.routing == {"routing.yaml": "routes: {}"}
    assert not theatre.faults.is_on
    truth = defect.truth(is_mended=True)
    assert truth.subject == "something that ml/deploy/fraud depends on"
    assert truth.fix_target == "ml/configmap/fraud-routing"


def test_a_dependency_that_came_back_by_itself_was_not_got_round(theatre: Theatre) -> None:
    defect = broken(theatre, LOST)
    theatre.metrics.answer = 0.0
    theatre.faults.end("time")
    assert not defect.mend()


@pytest.mark.parametrize("answer", [0.4, None])
def test_callers_who_still_get_errors_or_nothing_known_is_not_got_round(
    theatre: Theatre, answer: float | None
) -> None:
    defect = broken(theatre, LOST)
    theatre.metrics.answer = answer
    assert not defect.mend()
    assert not theatre.faults.is_on


def test_a_refused_fault_is_ended_where_it_is_on(theatre: Theatre) -> None:
    defect = prepared(theatre, LOST)
    theatre.faults.failures = [Refused("no such fault")]
    with pytest.raises(NothingDone):
        defect.inject()
    assert theatre.faults.ended_all == 1


def test_a_dependency_that_nobody_needed_is_not_scored(theatre: Theatre) -> None:
    defect = broken(theatre, LOST)
    theatre.faults.hits = 0
    defect.mend()
    with pytest.raises(NoData):
        defect.truth(is_mended=False)


def test_the_routing_of_a_killed_drill_is_put_back_by_what_it_left(theatre: Theatre) -> None:
    theatre.cluster.routing = dict(FALLBACK)
    clear({"dependency": {"name": "fraud-routing", "data": {"routing.yaml": "before"}}}, scene(theatre))
    assert theatre.cluster.routing == {"routing.yaml": "before"}
    assert theatre.faults.ended_all == 1


def test_every_undo_that_a_drill_writes_down_can_be_undone_by_another(theatre: Theatre) -> None:
    for breakage in (SURGE, LOST):
        defect = defect_of(breakage, scene(theatre))
        clear(defect.prepare(Baseline(theatre.clock.now(), 1, WELL, 0, 0)), scene(theatre))
    assert (theatre.cluster.wanted, theatre.faults.ended_all) == (3, 1)
