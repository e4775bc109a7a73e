"""What pods a budget expects: those that the controllers of the pods it selects want."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from maestro_cli.local.api import ApiClient
from maestro_cli.local.controllers.disruption import DisruptionController, NoScale
from maestro_cli.local.controllers.world import World
from maestro_cli.local.kubeconfig import KubeConfig


def thing(kind: str, name: str, uid: str, *, replicas: int = 1, owner: Any = None) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": name, "namespace": "ml", "uid": uid, "resourceVersion": "1"}
    if owner is not None:
        told = {"kind": owner["kind"], "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
        meta["ownerReferences"] = [{**told, "controller": True}]
    return {"kind": kind, "metadata": meta, "spec": {"replicas": replicas}}


def expected(known: list[dict[str, Any]], *pods: dict[str, Any]) -> int:
    """What a budget over these pods expects, where these workloads are known."""

    async def count() -> int:
        world = World(ApiClient(KubeConfig("http://127.0.0.1:9", False), "test"))
        controller = DisruptionController(world)
        for one in known:
            world.informers[one["kind"]].note(one)
        return controller._expected_scale(pods)

    return asyncio.run(count())


DEPLOYMENT = thing("Deployment", "web", "d", replicas=5)
SET = thing("ReplicaSet", "web-1", "r", replicas=3, owner=DEPLOYMENT)


def test_a_deployment_is_counted_once_and_a_bare_pod_not_at_all() -> None:
    pods = [thing("Pod", name, name, owner=SET) for name in ("a", "b")]
    assert expected([DEPLOYMENT, SET], *pods, thing("Pod", "bare", "bare")) == 5


def test_a_replica_set_of_its_own_is_counted() -> None:
    alone = thing("ReplicaSet", "web-1", "r", replicas=3)
    assert expected([alone], thing("Pod", "a", "a", owner=alone)) == 3


@pytest.mark.parametrize(
    ("known", "owner"),
    [
        ([SET], thing("Job", "web-1", "j")),
        ([SET], thing("ReplicaSet", "web-1", "earlier")),
        ([SET], SET),
        ([], SET),
    ],
    ids=["another kind of that name", "another of that name", "its deployment is unknown", "unknown"],
)
def test_an_owner_without_scale_is_told(known: list[dict[str, Any]], owner: dict[str, Any]) -> None:
    with pytest.raises(NoScale, match='found no controllers for pod "a"'):
        expected(known, thing("Pod", "a", "a", owner=owner))
