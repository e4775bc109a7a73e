"""A workload on the cluster of the suite, and who may hurt it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.kinds import KINDS
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.policy import Policy
from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.chaos import injecting as injecting_room
from maestro_cli.chaos import planning, undoing
from maestro_cli.chaos.faults import fault_kinds
from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.journal.store import Journal
from maestro_cli.services.embedded_hooks import EmbeddedPlatformHooks
from maestro_cli.sources.kube import KubeCluster
from tests.contract.chaos.injected import Injected, order
from tests.contract.chaos.some_platform import SomePlatform
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import deployment, service
from tests.contract.cluster.running import Platform
from tests.patience import PATIENCE_SECONDS

Inject = Callable[..., Injected]


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would be waited for in vain is not waited for long."""
    monkeypatch.setattr(injecting_room, "EFFECT_SECONDS", 0.5)
    monkeypatch.setattr(undoing, "UNDO_SECONDS", 0.5)
    monkeypatch.setattr(planning, "VERIFY_SECONDS", 1.0)


@pytest.fixture
def injecting(platform: Platform, namespace: str, tmp_path: Path) -> Iterator[Inject]:
    """Make a fault of the workload `web`; it has to be put in."""
    clock = SystemClock()
    journal = Journal(tmp_path / "journal.db", projections=[ChangesProjection()], clock=clock)
    cluster = KubeCluster(ClusterEndpoint(str(platform.state / "oncall.kubeconfig")))
    world = SomePlatform(cluster, hooks=EmbeddedPlatformHooks(cluster, platform.state, clock))
    rules = Policy(context="test", poll_seconds=0.05, verify_timeout_seconds=PATIENCE_SECONDS)
    kinds = {**KINDS, **fault_kinds(world)}
    pipeline = ChangePipeline(journal, world, policy=rules, clock=clock, actor="oncall", kinds=kinds)
    web = WorkloadRef("Deployment", namespace, "web")

    def make(fault: str, count: int = 1, **parameters: Any) -> Injected:
        return Injected(world, pipeline, order(fault, web, count, **parameters))

    yield make
    cluster.close()
    journal.close()


@pytest.fixture
def web(kubectl: Kubectl) -> Iterator[Kubectl]:
    """Two replicas of `web`, on two nodes, that are rolled out and answer."""
    made = deployment("web", 2)
    spec = made["spec"]["template"]["spec"]
    spec["terminationGracePeriodSeconds"] = 1
    spec["containers"][0]["readinessProbe"]["timeoutSeconds"] = 2  # whoever hangs is to be found out soon
    kubectl.apply(made, service("web"))
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    yield kubectl
    kubectl("uncordon", "node-a", "node-b")
