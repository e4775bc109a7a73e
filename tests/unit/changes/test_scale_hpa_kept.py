"""Records of a change of bounds from before an autoscaler's target was among what is compared.

Kept in `kept/scale-hpa-before-targets.json`: the events that the program of then wrote, of one change that
was verified and of one whose answer never came.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maestro_cli.changes.history import get_change
from maestro_cli.changes.kinds import KINDS
from maestro_cli.changes.kinds.kind import CHANGE_ANNOTATION, Holds
from maestro_cli.changes.model import Change, State
from maestro_cli.core.errors import GateNotMet
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.fake_autoscalers import HPA

KEPT = json.loads(Path(__file__).with_name("kept").joinpath("scale-hpa-before-targets.json").read_text())


def recorded(bench: Bench, name: str) -> Change:
    for event in KEPT[name]:
        bench.journal.append(event["kind"], event["subject"], event["actor"], event["data"])
    return get_change(bench.journal, KEPT[name][0]["subject"].removeprefix("change/"))


def as_left(bench: Bench, change: Change, **otherwise: int) -> None:
    """The autoscaler as that change left it, and what became of it since."""
    marks = {CHANGE_ANNOTATION: change.id}
    with bench.cluster.state() as state:
        state["hpas"]["fraud"].update({"rv": 7, "most": 9, "annotations": marks, **otherwise})


def undone(bench: Bench, change: Change) -> Change:
    pipeline = bench.pipeline()
    return pipeline.execute(pipeline.plan_undo(change.id), YES)


def test_it_is_there_still_and_is_undone(bench: Bench) -> None:
    change = recorded(bench, "verified")
    as_left(bench, change)
    kind = KINDS["scale-hpa"]
    assert kind.observe(bench.world, change.plan, left=change.left).holds is Holds.YES
    assert undone(bench, change).state is State.VERIFIED
    left = bench.cluster.get_autoscaler("ml", "fraud")
    assert (left.least, left.most, left.cpu_target) == (2, 4, 60)


def test_a_target_that_moved_since_is_no_business_of_it_and_stays(bench: Bench) -> None:
    change = recorded(bench, "verified")
    as_left(bench, change, cpu=75)
    undone(bench, change)
    assert bench.cluster.get_autoscaler("ml", "fraud").cpu_target == 75


def test_bounds_that_moved_since_are_left(bench: Bench) -> None:
    change = recorded(bench, "verified")
    as_left(bench, change, most=12)
    assert KINDS["scale-hpa"].observe(bench.world, change.plan, left=change.left).holds is Holds.SUPERSEDED
    with pytest.raises(GateNotMet, match="somebody changed ml/hpa/fraud since"):
        undone(bench, change)


def test_the_same_bounds_written_again_are_of_the_later_change(bench: Bench) -> None:
    change = recorded(bench, "verified")
    as_left(bench, change)
    pipeline = bench.pipeline()
    pipeline.execute(pipeline.plan("scale-hpa", HPA, {"max": 6}), YES)
    again = pipeline.execute(pipeline.plan("scale-hpa", HPA, {"max": 9}), YES)
    assert KINDS["scale-hpa"].is_as_left(change, again)


def test_a_write_whose_answer_never_came_is_made_once(bench: Bench) -> None:
    change = recorded(bench, "intended")
    assert change.state is State.INTENDED
    done = bench.pipeline().recover(change.id)
    assert done.state is State.VERIFIED
    assert bench.cluster.marks == [change.id]
    assert bench.cluster.get_autoscaler("ml", "fraud").cpu_target == 60
