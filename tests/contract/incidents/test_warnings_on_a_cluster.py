"""Warnings that a cluster really gives become signals of the right workload."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.facts.alerts import Alert
from maestro_cli.incidents.intake.warnings import SOURCE, WarningSignals
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.journal.store import Journal
from maestro_cli.sources.kube import KubeCluster
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import pod
from tests.contract.cluster.running import until

pytestmark = pytest.mark.contract


def test_a_crash_loop_and_a_pod_without_a_node_become_signals(
    kubectl: Kubectl, cluster: Path, namespace: str, tmp_path: Path
) -> None:
    looping = pod("crash", "import sys;sys.exit(3)")
    template: dict[str, Any] = {"metadata": {"labels": {"app": "crash"}}, "spec": looping["spec"]}
    deployment = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "crash"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "crash"}}, "template": template},
    }  # fmt: skip
    kubectl.apply(deployment)
    kubectl.apply(pod("nowhere", "pass", nodeSelector={"no": "such-node"}))
    clock = SystemClock()
    journal = Journal(tmp_path / "journal.db", projections=[IncidentProjection()], clock=clock)
    source = KubeCluster(ClusterEndpoint(str(cluster / "admin.kubeconfig")))
    signals = WarningSignals(source, journal, clock, namespace=namespace)
    try:
        back_off = until(lambda: named(signals, "KubernetesBackOff"), "a signal of the crash loop")
        assert back_off.labels["deployment"] == "crash"
        assert back_off.labels["namespace"] == namespace
        assert "Back-off restarting failed container" in back_off.annotations["summary"]
        assert back_off.source == SOURCE
        until(lambda: ("nowhere", "FailedScheduling") in told(source, namespace), "a pod without a node")
        assert {one.type for one in source.list_warnings(namespace)} == {"Warning"}
    finally:
        source.close()
        journal.close()


def told(source: KubeCluster, namespace: str) -> set[tuple[str, str]]:
    return {(one.object_name, str(one.reason)) for one in source.list_warnings(namespace)}


def named(signals: WarningSignals, name: str) -> Alert | None:
    return next((one for one in signals.alerts() if one.name == name), None)
