"""Garbage collection by owner."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import config_map, deployment
from tests.contract.cluster.running import until

pytestmark = pytest.mark.contract


@behaviour("garbage collection", "background deletion takes everything that is owned")
def test_deleting_a_deployment_takes_everything_with_it(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web", 2))
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    kubectl("delete", "deploy", "web")
    until(lambda: not kubectl.items("rs") and not kubectl.items("pods"), "replica sets and pods to go")


@behaviour("garbage collection", "foreground deletion ends with the owner, last")
def test_foreground_deletion_ends_last_with_the_owner(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web", 1))
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    kubectl("delete", "deploy", "web", "--cascade=foreground", "--timeout=90s")
    assert kubectl.items("pods") == []
    assert kubectl.items("rs") == []


@behaviour("garbage collection", "orphans stay, without owner, and are adopted again")
def test_orphans_stay_and_are_adopted_again(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web", 1))
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    [before] = kubectl.items("rs")
    kubectl("delete", "deploy", "web", "--cascade=orphan", "--timeout=90s")
    [left] = kubectl.items("rs")
    assert "ownerReferences" not in left["metadata"]
    kubectl.apply(deployment("web", 1))
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    [after] = kubectl.items("rs")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["metadata"]["ownerReferences"][0]["kind"] == "Deployment"


def owned_by(name: str, *owners: dict[str, Any]) -> dict[str, Any]:
    """A config map of these owners, each of which it would hold up."""
    made = config_map(name)
    made["metadata"]["ownerReferences"] = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": True,
        }
        for owner in owners
    ]
    return made


@behaviour(
    "garbage collection", "foreground deletion leaves what has another owner, without the one that goes"
)
def test_foreground_deletion_leaves_what_has_another_owner(
    kubectl: Kubectl, http: httpx.Client, configs: str
) -> None:
    first, second = (http.post(configs, json=config_map(name)).json() for name in ("first", "second"))
    for dependent in (owned_by("shared", first, second), owned_by("own", first)):
        assert http.post(configs, json=dependent).status_code == 201
    kubectl("delete", "configmap", "first", "--cascade=foreground", "--timeout=90s")
    assert http.get(f"{configs}/own").status_code == 404
    [left] = http.get(f"{configs}/shared").json()["metadata"]["ownerReferences"]
    assert left["uid"] == second["metadata"]["uid"]
    kubectl("delete", "configmap", "second", "--cascade=foreground", "--timeout=90s")
    until(lambda: http.get(f"{configs}/shared").status_code == 404, "the last owner to take it along")
