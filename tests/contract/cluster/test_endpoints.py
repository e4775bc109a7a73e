"""Endpoints of Services."""

from __future__ import annotations

import http.client
import urllib.request
from typing import Any

import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import deployment, service
from tests.contract.cluster.running import until

pytestmark = pytest.mark.contract

ANNOTATION = "maestro.io/local-endpoint"


def address_of(kubectl: Kubectl, name: str) -> str:
    def annotated() -> str | None:
        found: str | None = kubectl.get("svc", name)["metadata"].get("annotations", {}).get(ANNOTATION)
        return found

    return str(until(annotated, "the balancer's annotation"))


@behaviour("endpoints", "a Service without ready pods has an empty slice, which goes with it")
def test_a_service_without_ready_pods_refuses(kubectl: Kubectl) -> None:
    kubectl.apply(service("web"))
    host = address_of(kubectl, "web")
    with pytest.raises((http.client.HTTPException, OSError)):
        urllib.request.urlopen(f"http://{host}/", timeout=5)
    pieces = until(lambda: kubectl.items("endpointslices"), "its slice")
    assert [piece["endpoints"] or [] for piece in pieces] == [[]]
    assert pieces[0]["metadata"]["labels"]["kubernetes.io/service-name"] == "web"
    kubectl("delete", "svc", "web")
    until(lambda: not kubectl.items("endpointslices"), "the slice to go with its Service")


@behaviour("endpoints", "a pod that ends is terminating in its slice, with node and zone")
def test_a_pod_that_ends_is_terminating_in_its_slice(kubectl: Kubectl) -> None:
    made = deployment("web", 1)
    script = "import signal,time;signal.signal(signal.SIGTERM,lambda *_:None)\nwhile True: time.sleep(1)"
    made["spec"]["template"]["spec"]["containers"][0] |= {
        "command": ["python", "-S", "-c", script],
        "readinessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 1},
    }
    made["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 20
    kubectl.apply(service("web"), made)
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    name = kubectl.items("pods")[0]["metadata"]["name"]
    kubectl("delete", "pod", name, "--wait=false")

    def terminating() -> Any:
        pieces = kubectl.items("endpointslices")
        endpoints = [one for piece in pieces for one in piece.get("endpoints") or []]
        return next((one for one in endpoints if one["conditions"]["terminating"]), None)

    found = until(terminating, "the terminating endpoint")
    assert found["conditions"]["ready"] is False
    assert found["targetRef"]["name"] == name
    assert found["zone"] in {"zone-a", "zone-b"}
