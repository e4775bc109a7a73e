"""The bounds of an autoscaler."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_cli.changes.kinds import KINDS
from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.core.errors import UsageError
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.fake_autoscalers import HPA
from tests.unit.changes.fake_cluster import REF


@pytest.mark.parametrize(
    ("parameters", "what"),
    [
        ({}, "needs min, max or both, or cpu"),
        ({"cpu": 0}, "cpu cannot be 0"),
        ({"min": 0}, "min cannot be 0"),
        ({"max": "5"}, "max cannot be '5'"),
        ({"min": True}, "min cannot be True"),
        ({"min": 5}, "min 5 is above max 4"),
        ({"max": 1}, "min 2 is above max 1"),
    ],
)
def test_bounds_are_whole_numbers_in_order(bench: Bench, parameters: dict[str, Any], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        bench.pipeline().plan("scale-hpa", HPA, parameters)


def test_a_workload_is_no_autoscaler(bench: Bench) -> None:
    with pytest.raises(UsageError, match="is not an autoscaler"):
        bench.pipeline().plan("scale-hpa", REF, {"min": 1})


def test_one_bound_alone_leaves_the_other(bench: Bench) -> None:
    plan = bench.pipeline().plan("scale-hpa", HPA, {"max": 9})
    assert plan.parameters == {"min": 2, "max": 9}
    assert [line.path for line in plan.diff.lines] == ["maxReplicas"]
    assert (plan.blast.replicas_ended, plan.blast.replicas_after) == (0, 3)


def test_a_lower_maximum_ends_replicas_and_counts_them(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("scale-hpa", HPA, {"min": 1, "max": 1})
    assert (plan.blast.replicas_now, plan.blast.replicas_after, plan.blast.replicas_ended) == (3, 1, 2)
    pipeline.execute(plan, YES)
    assert bench.cluster.get_workload(REF).replicas_wanted == 1


def test_it_holds_only_when_the_replicas_are_within(bench: Bench) -> None:
    plan = bench.pipeline().plan("scale-hpa", HPA, {"min": 3, "max": 6})
    with bench.cluster.state() as state:
        state["hpas"]["fraud"].update(least=3, most=6)
        state["replicas"] = 2
    kind = KINDS["scale-hpa"]
    assert kind.observe(bench.world, plan, left="").holds is Holds.NOT_YET
    bench.cluster.set(replicas=5, ready=4)
    assert kind.observe(bench.world, plan, left="").holds is Holds.NOT_YET
    bench.cluster.set(ready=5)
    assert kind.observe(bench.world, plan, left="").holds is Holds.YES


def test_the_target_moves_alone_and_goes_back(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("scale-hpa", HPA, {"cpu": 80})
    assert plan.parameters == {"min": 2, "max": 4, "cpu": 80}
    assert [(line.path, line.before, line.after) for line in plan.diff.lines] == [("cpu", "60", "80")]
    assert plan.summary.endswith("at 80 % of the CPU request instead of 60 %")
    done = pipeline.execute(plan, YES)
    assert "at 80 % of the CPU request; ml/deploy/fraud wants 3, 3 are ready" in done.evidence
    assert bench.cluster.get_autoscaler("ml", "fraud").cpu_target == 80
    assert plan.undo is not None
    assert plan.undo.parameters == {"min": 2, "max": 4, "cpu": 60}


def test_bounds_leave_the_target_as_it_is(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("scale-hpa", HPA, {"max": 9})
    assert "cpu" not in plan.parameters
    pipeline.execute(plan, YES)
    assert bench.cluster.get_autoscaler("ml", "fraud").cpu_target == 60


def scales_at(bench: Bench, percent: int | None) -> None:
    """Somebody had it look at that share of the CPU request, or (None) at something else."""
    with bench.cluster.state() as state:
        state["hpas"]["fraud"]["cpu"] = percent


def test_a_target_is_not_made_up_where_it_looks_at_something_else(bench: Bench) -> None:
    scales_at(bench, None)
    with pytest.raises(UsageError, match="does not scale by the share of the CPU request"):
        bench.pipeline().plan("scale-hpa", HPA, {"cpu": 80})


def test_a_target_that_somebody_gave_it_since_makes_a_plan_stale(bench: Bench) -> None:
    scales_at(bench, None)
    plan = bench.pipeline().plan("scale-hpa", HPA, {"max": 9})
    kind = KINDS["scale-hpa"]
    assert kind.is_as_planned(bench.cluster.get_autoscaler("ml", "fraud"), plan)
    scales_at(bench, 60)
    assert not kind.is_as_planned(bench.cluster.get_autoscaler("ml", "fraud"), plan)
