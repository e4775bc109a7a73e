"""Scale, pause and resume: numbers, owners of replicas, and what they end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.changes.kinds.pause import Pause
from maestro_cli.changes.kinds.pausing import PausingKind
from maestro_cli.changes.kinds.resume import Resume
from maestro_cli.changes.kinds.scale import MAX_REPLICAS, Scale
from maestro_cli.core.errors import GateNotMet, UsageError
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.fake_cluster import REF

HPA = ["fraud-hpa", "Deployment", "fraud", 2, 4]


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"replicas": -1},
        {"replicas": MAX_REPLICAS + 1},
        {"replicas": "5"},
        {"replicas": True},
        {"replicas": 2.0},
    ],
)
def test_replicas_are_a_bounded_whole_number(bench: Bench, parameters: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as raised:
        bench.pipeline().plan("scale", REF, parameters)
    assert raised.value.fix == f"replicas: 0 to {MAX_REPLICAS}"


def test_the_blast_radius_is_what_ends_and_what_is_left(bench: Bench) -> None:
    down = bench.pipeline().plan("scale", REF, {"replicas": 1}).blast
    assert (down.replicas_now, down.replicas_after, down.replicas_ended) == (3, 1, 2)
    up = bench.pipeline().plan("scale", REF, {"replicas": 9}).blast
    assert (up.replicas_after, up.replicas_ended, up.namespace_share) == (9, 0, 0.0)


@pytest.mark.parametrize(
    ("replicas", "bounds"), [(6, "--min 6 --max 6"), (4, "--min 4 --max 4"), (1, "--min 1 --max 1")]
)
def test_what_an_autoscaler_owns_is_refused_and_said_what_to_do(
    bench: Bench, replicas: int, bounds: str
) -> None:
    bench.cluster.set(autoscalers=[HPA])
    pipeline = bench.pipeline()
    with pytest.raises(GateNotMet, match="autoscaler fraud-hpa sets the replicas") as raised:
        pipeline.execute(pipeline.plan("scale", REF, {"replicas": replicas}), YES)
    assert "take this change back" in raised.value.why
    assert raised.value.fix.endswith(f"maestro set hpa fraud-hpa -n ml {bounds}")
    assert bench.cluster.marks == []


@pytest.mark.parametrize(("now", "then"), [(3, 0), (0, 2)])
def test_an_autoscaler_lets_a_workload_go_to_zero_and_come_back(bench: Bench, now: int, then: int) -> None:
    bench.cluster.set(autoscalers=[HPA], replicas=now)
    pipeline = bench.pipeline()
    assert pipeline.decide(pipeline.plan("scale", REF, {"replicas": then}), YES).allowed


def test_the_autoscaler_of_something_else_is_no_obstacle(bench: Bench) -> None:
    bench.cluster.set(
        autoscalers=[["other", "StatefulSet", "fraud", 1, 9], ["x", "Deployment", "churn", 1, 9]]
    )
    pipeline = bench.pipeline()
    assert pipeline.decide(pipeline.plan("scale", REF, {"replicas": 5}), YES).allowed


def test_autoscalers_that_may_not_be_read_are_said_not_taken_for_none(bench: Bench) -> None:
    bench.cluster.set(denied=["autoscalers"])
    pipeline = bench.pipeline()
    decision = pipeline.decide(pipeline.plan("scale", REF, {"replicas": 5}), YES)
    assert decision.warnings == (
        "could not read the autoscalers of ml: one of them may set the replicas again",
    )


def test_zero_has_a_condition_of_its_own(bench: Bench) -> None:
    plan = bench.pipeline().plan("scale", REF, {"replicas": 0})
    assert plan.verify.text == "no replica of ml/deploy/fraud is left"
    assert bench.pipeline().decide(plan, YES).warnings == (
        "ml/deploy/fraud will have no replica left to answer",
    )
    bench.pipeline().execute(plan, YES)
    bench.cluster.set(frozen=True)  # one replica lingers
    workload = bench.cluster.get_workload(REF)
    assert (workload.replicas_ready, workload.replicas) == (0, 1)
    assert Scale().observe(bench.world, plan, left=plan.payload_digest).holds is Holds.NOT_YET


@pytest.mark.parametrize(("ready", "holds"), [(4, Holds.NOT_YET), (5, Holds.YES), (6, Holds.NOT_YET)])
def test_it_holds_when_as_many_are_ready_as_wanted(bench: Bench, ready: int, holds: Holds) -> None:
    plan = bench.pipeline().plan("scale", REF, {"replicas": 5})
    bench.cluster.set(replicas=5, ready=ready)
    seen = Scale().observe(bench.world, plan, left=plan.payload_digest)
    assert seen.holds is holds


def test_a_number_that_somebody_else_set_since_is_not_verified(bench: Bench) -> None:
    plan = bench.pipeline().plan("scale", REF, {"replicas": 5})
    bench.cluster.set(replicas=4)
    seen = Scale().observe(bench.world, plan, left=plan.payload_digest)
    assert seen.holds is Holds.SUPERSEDED


def test_without_headroom_nothing_is_scaled_down_and_anything_up(bench: Bench) -> None:
    bench.cluster.set(budgets=[["fraud", "app=fraud", 0, 3, 3, 3]])
    pipeline = bench.pipeline()
    down, up = (pipeline.plan("scale", REF, {"replicas": replicas}) for replicas in (2, 4))
    assert [reason.code for reason in pipeline.decide(down, YES).reasons] == ["disruption-budget"]
    assert pipeline.decide(up, YES).allowed


def test_a_pause_ends_nothing_and_a_resume_what_was_held_back(bench: Bench) -> None:
    assert bench.pipeline().plan("pause", REF).blast.replicas_ended == 0
    bench.cluster.set(paused=True, frozen=True)  # one of three runs the newest template
    assert bench.pipeline().plan("resume", REF).blast.replicas_ended == 2


@pytest.mark.parametrize(("kind", "before"), [(Pause(), False), (Resume(), True)], ids=["pause", "resume"])
def test_a_flag_holds_once_its_controller_has_seen_it(bench: Bench, kind: PausingKind, before: bool) -> None:
    bench.cluster.set(paused=before)
    plan = bench.pipeline().plan(kind.name, REF)
    bench.cluster.set(paused=not before)
    workload = bench.cluster.get_workload(REF)
    unseen = replace(workload, observed_generation=workload.generation - 1)
    found = [kind.progress(one, plan).holds for one in (unseen, workload)]
    assert found == [Holds.NOT_YET, Holds.YES]
