"""The sources are what the rooms ask for; mypy is the judge, running it only proves that they import."""

from __future__ import annotations

import inspect

from maestro_cli.changes.ports import ClusterPort as ChangedCluster
from maestro_cli.incidents.ports import Alerts, Cluster, Metrics
from maestro_cli.runbooks.ports import MetricsPort
from maestro_cli.sources.alertmanager import Alertmanager
from maestro_cli.sources.kube import KubeCluster
from maestro_cli.sources.prometheus import Prometheus


def as_ports(
    cluster: KubeCluster, prometheus: Prometheus, alertmanager: Alertmanager
) -> tuple[ChangedCluster, Cluster, Metrics, MetricsPort, Alerts]:
    return cluster, cluster, prometheus, prometheus, alertmanager


def test_every_method_of_a_port_is_there() -> None:
    pairs = (
        (ChangedCluster, KubeCluster),
        (Cluster, KubeCluster),
        (Metrics, Prometheus),
        (Alerts, Alertmanager),
    )
    for port, source in pairs:
        names = [name for name, _ in inspect.getmembers(port, inspect.isfunction) if not name.startswith("_")]
        assert names
        assert all(callable(getattr(source, name, None)) for name in names)
