"""How far a rollout is, told from what real controllers report, of every kind of workload."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_cli.changes.ports import ClusterPort
from maestro_cli.changes.rollouts import Rollout, Stage, read_rollout
from maestro_cli.core.refs import WorkloadRef
from tests.contract.changes.conftest import Pipeline
from tests.contract.changes.test_sets_on_a_cluster import BOTH, ENDS, REAL, a_set
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.running import until

pytestmark = pytest.mark.contract


def from_good_to_bad(cluster: ClusterPort, kubectl: Kubectl, kind: str) -> Rollout:
    """A release that comes up, and one that crashes, as it is told once it stalls."""
    ref = WorkloadRef(kind, kubectl.namespace, "web")
    replicas: dict[str, Any] = {"replicas": 2} if kind == "Deployment" else {}

    def stage(wanted: Stage) -> Rollout:
        def reached() -> Rollout | None:
            found = read_rollout(cluster, ref)
            return found if found.stage is wanted else None

        found: Rollout = until(reached, wanted.value)
        return found

    kubectl.apply(a_set(kind, **replicas))
    (good,) = stage(Stage.COMPLETE).revisions
    assert (good.is_newest, len(good.pods)) == (True, 2)
    kubectl.apply(a_set(kind, "bad", ENDS, **replicas))
    return stage(Stage.STALLED)


def is_told(rollout: Rollout) -> None:
    assert rollout.revisions[0].is_newest
    assert any(pod.is_stuck for pod in rollout.revisions[0].pods)
    assert "is in CrashLoopBackOff" in rollout.why


def test_a_deployment_is_followed_from_good_to_bad(pipeline: Pipeline, kubectl: Kubectl) -> None:
    is_told(from_good_to_bad(pipeline().world.cluster, kubectl, "Deployment"))


@REAL
@BOTH
def test_a_set_is_followed_from_good_to_bad(pipeline: Pipeline, kubectl: Kubectl, kind: str) -> None:
    is_told(from_good_to_bad(pipeline().world.cluster, kubectl, kind))
