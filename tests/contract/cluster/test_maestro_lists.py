"""maestro's own lists beside stock kubectl's: every state of a pod that kubectl has a word for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.errors import Refused, UsageError
from maestro_cli.sources.kube import KubeCluster
from maestro_cli.sources.kube.inventory import Inventory
from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.unit.sources.pod_shapes import SHAPES, Shape

pytestmark = pytest.mark.contract
ELSEWHERE = "elsewhere"


@pytest.fixture
def inventory(cluster: Path) -> Iterator[Inventory]:
    source = KubeCluster(ClusterEndpoint(str(cluster / "admin.kubeconfig")))
    yield source.inventory
    source.close()


def make(http: httpx.Client, namespace: str, shape: Shape) -> None:
    """A pod in that state, as a kubelet would have reported it."""
    path = f"/api/v1/namespaces/{namespace}/pods"
    # on a node without a kubelet, which would report what it finds; nobody minds that it is not ready
    spec = shape.spec() | {"nodeName": ELSEWHERE, "schedulerName": "nobody"}
    spec["tolerations"] = [{"operator": "Exists"}]
    if shape.phase == "Pending" and not shape.statuses and not shape.init_statuses:
        del spec["nodeName"]
    if shape.status == "SchedulingGated":
        spec["schedulingGates"] = [{"name": "test.example/gate"}]
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": shape.name}, "spec": spec}
    made = http.post(path, json=body)
    assert made.status_code == 201, made.text
    told = http.put(f"{path}/{shape.name}/status", json={**body, "status": shape.pod_status()})
    assert told.status_code == 200, told.text
    if shape.deleted:
        http.delete(f"{path}/{shape.name}")


@pytest.fixture
def shapes(http: httpx.Client, namespace: str) -> Iterator[None]:
    assert http.post("/api/v1/nodes", json={"metadata": {"name": ELSEWHERE}}).status_code == 201
    for shape in SHAPES:
        make(http, namespace, shape)
    yield
    for shape in SHAPES:  # no kubelet confirms their end
        http.delete(f"/api/v1/namespaces/{namespace}/pods/{shape.name}", params={"gracePeriodSeconds": "0"})
    http.delete(f"/api/v1/nodes/{ELSEWHERE}")


@behaviour("maestro's lists", "pods are told as kubectl tells them")
def test_pods_are_told_as_kubectl_tells_them(
    inventory: Inventory, kubectl: Kubectl, namespace: str, shapes: None
) -> None:
    printed = [line.split()[:4] for line in kubectl("get", "pods", "--no-headers").splitlines()]
    own = [
        [pod.name, f"{pod.containers_ready}/{pod.containers_total}", pod.status, str(pod.restarts)]
        for pod in inventory.pods(namespace, lambda _: "")
    ]
    assert sorted(own) == sorted(printed)
    assert {name: columns for name, *columns in printed} == {
        shape.name: [shape.ready, shape.status, str(shape.restarts)] for shape in SHAPES
    }


@behaviour("maestro's lists", "selectors pick what kubectl picks")
def test_selectors_pick_what_kubectl_picks(
    inventory: Inventory, kubectl: Kubectl, namespace: str, shapes: None
) -> None:
    for fields in ("status.phase=Failed", f"status.phase!=Running,spec.nodeName={ELSEWHERE}"):
        printed = kubectl("get", "pods", "-o", "name", "--field-selector", fields).split()
        own = inventory.pods(namespace, lambda _: "", fields=fields)
        assert sorted(f"pod/{pod.name}" for pod in own) == sorted(printed)
        assert printed
    with pytest.raises(UsageError):
        inventory.pods(namespace, lambda _: "", fields="status.colour=red")
    with pytest.raises(UsageError):
        inventory.pods(namespace, lambda _: "", selector="app in (")


@behaviour("maestro's lists", "a long list is whole and each once")
def test_a_long_list_is_whole_and_each_once(
    inventory: Inventory, http: httpx.Client, namespace: str, shapes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maestro_cli.sources.kube.api_server.PAGE_SIZE", 3)
    found = [pod.name for pod in inventory.pods(namespace, lambda _: "")]
    assert sorted(found) == sorted(shape.name for shape in SHAPES)


@behaviour("maestro's lists", "zones are read from nodes")
def test_zones_are_read_from_nodes(inventory: Inventory, http: httpx.Client) -> None:
    labels = {"topology.kubernetes.io/zone": "zone-x"}
    made = http.post("/api/v1/nodes", json={"metadata": {"name": "zoned", "labels": labels}})
    assert made.status_code in (201, 409), made.text
    try:
        assert inventory.zones()["zoned"] == "zone-x"
        (node,) = inventory.nodes(fields="metadata.name=zoned")
        assert (node.zone, node.status, node.health) == ("zone-x", "Unknown", "bad")
    finally:
        http.delete("/api/v1/nodes/zoned")


@behaviour("maestro's lists", "workloads are told as kubectl tells them")
def test_workloads_are_told_as_kubectl_tells_them(
    inventory: Inventory, http: httpx.Client, kubectl: Kubectl, namespace: str, deployment: dict[str, Any]
) -> None:
    made = http.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", json=deployment)
    assert made.status_code == 201, made.text
    (line,) = inventory.workloads(
        namespace
    )  # on a cluster that serves the other kinds, and one that does not
    assert (str(line.ref), line.desired, line.images) == (f"{namespace}/deploy/web", 3, ("x:1",))
    ready = kubectl("get", "deploy", "web", "--no-headers").split()[1]
    assert ready == f"{line.ready}/{line.desired}"


@behaviour("maestro's lists", "a namespace is there or not")
def test_a_namespace_is_there_or_not(inventory: Inventory, namespace: str) -> None:
    assert inventory.has_namespace(namespace)
    assert not inventory.has_namespace("nowhere")
    assert namespace in inventory.namespaces()


@behaviour("maestro's lists", "who may not list is refused")
def test_who_may_not_list_is_refused(cluster: Path, namespace: str) -> None:
    source = KubeCluster(ClusterEndpoint(str(cluster / "kubelet.kubeconfig")))
    try:
        with pytest.raises(Refused):
            source.inventory.workloads(namespace)
    finally:
        source.close()
