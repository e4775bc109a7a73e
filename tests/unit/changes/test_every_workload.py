"""What follows a config map is looked for among StatefulSets and DaemonSets too, and restarted with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from maestro_cli.changes.kinds import KINDS
from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.changes.kinds.routing import following
from maestro_cli.changes.model import State
from maestro_cli.changes.template import RESTARTED_AT
from maestro_cli.core.errors import GateNotMet
from maestro_cli.core.facts.cluster import Workload
from maestro_cli.core.refs import WorkloadRef
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.fake_cluster import REF, FakeCluster, reading, template
from tests.unit.changes.fake_configs import CONFIG, SETTINGS

STS = WorkloadRef("StatefulSet", "ml", "ranking")
DS = WorkloadRef("DaemonSet", "ml", "edge")
ROLLOUT = {"key": "LEVEL", "value": "debug", "rollout": True}
EACH = [REF, STS, DS]


class WithSets(FakeCluster):
    """Two ready pods of a StatefulSet and one of a DaemonSet; they read and follow what the others do."""

    def __init__(self) -> None:
        super().__init__()
        self.ship(reading(template(2)))
        like = super().get_workload(REF)
        self.sets = {
            ref: replace(
                like, ref=ref, uid=f"uid-{ref.name}", replicas_wanted=count, replicas=count,
                replicas_updated=count, replicas_ready=count, replicas_available=count,
            )
            for ref, count in ((STS, 2), (DS, 1))
        }  # fmt: skip

    def list_all_workloads(self, namespace: str | None) -> Sequence[Workload]:
        return (*super().list_all_workloads(namespace), *self.sets.values())

    def get_workload(self, ref: WorkloadRef) -> Workload:
        return self.sets[ref] if ref in self.sets else super().get_workload(ref)

    def write_spec(
        self, ref: WorkloadRef, *, uid: str, resource_version: str, spec: Mapping[str, Any],
        annotations: Mapping[str, str | None], dry_run: bool = False,
    ) -> Workload:  # fmt: skip
        if ref not in self.sets:
            return super().write_spec(
                ref, uid=uid, resource_version=resource_version, spec=spec, annotations=annotations,
                dry_run=dry_run,
            )  # fmt: skip
        assert self.sets[ref].uid == uid
        self.sets[ref] = replace(self.sets[ref], template=spec["template"])
        return self.sets[ref]


@pytest.fixture
def cluster(bench: Bench) -> WithSets:
    bench.cluster = made = WithSets()
    return made


def test_the_sets_that_follow_the_routing_are_counted(bench: Bench, cluster: WithSets) -> None:
    assert [one.ref for one in following(cluster, CONFIG)] == EACH
    plan = bench.pipeline().plan("promote", CONFIG, {"model": "fraud", "version": 2})
    assert (plan.blast.workloads, plan.blast.replicas_now, plan.parameters["replicas"]) == (3, 6, 6)


def test_a_routing_does_not_hold_before_the_sets_follow_it(bench: Bench, cluster: WithSets) -> None:
    """The fake model servers are those of the Deployment alone: three."""
    plan = bench.pipeline().plan("promote", CONFIG, {"model": "fraud", "version": 2})
    with cluster.state() as state:
        written = state["configs"]["ml/fraud-routing"]
        written |= {
            "data": {"routing.yaml": plan.parameters["text"]},
            "annotations": {"maestro.io/change": plan.id},
        }
    kind = KINDS["promote"]
    assert kind.observe(bench.world, plan, left=plan.leaves).holds is Holds.NOT_YET
    cluster.sets.clear()
    assert kind.observe(bench.world, plan, left=plan.leaves).holds is Holds.YES


def test_the_sets_that_read_it_are_restarted_with_it(bench: Bench, cluster: WithSets) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("set-config", SETTINGS, ROLLOUT)
    assert (plan.blast.workloads, plan.blast.replicas_ended) == (3, 6)
    needed = set(map(str, KINDS["set-config"].needs(plan)))
    assert {
        f"{verb} {kind}s.apps" for verb in ("list", "patch") for kind in ("statefulset", "daemonset")
    } < needed
    assert pipeline.execute(plan, YES).state is State.VERIFIED
    for ref in EACH:
        assert RESTARTED_AT in cluster.get_workload(ref).template["metadata"]["annotations"], ref


def test_what_restarts_nothing_asks_for_no_permission_to(bench: Bench, cluster: WithSets) -> None:
    plan = bench.pipeline().plan("set-config", SETTINGS, {**ROLLOUT, "rollout": False})
    assert not [
        one for one in map(str, KINDS["set-config"].needs(plan)) if one.startswith("patch ") and "apps" in one
    ]


def test_a_set_that_would_replace_no_replica_is_not_said_to_be_restarted(
    bench: Bench, cluster: WithSets
) -> None:
    cluster.sets[STS] = replace(cluster.sets[STS], held_back=2, held_why="until they are deleted")
    with pytest.raises(GateNotMet, match="no replica of ml/sts/ranking would be replaced"):
        bench.pipeline().execute(bench.pipeline().plan("set-config", SETTINGS, ROLLOUT), YES)
    assert cluster.marks == []
