"""The exporter of the platform."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import deployment
from tests.contract.cluster.running import Platform, until

pytestmark = pytest.mark.contract


def page(platform: Platform, path: str) -> str:
    with urllib.request.urlopen(platform.announced("metrics")["url"] + path, timeout=60) as answer:
        return str(answer.read().decode())


@behaviour("metrics", "kube-state-metrics' and cAdvisor's series, and targets for Prometheus")
def test_the_exporter_speaks_kube_state_metrics(kubectl: Kubectl, platform: Platform) -> None:
    made = deployment("web", 2)
    made["spec"]["template"]["metadata"]["annotations"] = {"prometheus.io/scrape": "true", "prometheus.io/port": "8080"}  # noqa: E501  # fmt: skip
    kubectl.apply(made)
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    labels = f'namespace="{kubectl.namespace}",deployment="web"'

    def metric(name: str, *labels: str) -> list[float]:
        lines = [line for line in page(platform, "/metrics").splitlines() if line.startswith(name + "{")]
        return [float(line.rsplit(" ", 1)[1]) for line in lines if all(one in line for one in labels)]

    until(lambda: metric("kube_deployment_spec_replicas", labels) == [2], "the deployment")
    until(lambda: metric("kube_deployment_status_replicas_available", labels) == [2], "two available")
    assert metric("kube_deployment_metadata_generation", labels) == [1]

    def phases() -> list[float]:
        return sorted(metric("kube_pod_status_phase", f'namespace="{kubectl.namespace}"'))

    def memory() -> list[float]:
        return metric("container_memory_working_set_bytes", kubectl.namespace, 'container="c"')

    until(lambda: phases() == [0] * 8 + [1, 1], "two that run")
    until(lambda: len(memory()) == 2 and min(memory()) > 1e6, "their memory")
    until(lambda: len(metric("container_cpu_usage_seconds_total", kubectl.namespace, 'container="c"')) == 2,
          "their processor time")  # fmt: skip
    assert len(metric("kube_node_status_condition", 'condition="Ready",status="true"')) >= 2

    def targets() -> list[dict[str, Any]]:
        found = json.loads(page(platform, "/sd/pods"))
        return [group for group in found if group["labels"]["namespace"] == kubectl.namespace]

    groups = until(lambda: len(found := targets()) == 2 and found, "two targets")
    assert {group["labels"]["deployment"] for group in groups} == {"web"}
    assert {group["labels"]["revision"] for group in groups} == {"1"}
    for group in groups:
        with urllib.request.urlopen(f"http://{group['targets'][0]}/", timeout=60) as answer:
            assert answer.read().decode() == group["labels"]["pod"]
