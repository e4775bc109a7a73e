"""What a change did is taken back without asking, and never what came after it."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest

from maestro_cli.changes.history import get_change
from maestro_cli.changes.kinds.scale import Scale
from maestro_cli.changes.model import State
from maestro_cli.core.errors import GateNotMet, NotFound
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.fake_cluster import REF

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
