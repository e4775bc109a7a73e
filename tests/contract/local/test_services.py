"""Endpoints, the load balancer, metrics and discovery."""

from __future__ import annotations

import http.client
import json
import threading
import urllib.request
from collections import Counter
from typing import Any

import pytest

from tests.contract.local.running import Kubectl, Platform, deployment, until

pytestmark = pytest.mark.contract
ANNOTATION = "maestro.io/local-endpoint"


def service(name: str) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    spec = {"selector": {"app": name}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def address_of(kubectl: Kubectl, name: str) -> str:
    def annotated() -> str | None:
        found: str | None = kubectl.get("svc", name)["metadata"].get("annotations", {}).get(ANNOTATION)
        return found

    return str(until(annotated, "the balancer's annotation"))


class Client:
    """A keep-alive client that asks until stopped and counts who answered."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._over = threading.Event()
        self.answers: Counter[str] = Counter()
        self.errors: list[str] = []
        self.reconnects = 0
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Client:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(10)

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=5)
        while not self._over.wait(0.03):
            for attempt in (1, 2):
                try:
                    connection.request("GET", "/")
                    answer = connection.getresponse()
                    self.answers[answer.read().decode()] += 1
                    if answer.status != 200:
                        self.errors.append(str(answer.status))
                    break
                except (http.client.HTTPException, OSError) as problem:
                    # a closed idle connection is normal for keep-alive; a fresh one must work
                    connection.close()
                    self.reconnects += 1
                    if attempt == 2:
                        self.errors.append(repr(problem))
        connection.close()


def test_traffic_survives_a_rollout_and_moves_to_the_new_pods(kubectl: Kubectl) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    kubectl.apply(service("web"), deployment("web", 2, strategy=strategy))
    kubectl("rollout", "status", "deploy/web", "--timeout=20s")
    address = address_of(kubectl, "web")
    with Client(address) as one, Client(address) as two, Client(address) as three:
        until(lambda: one.answers and two.answers and three.answers, "answers")
        kubectl("set", "env", "deploy/web", "A=1")
        kubectl("rollout", "status", "deploy/web", "--timeout=30s")
        new = {pod["metadata"]["name"] for pod in kubectl.items("pods", "-l", "app=web")
               if "deletionTimestamp" not in pod["metadata"]}  # fmt: skip
        clients = (one, two, three)
        for client in clients:
            client.answers.clear()
        until(lambda: all(sum(client.answers.values()) > 5 for client in clients), "answers after it")
    for client in (one, two, three):
        assert client.errors == []
        assert set(client.answers) <= new


def test_connections_spread_when_a_pod_is_added(kubectl: Kubectl) -> None:
    kubectl.apply(service("web"), deployment("web", 1))
    kubectl("rollout", "status", "deploy/web", "--timeout=20s")
    address = address_of(kubectl, "web")
    clients = [Client(address) for _ in range(4)]
    for client in clients:
        client.__enter__()
    try:
        until(lambda: all(client.answers for client in clients), "answers")
        kubectl("scale", "deploy/web", "--replicas=2")
        kubectl("rollout", "status", "deploy/web", "--timeout=20s")

        def spread() -> bool:
            for client in clients:
                client.answers.clear()
            until(lambda: all(client.answers for client in clients), "answers")
            served = Counter(next(iter(client.answers)) for client in clients)
            return sorted(served.values()) == [2, 2]

        until(spread, "two connections to each pod")
    finally:
        for client in clients:
            client.__exit__()
    assert [client.errors for client in clients] == [[], [], [], []]


def test_a_service_without_ready_pods_refuses(kubectl: Kubectl) -> None:
    kubectl.apply(service("web"))
    host = address_of(kubectl, "web")
    with pytest.raises((http.client.HTTPException, OSError)):
        urllib.request.urlopen(f"http://{host}/", timeout=5)
    pieces = kubectl.items("endpointslices")
    assert [piece["endpoints"] or [] for piece in pieces] == [[]]
    assert pieces[0]["metadata"]["labels"]["kubernetes.io/service-name"] == "web"
    kubectl("delete", "svc", "web")
    until(lambda: not kubectl.items("endpointslices"), "the slice to go with its Service")


def test_a_pod_that_ends_is_terminating_in_its_slice(kubectl: Kubectl) -> None:
    made = deployment("web", 1)
    script = "import signal,time;signal.signal(signal.SIGTERM,lambda *_:None)\nwhile True: time.sleep(1)"
    made["spec"]["template"]["spec"]["containers"][0] |= {
        "command": ["python", "-S", "-c", script],
        "readinessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 1},
    }
    made["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 20
    kubectl.apply(service("web"), made)
    kubectl("rollout", "status", "deploy/web", "--timeout=20s")
    name = kubectl.items("pods")[0]["metadata"]["name"]
    kubectl("delete", "pod", name, "--wait=false")

    def terminating() -> Any:
        endpoints = kubectl.items("endpointslices")[0].get("endpoints") or []
        return next((one for one in endpoints if one["conditions"]["terminating"]), None)

    found = until(terminating, "the terminating endpoint")
    assert found["conditions"]["ready"] is False
    assert found["targetRef"]["name"] == name
    assert found["zone"] in {"zone-a", "zone-b"}


def page(platform: Platform, path: str) -> str:
    with urllib.request.urlopen(platform.announced("metrics")["url"] + path, timeout=5) as answer:
        return str(answer.read().decode())


def test_the_exporter_speaks_kube_state_metrics(kubectl: Kubectl, platform: Platform) -> None:
    made = deployment("web", 2)
    made["spec"]["template"]["metadata"]["annotations"] = {"prometheus.io/scrape": "true", "prometheus.io/port": "8080"}  # noqa: E501  # fmt: skip
    kubectl.apply(made)
    kubectl("rollout", "status", "deploy/web", "--timeout=20s")
    labels = f'namespace="{kubectl.namespace}",deployment="web"'

    def metric(name: str, labels: str) -> list[float]:
        lines = [line for line in page(platform, "/metrics").splitlines() if line.startswith(name + "{")]
        return [float(line.rsplit(" ", 1)[1]) for line in lines if labels in line]

    assert metric("kube_deployment_spec_replicas", labels) == [2]
    until(lambda: metric("kube_deployment_status_replicas_available", labels) == [2], "two available")
    assert metric("kube_deployment_metadata_generation", labels) == [1]
    assert sorted(metric("kube_pod_status_phase", f'namespace="{kubectl.namespace}"')) == [0] * 8 + [1, 1]
    assert len(metric("kube_node_status_condition", 'condition="Ready",status="true"')) >= 2
    assert all(value > 1e6 for value in metric("container_memory_working_set_bytes", kubectl.namespace))
    assert len(metric("container_cpu_usage_seconds_total", kubectl.namespace)) == 2
    groups = [
        group
        for group in json.loads(page(platform, "/sd/pods"))
        if group["labels"]["namespace"] == kubectl.namespace
    ]
    assert {group["labels"]["deployment"] for group in groups} == {"web"}
    assert {group["labels"]["revision"] for group in groups} == {"1"}
    for group in groups:
        with urllib.request.urlopen(f"http://{group['targets'][0]}/", timeout=5) as answer:
            assert answer.read().decode() == group["labels"]["pod"]
