"""Scaling, and whom a ReplicaSet owns."""

from __future__ import annotations

import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import deployment
from tests.contract.cluster.running import until

pytestmark = pytest.mark.contract


def sizes(kubectl: Kubectl) -> list[int]:
    return [rs["spec"]["replicas"] for rs in kubectl.items("rs")]


@behaviour("scaling", "scaling in the middle of a rollout is proportional")
def test_scaling_in_the_middle_of_a_rollout_is_proportional(kubectl: Kubectl) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 2, "maxUnavailable": 0}}
    kubectl.apply(deployment("web", 4, strategy=strategy))
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    kubectl("set", "image", "deploy/web", "c=maestro.local/nothing:1")
    until(lambda: sorted(sizes(kubectl)) == [2, 4], "the rollout to get stuck at 4 + 2")
    kubectl("scale", "deploy/web", "--replicas=8")
    until(lambda: sum(sizes(kubectl)) == 10, "replicas + surge")
    assert sorted(sizes(kubectl)) == [3, 7]


@behaviour("scaling", "a ReplicaSet adopts matching orphans and releases what no longer matches")
def test_a_replica_set_adopts_orphans_and_lets_strangers_go(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web", 2))
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    released = kubectl.items("pods")[0]["metadata"]["name"]
    kubectl("label", "pod", released, "app=other", "--overwrite")
    until(lambda: "ownerReferences" not in kubectl.get("pod", released)["metadata"], "release")
    until(lambda: len(kubectl.items("pods", "-l", "app=web")) == 2, "a replacement")
    kubectl("label", "pod", released, "app=web", "--overwrite")
    until(lambda: len(kubectl.items("pods", "-l", "app=web")) == 2, "the surplus to go after adoption")
