"""Garbage collection by owner."""

from __future__ import annotations

import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import deployment
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
