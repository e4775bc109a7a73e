"""A lost node as a drill: a person starts it again in the middle of the runbook, and that is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from maestro_cli.chaos.drills.conductor import unfinished
from maestro_cli.chaos.drills.defects.defect import Scene
from maestro_cli.chaos.drills.defects.node import LostNode, NodeDefect, clear_nodes
from maestro_cli.chaos.drills.model import Baseline
from maestro_cli.chaos.drills.scenarios import find_scenario
from maestro_cli.core.errors import GateNotMet
from tests.unit.chaos.theatre import Theatre

LOST = replace(
    find_scenario("bad-release"), true_cause="node", right_fix="drain", defect=LostNode(),
    alert="KubeNodeNotReady", answers={"repair": "yes"}, repairs="repair",
)  # fmt: skip


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    made = Theatre(tmp_path / "journal.sqlite", LOST)
    made.responder.asks = ("repair",)
    yield made
    made.journal.close()


def test_the_person_starts_the_machine_and_the_answer_is_recorded_as_the_drills(theatre: Theatre) -> None:
    card = theatre.run()
    assert card.passed, card.misses
    assert card.true_cause == "the kubelet of node node-b stopped"
    assert (card.blamed, card.fix) == ("node node-b", "drain node/node-b")
    assert theatre.responder.awaited == "KubeNodeNotReady"
    assert theatre.responder.answers == {"repair": True}
    (answered,) = theatre.journal.events(kinds=("drill.answered",))
    assert answered.data == {
        "run": "run-1", "step": "repair", "answer": "yes", "by": "the drill, for a person"
    }  # fmt: skip
    (undone,) = theatre.journal.events(kinds=("drill.undone",))
    assert undone.data == {"by": "the responders"}


def test_what_the_scenario_has_no_answer_for_stays_unanswered(theatre: Theatre) -> None:
    theatre.responder.asks = ("destroy", "repair")
    assert theatre.run().passed
    assert theatre.responder.answers == {"destroy": None, "repair": True}


def test_a_node_that_nobody_started_again_is_started_by_the_drill(theatre: Theatre) -> None:
    theatre.responder.asks = ()
    card = theatre.run()
    assert not card.fix_is_right
    assert (theatre.nodes.stopped, theatre.nodes.shut) == (set(), set())
    (undone,) = theatre.journal.events(kinds=("drill.undone",))
    assert undone.data == {"by": "the drill"}


def test_the_intent_does_not_say_which_node(theatre: Theatre) -> None:
    theatre.run()
    intent, *_ = theatre.journal.events(kinds=("drill.intended",))
    assert intent.data["undo"] == {"nodes": {"closed": []}}


def test_a_workload_without_a_ready_replica_has_no_node_to_lose(theatre: Theatre) -> None:
    theatre.nodes.hosts = ()
    with pytest.raises(GateNotMet, match="ready replica"):
        theatre.run()
    assert theatre.kinds == []


def test_a_kubelet_that_cannot_be_stopped_is_left_alone(theatre: Theatre) -> None:
    theatre.nodes.failures = [GateNotMet("kubelet-b does not run")]
    with pytest.raises(GateNotMet, match="kubelet-b"):
        theatre.run()
    assert theatre.kinds == ["drill.intended", "drill.undone"]


@pytest.mark.parametrize("value", ["all", {"closed": []}])
def test_what_a_killed_drill_left_stopped_goes_on_with_the_next(theatre: Theatre, value: object) -> None:
    theatre.nodes.stopped = {"node-c"}
    left = {"target": str(LOST.target), "undo": {"nodes": value}}
    theatre.journal.append("drill.intended", "drill/drl-killed", "tester", left)
    assert theatre.run().passed
    assert unfinished(theatre.journal) == ()


def test_every_node_that_a_killed_drill_left_closed_is_opened_and_no_other(theatre: Theatre) -> None:
    theatre.nodes.shut = {"node-b", "node-c", "node-d"}
    scene = Scene(theatre.ensemble, LOST.target, "drl-next", theatre.clock)
    clear_nodes(scene, {"closed": ["node-d"]})
    assert theatre.nodes.closed() == ("node-d",)


def test_the_intent_tells_which_nodes_were_closed_before(theatre: Theatre) -> None:
    theatre.nodes.shut = {"node-d"}
    scene = Scene(theatre.ensemble, LOST.target, "drl-next", theatre.clock)
    defect = NodeDefect(LostNode(), scene)
    undo = defect.prepare(Baseline(theatre.clock.now(), 1, {}, None, None))
    assert undo == {"nodes": {"closed": ["node-d"]}}
