"""Pods at the other end of altered connections are met too: shown, counted, named, and never elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from maestro_cli.changes.kinds.kind import Request
from maestro_cli.changes.model import Plan
from maestro_cli.chaos.faults import FAULTS
from maestro_cli.chaos.mesh.changes import CREATE, CreateMeshResource
from maestro_cli.chaos.mesh.kinds import API_VERSION
from maestro_cli.chaos.model import Count, FaultOrder, TargetRule
from maestro_cli.core.errors import ActionFailed, UsageError
from tests.unit.changes.fake_cluster import FakeCluster, template
from tests.unit.chaos.mesh.fake_mesh import MeshPlatform

FRAUD = {"labelSelectors": {"app": "fraud"}}
FAULT = FAULTS["mesh-manifest"]


def partition(target: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    far = {"mode": "all", "selector": target}
    spec = {"action": "partition", "mode": "one", "selector": FRAUD, "duration": "60s", "target": far}
    return {
        "apiVersion": API_VERSION, "kind": "NetworkChaos", "spec": {**spec, **more},
        "metadata": {"name": "cut", "namespace": "ml"},
    }  # fmt: skip


def order_of(document: Mapping[str, Any]) -> FaultOrder:
    rule = TargetRule("ml", None, "app=fraud", Count(number=1))
    return FaultOrder("cut", "mesh-manifest", {"file": document}, rule)


def planned(document: Mapping[str, Any]) -> Plan:
    cluster = FakeCluster()
    cluster.ship(template(1), "release 1")
    platform = MeshPlatform(cluster)
    order = order_of(document)
    (step,) = FAULT.steps(order, FAULT.candidates(platform, order)[:1], 60.0)
    assert step.kind == CREATE
    request = Request(step.ref, step.parameters, "chg-1", datetime(2026, 1, 1, tzinfo=UTC), 60.0)
    return CreateMeshResource(lambda: platform.mesh).plan(platform, request)


@pytest.mark.parametrize("altered", [{}, {"direction": "both"}, {"action": "loss", "direction": "from"}])
def test_they_are_named_in_what_is_made_and_told(altered: dict[str, Any]) -> None:
    plan = planned(partition(FRAUD, loss={"loss": "5"}, **altered))
    target = plan.parameters["document"]["spec"]["target"]
    assert target == {"mode": "all", "selector": {"pods": {"ml": ["pod-0", "pod-1", "pod-2"]}}}
    assert plan.parameters["pods"] == [["ml", "pod-0"], ["ml", "pod-1"], ["ml", "pod-2"]]
    assert "3 pods at the other end: ml/pod/pod-0" in plan.notes[0]


def test_of_one_way_alone_nothing_is_altered_at_the_other_end() -> None:
    document = partition({"namespaces": ["payments"], **FRAUD}, action="loss", loss={"loss": "5"})
    plan = planned(document)
    assert plan.parameters["document"]["spec"]["target"] == document["spec"]["target"]
    assert plan.parameters["pods"] == [["ml", "pod-0"]]
    assert plan.notes == ()


def test_in_another_namespace_they_are_refused() -> None:
    for target in ({"namespaces": ["payments"], **FRAUD}, {"pods": {"payments": ["db-0"]}}):
        with pytest.raises(UsageError, match="alters pods of payments"):
            planned(partition(target))
    inside = {"schedule": "@every 30s", "type": "NetworkChaos", "networkChaos": partition({})["spec"]}
    inside["networkChaos"]["selector"] = {"namespaces": ["ml", "payments"], **FRAUD}
    document = {**partition({}), "kind": "Schedule", "spec": inside}
    with pytest.raises(UsageError, match="alters pods of payments"):
        FAULT.candidates(MeshPlatform(FakeCluster()), order_of(document))


def test_where_there_are_none_nothing_is_made() -> None:
    with pytest.raises(ActionFailed, match="matches no pod"):
        planned(partition({"labelSelectors": {"app": "nobody"}}))
