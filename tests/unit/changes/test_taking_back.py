"""What a change did is taken back without asking, and never what came after it."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest

from maestro_cli.changes.history import get_change, list_changes
from maestro_cli.changes.kinds.kind import Holds, Observation
from maestro_cli.changes.kinds.scale import Scale
from maestro_cli.changes.model import State
from maestro_cli.core.errors import ActionFailed, GateNotMet, NotFound, RolledBack
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.fake_cluster import REF, template

CAUSE = "the end of a fault"


def scaled(bench: Bench) -> tuple[Any, str]:
    pipeline = bench.pipeline()
    change = pipeline.perform("scale", REF, {"replicas": 1}, YES, key="k")
    assert bench.cluster.get_workload(REF).replicas_wanted == 1
    return pipeline, change.id


def test_it_is_as_before_and_twice_is_as_once(bench: Bench) -> None:
    before = bench.cluster.get_workload(REF).replicas_wanted
    pipeline, change = scaled(bench)
    first = pipeline.take_back(change, cause=CAUSE)
    assert bench.cluster.get_workload(REF).replicas_wanted == before
    assert pipeline.take_back(change, cause=CAUSE).id == first.id


def test_what_a_person_wrote_since_stays(bench: Bench) -> None:
    pipeline, change = scaled(bench)
    bench.cluster.set(replicas=10)
    with pytest.raises(GateNotMet, match="somebody changed"):
        pipeline.take_back(change, cause=CAUSE)
    assert bench.cluster.get_workload(REF).replicas_wanted == 10


def test_what_was_undone_and_then_wanted_again_by_a_person_stays(bench: Bench) -> None:
    before = bench.cluster.get_workload(REF).replicas_wanted
    pipeline, change = scaled(bench)
    pipeline.perform("scale", REF, {"replicas": before}, YES, key="undone by a person")
    again = pipeline.perform("scale", REF, {"replicas": 1}, YES, key="and wanted again")
    with pytest.raises(GateNotMet, match=f"changed since by {again.id}"):
        pipeline.take_back(change, cause=CAUSE)
    assert bench.cluster.get_workload(REF).replicas_wanted == 1


def test_what_was_rolled_back_already_is_not_looked_at_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.cluster.set(broken=["fraud=1"])
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF)
    with pytest.raises(RolledBack):
        pipeline.execute(plan, YES)
    bench.cluster.ship(template(1))  # what it had left, on purpose this time

    taken = pipeline.take_back(plan.id, cause=CAUSE)
    assert (taken.id, taken.state) == (plan.id, State.ROLLED_BACK)
    assert bench.cluster.get_workload(REF).template == template(1)


def test_nothing_is_taken_back_from_another_of_the_same_name(bench: Bench) -> None:
    pipeline, change = scaled(bench)
    bench.cluster.set(uid="another", replicas=7)
    assert pipeline.take_back(change, cause=CAUSE).id == change
    assert bench.cluster.get_workload(REF).replicas_wanted == 7


@pytest.mark.parametrize("error", [GateNotMet("several replicas answer"), NotFound("there is no such key")])
def test_an_undo_that_cannot_be_planned_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    pipeline, change = scaled(bench)

    def refused(*_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(Scale, "plan", refused)
    with pytest.raises(type(error)):
        pipeline.take_back(change, cause=CAUSE)
    assert get_change(bench.journal, change).state is not State.ROLLED_BACK
    assert bench.cluster.get_workload(REF).replicas_wanted == 1


def test_the_undo_of_a_change_that_was_cut_off_can_be_gone_on_with(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process died between the record and the call: `change resume` of the undo carries it out."""
    before = bench.cluster.get_workload(REF).replicas_wanted
    pipeline, change = scaled(bench)

    class Died(BaseException):
        pass

    def died(*_: object, **__: object) -> NoReturn:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(Scale, "apply", died)
        with pytest.raises(Died):
            pipeline.take_back(change, cause=CAUSE)
    undo = list_changes(bench.journal)[0]
    assert (undo.state, undo.undo_of) == (State.INTENDED, None)
    bench.pipeline().recover(undo.id)
    assert bench.cluster.get_workload(REF).replicas_wanted == before
    assert get_change(bench.journal, change).undone_by is None


def test_an_undo_that_did_not_hold_is_made_anew_when_somebody_asks_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = bench.cluster.get_workload(REF).replicas_wanted
    pipeline, change = scaled(bench)
    with monkeypatch.context() as patched:
        never = Observation(Holds.NEVER, "it went away again")
        patched.setattr(Scale, "observe", lambda *_, **__: never)
        with pytest.raises(ActionFailed):
            pipeline.take_back(change, cause=CAUSE)
    assert bench.cluster.get_workload(REF).replicas_wanted == before, "no undo is taken back in its turn"
    bench.cluster.set(replicas=1)  # what wrote it back is gone
    assert pipeline.take_back(change, cause=CAUSE).state is State.VERIFIED
    assert bench.cluster.get_workload(REF).replicas_wanted == before
