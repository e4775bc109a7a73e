"""Both arms are pods: of nodes and zones those of the target that they run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.chaos.arms import Blame
from maestro_cli.chaos.faults import FAULTS
from maestro_cli.chaos.guard.check import Proposal
from maestro_cli.chaos.measuring import Measuring
from maestro_cli.chaos.model import ArmQueries, Candidate, FaultOrder, Guarded, TargetRule
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.refs import ObjectRef, WorkloadRef
from tests.unit.chaos.test_pods import pod

QUERIES = ArmQueries('bad{pod=~"$PODS"}[$WINDOW]', 'all{pod=~"$PODS"}[$WINDOW]', 0.05)
WEB = TargetRule("ml", WorkloadRef("Deployment", "ml", "web"), "")


def node(name: str, *pods: str) -> Candidate:
    parts = tuple(ObjectRef("Pod", "ml", one) for one in pods)
    return Candidate(ObjectRef("Node", "", name), name, parts=parts)


def zone(name: str, *pods: str) -> Candidate:
    parts = (ObjectRef("Node", "", f"node-{name}"), *node(name, *pods).parts)
    return Candidate(ObjectRef("Zone", "", name), name, parts=parts)


@pytest.mark.parametrize("place", [node, zone])
def test_pods_of_a_place_that_is_met_are_compared_with_those_of_one_that_is_left_alone(place: Any) -> None:
    chosen = SimpleNamespace(targets=(place("a", "web-0", "web-3"),), control=(place("b", "web-1"),))
    proposal = SimpleNamespace(experiment=SimpleNamespace(guarded=Guarded(arms=QUERIES)), chosen=(chosen,))

    def value(query: str) -> float:
        return 100.0 if query.startswith("all") else 60.0 if "web-0|web-3" in query else 0.0

    measuring = Measuring(cast(Proposal, proposal), value, SystemClock())
    measuring.begin()
    found = measuring.comparison()
    assert found is not None
    assert (found.treated.pods, found.control.pods) == (("web-0", "web-3"), ("web-1",))
    assert (found.treated.bad, found.control.bad, found.blame) == (60.0, 0.0, Blame.FAULT)


@pytest.mark.parametrize("name", ["kubelet-stop", "node-drain", "node-cordon"])
def test_a_node_consists_of_the_pods_of_the_target_that_serve_there(name: str) -> None:
    pods = [pod("web-0"), pod("web-1", ready=False), pod("web-2")]

    def get_node(name: str) -> Any:
        return SimpleNamespace(
            ref=ObjectRef("Node", "", name), name=name, uid=name, zone="a", ready=True, schedulable=True
        )

    cluster = SimpleNamespace(
        get_node=get_node, list_pods=lambda *_, **__: pods,
        get_workload=lambda _: SimpleNamespace(selector="app=web"),
    )  # fmt: skip
    (found,) = FAULTS[name].candidates(
        cast(Platform, SimpleNamespace(cluster=cluster)), FaultOrder(name, name, {}, WEB)
    )
    assert [one.name for one in found.parts] == ["web-0", "web-2"]
