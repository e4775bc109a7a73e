"""Whose replicas are called: those in the ready pods of the target, each of them, and nobody else's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from maestro_cli.changes.kinds import KINDS
from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.changes.model import State
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.core.errors import ActionFailed, Unreachable
from maestro_cli.core.refs import WorkloadRef, serving_ref
from tests.unit.changes.bench import POLICY, YES, Bench
from tests.unit.changes.fake_cluster import BESIDE, REF
from tests.unit.changes.fake_servers import FakeServers
from tests.unit.changes.some_world import SomeWorld

OWN = ("pod-uid-0", "pod-uid-1", "pod-uid-2")
ASKED = {
    "load-model": {"model": "fraud", "version": 3},
    "unload-model": {"model": "fraud", "version": 2},
    "clear-cache": {},
}
each_kind = pytest.mark.parametrize("kind", sorted(ASKED))


def tell(bench: Bench, *pods: str) -> None:
    """What the replicas behind the serving address say they run in."""
    with bench.cluster.state() as state:
        state["servers"]["pods"] = list(pods)


@each_kind
@pytest.mark.parametrize("pods", [("x-0", "x-1", "x-2"), (*OWN[:2], "x-2")], ids=["all", "one"])
def test_servers_of_another_workload_are_not_taken_for_its_own(
    bench: Bench, kind: str, pods: Sequence[str]
) -> None:
    """As many as it has, so that to count them proves nothing."""
    tell(bench, *pods)
    with pytest.raises(Unreachable, match=r"is in no ready pod of ml/deploy/fraud") as raised:
        bench.pipeline().plan(kind, REF, ASKED[kind])
    assert "serving address" in raised.value.fix
    assert bench.cluster.marks == []


@each_kind
def test_pods_with_the_same_labels_are_those_of_who_owns_them(bench: Bench, kind: str) -> None:
    with pytest.raises(ActionFailed, match="no replica of ml/deploy/stable is ready"):
        bench.pipeline().plan(kind, BESIDE, ASKED[kind])


@each_kind
def test_two_processes_of_one_pod_are_not_every_replica(bench: Bench, kind: str) -> None:
    tell(bench, OWN[0], OWN[0], OWN[1])
    with pytest.raises(Unreachable, match="2 of 3 ready replicas"):
        bench.pipeline().plan(kind, REF, ASKED[kind])


@each_kind
def test_a_server_that_tells_no_pod_is_only_changed_as_the_server_it_is(bench: Bench, kind: str) -> None:
    tell(bench, OWN[0], "", OWN[2])
    with pytest.raises(Unreachable, match="is not known") as raised:
        bench.pipeline().plan(kind, REF, ASKED[kind])
    assert "POD_UID" in raised.value.fix
    assert "if it is alone, name it server" in raised.value.fix
    world = SomeWorld(bench.cluster, servers=FakeServers(bench.cluster, alone=True))
    alone = ChangePipeline(bench.journal, world, policy=POLICY, clock=bench.clock, actor="ada")
    assert alone.execute(alone.plan(kind, serving_ref(), ASKED[kind]), YES).state is State.VERIFIED


@each_kind
def test_nothing_is_called_when_others_answer_since_it_was_planned(bench: Bench, kind: str) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan(kind, REF, ASKED[kind])
    tell(bench, "x-0", "x-1", "x-2")
    with pytest.raises(Unreachable):
        pipeline.execute(plan, YES)
    assert bench.cluster.marks == []


def test_a_replica_that_is_not_ready_is_not_waited_for(bench: Bench) -> None:
    bench.cluster.set(ready=2)
    plan = bench.pipeline().plan("clear-cache", REF, {})
    assert bench.pipeline().execute(plan, YES).state is State.VERIFIED
    assert KINDS["clear-cache"].observe(bench.world, plan, left="").holds is Holds.YES
    bench.cluster.set(ready=3)
    assert KINDS["clear-cache"].observe(bench.world, plan, left="").holds is Holds.NOT_YET


def test_what_is_needed_is_asked_of_the_kind_of_workload(bench: Bench) -> None:
    plan = bench.pipeline().plan("clear-cache", REF, {})
    a_set = WorkloadRef("StatefulSet", "ml", "fraud")
    of_a_set = replace(plan, target=replace(plan.target, ref=a_set))
    needed = [set(map(str, KINDS["clear-cache"].needs(one))) for one in (plan, of_a_set)]
    assert needed == [
        {"list pods", "list replicasets.apps", "get deployments.apps"},
        {"list pods", "list controllerrevisions.apps", "get statefulsets.apps"},
    ]
