"""What the league breaks beyond the drills: ill releases, leaks, edits, noise; and the one undo of all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from maestro_cli.chaos.drills.defects import clear, defect_of, leak, sick_release
from maestro_cli.chaos.drills.defects.defect import Defect, NothingDone, Scene
from maestro_cli.chaos.drills.defects.everything import everything
from maestro_cli.chaos.drills.defects.leak import Leak, LeakDefect
from maestro_cli.chaos.drills.defects.node import LostNode
from maestro_cli.chaos.drills.defects.noise import Noise, Nothing, alerts_of
from maestro_cli.chaos.drills.defects.routing import RoutingEdit, document_of
from maestro_cli.chaos.drills.defects.sick_release import SickRelease, SickReleaseDefect
from maestro_cli.chaos.drills.model import BadRelease, Baseline, Breakage, ReplicaFault
from maestro_cli.chaos.drills.release import bad_template
from maestro_cli.core.errors import Refused, Unreachable
from maestro_cli.serving.routing.document import read_routing
from tests.unit.chaos.theatre import SCENARIO, WELL, Theatre

FAULT = ReplicaFault("latency", {"milliseconds": 300.0}, "fraud", None, seconds=60.0)
SICK = SickRelease(BadRelease("next", environment={"FEATURE_SET": "2"}), FAULT)
EDIT = RoutingEdit("fraud-routing", "fraud", 1, version=2, weight=60)
NOISE = Noise(("A", "B"), count=5, severity="info")
LEAK = Leak(replace(FAULT, kind="memory"))


@pytest.fixture(autouse=True)
def _looks_only_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their threads look once an hour; the tests do in their place."""
    for module in (leak, sick_release):
        monkeypatch.setattr(module, "_LOOK_SECONDS", 3600.0)


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    made = Theatre(tmp_path / "journal.sqlite", SCENARIO)
    yield made
    made.journal.close()


def scene(theatre: Theatre) -> Scene:
    return Scene(theatre.ensemble, SCENARIO.target, "drl-1", theatre.clock)


def baseline(theatre: Theatre) -> Baseline:
    return Baseline(theatre.clock.now(), 1, WELL, 0, 0)


def prepared(theatre: Theatre, breakage: Breakage) -> Defect:
    defect = defect_of(breakage, scene(theatre))
    defect.prepare(baseline(theatre))
    return defect


def test_only_the_replicas_of_the_ill_release_are_ill_each_once(theatre: Theatre) -> None:
    defect = prepared(theatre, SICK)
    assert isinstance(defect, SickReleaseDefect)
    defect.make_ill()
    assert theatre.faults.ill == []
    theatre.faults.pods |= {"fraud-new-a": "fraud-2"}
    defect.make_ill()
    theatre.faults.pods |= {"fraud-new-b": "fraud-2", "fraud-back": "fraud-1"}
    defect.make_ill()
    defect.make_ill()
    assert theatre.faults.ill == ["fraud-new-a", "fraud-new-b"]


def test_an_ill_release_is_a_release_and_is_taken_back_with_its_faults(theatre: Theatre) -> None:
    defect = prepared(theatre, SICK)
    defect.inject()
    assert not theatre.cluster.is_well
    assert defect.mend() is False
    assert theatre.cluster.is_well
    assert theatre.faults.ended_all == 1
    truth = defect.truth(is_mended=False)
    assert (truth.subject, truth.revision) == ("ml/deploy/fraud", 2)


def test_a_leak_grows_again_where_its_container_was_started_anew(theatre: Theatre) -> None:
    defect = prepared(theatre, LEAK)
    assert isinstance(defect, LeakDefect)
    defect.inject()
    defect.leak_again()
    assert theatre.faults.ill == []
    theatre.faults.restarts = 1
    defect.leak_again()
    defect.leak_again()
    assert theatre.faults.ill == [theatre.faults.pod]
    assert defect.mend() is False


def test_who_has_another_replica_in_its_place_has_ended_a_leak(theatre: Theatre) -> None:
    defect = prepared(theatre, LEAK)
    defect.inject()
    theatre.faults.pods = {"fraud-other": "fraud-1"}
    assert defect.mend() is True
    assert defect.truth(is_mended=True).subject == f"pod ml/{theatre.faults.pod}"


def test_a_replica_that_was_killed_and_is_not_ready_yet_has_its_leak_still(theatre: Theatre) -> None:
    defect = prepared(theatre, LEAK)
    defect.inject()
    theatre.faults.pods, theatre.faults.starting = {}, theatre.faults.pods
    assert defect.mend() is False
    assert theatre.faults.ended_all == 1


@pytest.mark.parametrize("weight", [60, 100])
def test_an_edit_is_a_document_that_the_server_takes(weight: int) -> None:
    routing = read_routing(document_of(replace(EDIT, weight=weight)), "routing.yaml")
    to = routing.routes["fraud"].to
    arms = [(arm.weight, arm.to.version) for arm in to.split.arms] if to.split else [(100, to.version)]
    assert arms[-1] == (weight, 2)


def test_an_edit_is_put_back_and_counts_as_ended_by_who_undid_it(theatre: Theatre) -> None:
    before = dict(theatre.cluster.routing)
    defect = prepared(theatre, EDIT)
    defect.inject()
    assert json.loads(theatre.cluster.routing["routing.yaml"])["routes"]["fraud"]
    assert defect.mend() is False
    assert theatre.cluster.routing == before
    defect.inject()
    theatre.cluster.routing = before
    assert defect.mend() is True
    assert defect.truth(is_mended=True).subject == "configmap ml/fraud-routing"


def test_an_edit_is_put_back_also_where_nobody_can_tell_who_undid_it(theatre: Theatre) -> None:
    before = dict(theatre.cluster.routing)
    defect = prepared(theatre, EDIT)
    defect.inject()
    theatre.cluster.failures_to_read = [Unreachable("silent")]
    with pytest.raises(Unreachable):
        defect.mend()
    assert theatre.cluster.routing == before


def test_an_edit_that_was_refused_is_none(theatre: Theatre) -> None:
    defect = prepared(theatre, EDIT)
    theatre.cluster.failures.append(Refused("no"))
    with pytest.raises(NothingDone):
        defect.inject()


def test_noise_is_said_and_is_over_when_the_drill_is(theatre: Theatre) -> None:
    defect = prepared(theatre, NOISE)
    defect.inject()
    assert defect.mend() is False
    assert theatre.alarms.said[0][0] == 5
    assert theatre.alarms.said[-1] == (5, 0.0)
    labels = alerts_of(NOISE, "ml", "fraud")
    assert len({tuple(one.items()) for one in labels}) == 5
    assert {one["alertname"] for one in labels} == {"A", "B"}


def test_nothing_leaves_everything_as_it_is(theatre: Theatre) -> None:
    defect = prepared(theatre, Nothing())
    defect.inject()
    assert defect.mend() is False
    assert theatre.cluster.replaced == 0
    assert defect.truth(is_mended=False).words == "nothing was wrong"


@pytest.mark.parametrize("place", [0.0, 0.49, 0.5, 0.99])
def test_the_node_is_the_one_at_its_place(theatre: Theatre, place: float) -> None:
    defect = prepared(theatre, LostNode(place))
    defect.inject()
    assert theatre.nodes.stopped == {theatre.nodes.hosts[int(place * 2)]}


def test_arguments_may_come_after_those_there_are() -> None:
    changed = bad_template(WELL, BadRelease("next", added=("--serve", "fraud=2")))
    assert changed["spec"]["containers"][0]["args"] == ["--serve", "fraud=1", "--serve", "fraud=2"]
    assert WELL["spec"]["containers"][0]["args"] == ["--serve", "fraud=1"]


@pytest.mark.parametrize("breakage", [SICK, EDIT, LostNode(0.9), SCENARIO.defect])
def test_one_undo_takes_back_whatever_was_broken(theatre: Theatre, breakage: Breakage) -> None:
    undo = everything([scene(theatre)], [baseline(theatre)])
    routing = dict(theatre.cluster.routing)
    defect = prepared(theatre, breakage)
    defect.inject()
    theatre.load.factor = 4.0
    theatre.cluster.wanted = 6
    clear(undo, scene(theatre))
    assert theatre.cluster.is_well
    assert theatre.cluster.routing == routing
    assert (theatre.nodes.stopped, theatre.nodes.shut) == (set(), set())
    assert (theatre.load.factor, theatre.cluster.wanted) == (1.0, 3)
    defect.mend()


def test_what_cannot_be_put_back_keeps_nothing_else_from_it(theatre: Theatre) -> None:
    undo = everything([scene(theatre)], [baseline(theatre)])
    routing = dict(theatre.cluster.routing)
    prepared(theatre, EDIT).inject()
    theatre.load.factor, theatre.cluster.wanted = 4.0, 6
    theatre.faults.failures_to_end = [Refused("no")]
    with pytest.raises(Refused, match="no"):
        clear(undo, scene(theatre))
    assert theatre.cluster.routing == routing
    assert (theatre.load.factor, theatre.cluster.wanted) == (1.0, 3)
