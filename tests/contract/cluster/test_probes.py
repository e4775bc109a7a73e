"""Readiness, liveness, startup."""

from __future__ import annotations

import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import conditions, container_status, phase, pod
from tests.contract.cluster.running import Platform, until

pytestmark = pytest.mark.contract


@behaviour("probes", "readiness decides over endpoints, and restarts nothing")
def test_readiness_decides_over_endpoints(kubectl: Kubectl, platform: Platform) -> None:
    probe = {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1, "failureThreshold": 1}
    fields = {"ports": [{"name": "http", "containerPort": 8080}], "readinessProbe": probe}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]},
    }
    kubectl.apply(service, pod("web", container_fields=fields))

    def ready_endpoints() -> list[str]:
        return [
            address
            for piece in kubectl.items("endpointslices")
            for endpoint in piece.get("endpoints") or []
            if endpoint["conditions"]["ready"]
            for address in endpoint["addresses"]
        ]

    until(ready_endpoints, "the endpoint")
    [work] = platform.state.glob(f"pods/{kubectl.namespace}_web_*/work/c")
    (work / "broken").touch()
    until(lambda: not ready_endpoints(), "the endpoint to go")
    assert conditions(kubectl.get("pod", "web"))["Ready"] == ("False", "ContainersNotReady")
    assert container_status(kubectl, "web")["restartCount"] == 0
    kubectl.hear("Unhealthy", "Readiness probe failed")
    (work / "broken").unlink()
    until(ready_endpoints, "the endpoint to come back")


@behaviour("probes", "a failed liveness probe restarts the container")
def test_a_failed_liveness_probe_restarts(kubectl: Kubectl, platform: Platform) -> None:
    probe = {"exec": {"command": ["test", "!", "-e", "broken"]}, "periodSeconds": 1, "failureThreshold": 2}
    kubectl.apply(pod("live", container_fields={"livenessProbe": probe}, terminationGracePeriodSeconds=1))
    until(lambda: phase(kubectl, "live") == "Running", "a start")
    [work] = platform.state.glob(f"pods/{kubectl.namespace}_live_*/work/c")
    (work / "broken").touch()
    until(lambda: container_status(kubectl, "live")["restartCount"] >= 1, "a restart")
    kubectl.hear("Killing", "failed liveness probe")


@behaviour("probes", "a startup probe holds back the others")
def test_a_startup_probe_holds_back_the_others(kubectl: Kubectl, platform: Platform) -> None:
    up = {"exec": {"command": ["test", "-e", "up"]}, "periodSeconds": 1}
    fields = {
        "startupProbe": up | {"failureThreshold": 60},
        "livenessProbe": up | {"failureThreshold": 1},
    }
    kubectl.apply(pod("slow", container_fields=fields))
    until(lambda: phase(kubectl, "slow") == "Running", "a start")
    until(lambda: kubectl.events("Unhealthy"), "a failed startup probe")
    status = container_status(kubectl, "slow")
    assert (status["started"], status["ready"], status["restartCount"]) == (False, False, 0)
    [work] = platform.state.glob(f"pods/{kubectl.namespace}_slow_*/work/c")
    (work / "up").touch()
    until(lambda: container_status(kubectl, "slow")["ready"], "readiness after the start")
