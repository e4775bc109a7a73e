"""Changes of whoever has an identity of the cluster, in a journal of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes import execution
from maestro_cli.changes.kinds.kind import Request
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.policy import Policy
from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.journal.store import Journal
from maestro_cli.sources.kube import KubeCluster
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import container, deployment
from tests.contract.cluster.running import Platform
from tests.patience import PATIENCE_SECONDS
from tests.unit.changes.some_world import SomeWorld

Pipeline = Callable[..., ChangePipeline]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.db", projections=[ChangesProjection()], clock=SystemClock())
    yield made
    made.close()


@pytest.fixture
def pipeline(platform: Platform, journal: Journal) -> Iterator[Pipeline]:
    """Make a pipeline for an identity of the cluster, with these rules."""
    clusters: list[KubeCluster] = []

    def make(identity: str = "oncall", **policy: Any) -> ChangePipeline:
        clusters.append(KubeCluster(ClusterEndpoint(str(platform.state / f"{identity}.kubeconfig"))))
        rules = Policy(
            context="test", poll_seconds=0.05, **{"verify_timeout_seconds": PATIENCE_SECONDS, **policy}
        )
        return ChangePipeline(
            journal, SomeWorld(clusters[-1]), policy=rules, clock=SystemClock(), actor=identity
        )

    yield make
    for cluster in clusters:
        cluster.close()


@pytest.fixture
def patient_undo(monkeypatch: pytest.MonkeyPatch) -> None:
    """An undo has the time of the change that it undoes, which a test keeps short; it has to hold."""

    def patient(*given: Any) -> Request:
        return replace(Request(*given), timeout_seconds=PATIENCE_SECONDS)

    monkeypatch.setattr(execution, "Request", patient)


SETTINGS = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"},
            "data": {"COLOR": "blue", "other": "x"}}  # fmt: skip


@pytest.fixture
def ref(namespace: str) -> WorkloadRef:
    return WorkloadRef("Deployment", namespace, "web")


@pytest.fixture
def web(kubectl: Kubectl) -> Iterator[Kubectl]:
    """Two replicas of `web` that are rolled out."""
    env = [{"name": "LEVEL", "value": "info"}, {"name": "OLD", "value": "x"}]
    made = deployment("web", 2)
    kubectl.apply(SETTINGS)
    spec = made["spec"]["template"]["spec"]
    spec["containers"] = [container("import signal; signal.pause()", env=env)]
    spec["containers"][0]["envFrom"] = [{"configMapRef": {"name": "settings"}}]
    spec["terminationGracePeriodSeconds"] = 1
    kubectl.apply(made)
    yield rolled_out(kubectl)
    kubectl("uncordon", "node-a", "node-b")


def rolled_out(kubectl: Kubectl) -> Kubectl:
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    return kubectl
