"""Nodes that are closed to new pods and opened again: what that touches, and what it is not taken for."""

from __future__ import annotations

import pytest

from maestro_cli.changes.model import State
from maestro_cli.core.errors import ActionFailed, GateNotMet, UsageError
from maestro_cli.core.refs import ObjectRef
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.fake_cluster import REF
from tests.unit.changes.fake_nodes import NODE
from tests.unit.changes.test_recovery import leave_intent


def test_a_plan_tells_the_pods_and_the_nodes_and_zones_that_are_left(bench: Bench) -> None:
    blast = bench.pipeline().plan("cordon", NODE).blast
    assert (blast.replicas_now, blast.replicas_ended) == (3, 0)
    assert (blast.nodes_left, blast.zones_left) == (2, ("z1", "z2"))
    last_of_zone = bench.pipeline().plan("cordon", ObjectRef("Node", "", "node-c")).blast
    assert (last_of_zone.nodes_left, last_of_zone.zones_left) == (2, ("z1",))


def test_closing_the_last_node_is_warned_of(bench: Bench) -> None:
    with bench.cluster.state() as state:
        for name in ("node-b", "node-c"):
            state["nodes"][name]["unschedulable"] = True
    pipeline = bench.pipeline()
    plan = pipeline.plan("cordon", NODE)
    assert pipeline.decide(plan, YES).warnings == ("no node will be left that takes new pods",)


def test_what_may_not_be_read_is_said(bench: Bench) -> None:
    bench.cluster.set(denied=["pods"])
    pipeline = bench.pipeline()
    decision = pipeline.decide(pipeline.plan("cordon", NODE), YES)
    assert decision.allowed
    assert decision.warnings == ("could not read the pods of node/node-a: how many run there is not known",)


@pytest.mark.parametrize(("kind", "ref"), [("cordon", REF), ("restart", NODE)])
def test_a_kind_changes_only_what_it_is_for(bench: Bench, kind: str, ref: ObjectRef) -> None:
    with pytest.raises(UsageError, match="is not a"):
        bench.pipeline().plan(kind, ref)


def test_a_cordon_that_was_taken_back_is_not_sent_again(bench: Bench) -> None:
    """The node is open as when it was planned; that it carries another mark since tells the difference."""
    plan = leave_intent(bench, "cordon", ref=NODE)
    version = bench.cluster.get_node("node-a").resource_version
    bench.cluster.write_node(
        "node-a", uid="node-a-uid", resource_version=version, unschedulable=True,
        annotations={"maestro.io/change": plan.id},
    )  # fmt: skip
    with bench.cluster.state() as state:
        state["nodes"]["node-a"]["unschedulable"] = False
    with pytest.raises(ActionFailed, match="overtaken"):
        bench.pipeline().recover(plan.id)
    assert bench.cluster.marks == [plan.id]
    assert bench.cluster.get_node("node-a").schedulable


def test_a_node_and_a_workload_are_changed_at_the_same_time(bench: Bench) -> None:
    """The lease is on the target, by its name with its kind."""
    leave_intent(bench, ref=REF)
    pipeline = bench.pipeline()
    assert pipeline.execute(pipeline.plan("cordon", NODE), YES).state is State.VERIFIED


def test_a_busy_node_is_written_to_under_the_version_it_has_then(bench: Bench) -> None:
    bench.cluster.faults = ["status first"]
    pipeline = bench.pipeline()
    assert pipeline.execute(pipeline.plan("cordon", NODE), YES).state is State.VERIFIED


def test_what_is_closed_already_is_no_change(bench: Bench) -> None:
    pipeline = bench.pipeline()
    pipeline.execute(pipeline.plan("cordon", NODE), YES)
    with pytest.raises(GateNotMet, match="nothing to change in node/node-a"):
        pipeline.plan("cordon", NODE)
