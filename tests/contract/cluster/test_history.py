"""The history of a Deployment: revisions, undo, restart, limits."""

from __future__ import annotations

import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import deployment
from tests.contract.cluster.running import until

pytestmark = pytest.mark.contract

REVISION = "deployment.kubernetes.io/revision"


def revisions(kubectl: Kubectl, name: str) -> list[int]:
    """The revisions in `rollout history`, in its order."""
    lines = kubectl("rollout", "history", f"deploy/{name}").splitlines()
    return [int(line.split()[0]) for line in lines if line[:1].isdigit()]


@behaviour("history", "undo goes back to the revision before, in its own ReplicaSet, under a new number")
def test_undo_reuses_the_old_replica_set_and_gives_it_a_new_number(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web", 2))
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    first = kubectl.items("rs")[0]["metadata"]["name"]
    kubectl("set", "env", "deploy/web", "A=1")
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    assert revisions(kubectl, "web") == [1, 2]
    kubectl("rollout", "undo", "deploy/web")
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    assert revisions(kubectl, "web") == [2, 3]
    again = kubectl.get("rs", first)
    assert again["spec"]["replicas"] == 2
    assert again["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"
    assert len(kubectl.items("rs")) == 2


@behaviour("history", "restart makes a revision; history keeps no more than its limit")
def test_restart_makes_a_revision_and_history_is_limited(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web", 1, revisionHistoryLimit=1))
    for value in "123":
        kubectl("set", "env", "deploy/web", f"A={value}")
        kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    kubectl("rollout", "restart", "deploy/web")
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    until(lambda: len(kubectl.items("rs")) == 2, "one old ReplicaSet to be left")
    assert max(revisions(kubectl, "web")) == 5, "one, three of set env, one of restart"
