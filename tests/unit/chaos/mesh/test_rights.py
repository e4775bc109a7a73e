"""A Role in the namespace of the target is enough to put a fault of Chaos Mesh in and to follow it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from maestro_cli.changes.kinds.kind import Request
from maestro_cli.changes.model import Plan
from maestro_cli.chaos.faults import FAULTS
from maestro_cli.chaos.faults.fault import InForce
from maestro_cli.chaos.mesh.changes import CreateMeshResource
from maestro_cli.chaos.mesh.kinds import API_VERSION
from maestro_cli.chaos.model import Candidate, Count, FaultOrder, TargetRule
from tests.unit.changes.fake_cluster import FakeCluster, template
from tests.unit.changes.fake_pods import POD
from tests.unit.chaos.mesh.fake_mesh import FakeMesh, MeshPlatform

RULE = TargetRule("ml", None, "app=fraud", Count(number=1))
TARGETS = (Candidate(POD, "pod-uid-0"),)
CHANGES = ("chg-1",)


def platform() -> MeshPlatform:
    cluster = FakeCluster()
    cluster.ship(template(1), "release 1")
    return MeshPlatform(cluster, resources=FakeMesh(only="ml"))


def put_in(there: MeshPlatform, order: FaultOrder) -> Plan:
    kind = CreateMeshResource(lambda: there.mesh)
    (step,) = FAULTS[order.fault].steps(order, TARGETS, 60.0)
    request = Request(step.ref, step.parameters, "chg-1", datetime(2026, 1, 1, tzinfo=UTC), 60.0)
    plan = kind.plan(there, request)
    kind.apply(there, plan, resource_version=plan.target.resource_version)
    return plan


def needed(there: MeshPlatform, plan: Plan) -> set[str]:
    return {str(one) for one in CreateMeshResource(lambda: there.mesh).needs(plan)}


def test_effect_and_residue_are_looked_for_in_the_namespace_of_the_target() -> None:
    there, order = platform(), FaultOrder("it", "mesh-network-delay", {"milliseconds": 100}, RULE)
    plan = put_in(there, order)
    fault = InForce(order, TARGETS, CHANGES, 60.0, 3)
    name = plan.target.ref.name
    assert FAULTS[order.fault].effect(there, fault).text == f"no controller has looked at {name} yet"
    assert list(FAULTS[order.fault].residue(there, fault)) == [f"NetworkChaos {name} is there"]
    assert needed(there, plan) == {
        "get networkchaos.chaos-mesh.org", "create networkchaos.chaos-mesh.org",
        "list networkchaos.chaos-mesh.org",
    }  # fmt: skip


def test_what_a_workflow_makes_is_followed_there_too_and_a_plan_asks_whether_it_may_be() -> None:
    chaos: dict[str, Any] = {
        "action": "pod-kill", "mode": "one", "selector": {"labelSelectors": {"app": "fraud"}},
    }  # fmt: skip
    document = {
        "apiVersion": API_VERSION, "kind": "Schedule", "metadata": {"name": "again", "namespace": "ml"},
        "spec": {"schedule": "@every 30s", "type": "PodChaos", "podChaos": chaos},
    }  # fmt: skip
    there, order = platform(), FaultOrder("it", "mesh-manifest", {"file": document}, RULE)
    plan = put_in(there, order)
    fault = InForce(order, TARGETS, CHANGES, 60.0, 3)
    assert FAULTS[order.fault].effect(there, fault).text == "Workflow again: nothing of it was due yet"
    assert list(FAULTS[order.fault].residue(there, fault)) == ["Workflow again is there"]
    assert {one for one in needed(there, plan) if one.startswith("list")} == {
        "list workflows.chaos-mesh.org", "list schedules.chaos-mesh.org", "list podchaos.chaos-mesh.org",
    }  # fmt: skip
