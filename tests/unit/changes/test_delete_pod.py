"""A pod that is made to end: by uid, once, within its disruption budget or past it by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maestro_cli.changes.history import get_change
from maestro_cli.changes.model import State
from maestro_cli.core.errors import ActionFailed, GateNotMet, NotFound, StalePlan, UsageError
from maestro_cli.core.facts.cluster import Pod
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.fake_cluster import REF
from tests.unit.changes.fake_pods import POD
from tests.unit.changes.test_recovery import leave_intent

OUTRIGHT = {"without_eviction": True}
ACCEPTED = replace(YES, accepts=frozenset({"disruption-budget"}))
FULL = ["fraud", "app=fraud", 0, 3, 3, 3]


def test_it_is_evicted_and_another_takes_its_place(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("delete-pod", POD)
    assert (plan.summary, plan.verify.text) == (
        "evict ml/pod/pod-0", "ml/pod/pod-0 is gone, and fraud-1 has 3 replicas ready",
    )  # fmt: skip
    assert (plan.blast.workloads, plan.blast.replicas_now, plan.blast.replicas_after) == (1, 3, 3)
    change = pipeline.execute(plan, YES)
    assert (change.state, bench.cluster.marks) == (State.VERIFIED, ["evicted pod-uid-0"])
    assert change.evidence == "ml/pod/pod-0 is gone, fraud-1 has 3 of 3 replicas ready"
    with pytest.raises(GateNotMet, match="cannot be undone"):
        pipeline.plan_undo(plan.id)


def test_it_does_not_hold_until_another_is_ready(bench: Bench) -> None:
    bench.cluster.set(frozen=True)
    with pytest.raises(ActionFailed, match="did not hold") as raised:
        bench.pipeline().execute(bench.pipeline().plan("delete-pod", POD), YES)
    assert "fraud-1 has 2 of 3 replicas ready" in raised.value.why


def test_without_headroom_it_is_refused_before_anything_is_sent(bench: Bench) -> None:
    bench.cluster.set(budgets=[FULL])
    pipeline = bench.pipeline()
    for parameters in ({}, OUTRIGHT):
        with pytest.raises(GateNotMet, match="disruption budget fraud has no headroom"):
            pipeline.execute(pipeline.plan("delete-pod", POD, parameters), YES)
    assert bench.cluster.marks == []


def test_the_accepted_risk_opens_the_gate_and_not_the_cluster(bench: Bench) -> None:
    bench.cluster.set(budgets=[FULL])
    pipeline = bench.pipeline()
    plan = pipeline.plan("delete-pod", POD)
    with pytest.raises(GateNotMet, match="does not evict ml/pod/pod-0 now") as raised:
        pipeline.execute(plan, ACCEPTED)
    assert "--without-eviction --accept disruption-budget" in raised.value.fix
    assert bench.cluster.marks == []
    assert get_change(bench.journal, plan.id).nothing_done


def test_past_its_budget_it_goes_only_by_name_and_with_the_risk(bench: Bench) -> None:
    bench.cluster.set(budgets=[FULL])
    pipeline = bench.pipeline()
    change = pipeline.execute(pipeline.plan("delete-pod", POD, OUTRIGHT), ACCEPTED)
    assert (change.state, bench.cluster.marks) == (State.VERIFIED, ["deleted pod-uid-0"])


def test_several_budgets_are_told_before_the_cluster_refuses(bench: Bench) -> None:
    bench.cluster.set(budgets=[["a", "app=fraud", 1, 3, 2, 3], ["b", "app=fraud", 1, 3, 2, 3]])
    pipeline = bench.pipeline()
    with pytest.raises(GateNotMet, match="several disruption budgets cover ml/pod/pod-0: a, b"):
        pipeline.execute(pipeline.plan("delete-pod", POD), YES)
    assert pipeline.decide(pipeline.plan("delete-pod", POD, OUTRIGHT), YES).allowed


def test_each_way_needs_its_own_permission(bench: Bench) -> None:
    pipeline = bench.pipeline()
    evicted, deleted = (pipeline.plan("delete-pod", POD, chosen) for chosen in ({}, OUTRIGHT))
    bench.cluster.set(denied=["create pods/eviction"])
    assert [pipeline.decide(plan, YES).allowed for plan in (evicted, deleted)] == [False, True]
    bench.cluster.set(denied=["delete pods"])
    assert [pipeline.decide(plan, YES).allowed for plan in (evicted, deleted)] == [True, False]


def test_a_pod_without_a_controller_is_lost_and_that_is_said(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = bench.cluster.get_pod

    def bare(namespace: str, name: str) -> Pod:
        return replace(whole(namespace, name), owner="")

    monkeypatch.setattr(bench.cluster, "get_pod", bare)
    pipeline = bench.pipeline()
    plan = pipeline.plan("delete-pod", POD)
    assert (plan.blast.workloads, plan.blast.replicas_now, plan.blast.replicas_after) == (0, 1, 0)
    assert pipeline.decide(plan, YES).warnings == ("ml/pod/pod-0 will have no replica left to answer",)
    assert pipeline.execute(plan, YES).state is State.VERIFIED


def test_an_intent_without_a_call_is_sent_once(bench: Bench) -> None:
    plan = leave_intent(bench, "delete-pod", ref=POD)
    assert bench.pipeline().recover(plan.id).state is State.VERIFIED
    assert bench.cluster.marks == ["evicted pod-uid-0"]


def test_a_deletion_without_a_record_is_not_repeated(bench: Bench) -> None:
    plan = leave_intent(bench, "delete-pod", ref=POD)
    bench.cluster.evict_pod("ml", "pod-0", uid="pod-uid-0")
    assert bench.pipeline().recover(plan.id).state is State.VERIFIED
    assert bench.cluster.marks == ["evicted pod-uid-0"]
    [applied] = bench.journal.events(kinds=["change.applied"])
    assert applied.data["evidence"] == (
        "probed: ml/pod/pod-0 of uid pod-uid-0 is gone; a deletion does not say whose it was"
    )


def test_a_pod_of_the_same_name_that_came_after_is_left_alone(bench: Bench) -> None:
    plan = leave_intent(bench, "delete-pod", ref=POD)
    bench.cluster.set(pod_uid="another")
    assert bench.pipeline().recover(plan.id).state is State.VERIFIED
    assert bench.cluster.marks == []


def test_one_that_went_by_itself_before_the_intent_is_not_found(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("delete-pod", POD)
    bench.cluster.evict_pod("ml", "pod-0", uid="pod-uid-0")
    with pytest.raises(NotFound):
        pipeline.execute(plan, YES)


def test_one_that_goes_under_the_call_ends_without_a_second_deletion(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(namespace: str, name: str, *, uid: str, dry_run: bool = False) -> None:
        bench.cluster.set(ended=[uid])
        raise NotFound("pod/pod-0 not found")

    monkeypatch.setattr(bench.cluster, "evict_pod", gone)
    pipeline = bench.pipeline()
    assert pipeline.execute(pipeline.plan("delete-pod", POD), YES).state is State.VERIFIED
    assert bench.cluster.marks == []


def test_one_that_ends_already_is_no_change_and_another_kind_of_target_none(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("delete-pod", POD)
    ending = replace(bench.cluster.get_pod("ml", "pod-0"), deleting=True)
    monkeypatch.setattr(bench.cluster, "get_pod", lambda namespace, name: ending)
    with pytest.raises(GateNotMet, match="nothing to change"):
        pipeline.plan("delete-pod", POD)
    with pytest.raises(StalePlan):
        pipeline.execute(plan, YES)
    with pytest.raises(UsageError, match="is not a pod"):
        pipeline.plan("delete-pod", REF)


def test_what_is_no_choice_is_refused(bench: Bench) -> None:
    with pytest.raises(UsageError, match="neither true nor false"):
        bench.pipeline().plan("delete-pod", POD, {"without_eviction": "maybe"})
