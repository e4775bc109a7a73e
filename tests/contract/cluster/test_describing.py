"""One object looked at closely: as text without secrets, with its owners, what it owns, and events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.errors import NotFound
from maestro_cli.core.facts.inspection import OwnedObject
from maestro_cli.core.facts.inventory import PodLine, WorkloadLine
from maestro_cli.core.refs import ObjectRef, WorkloadRef
from maestro_cli.core.secret_words import HIDDEN
from maestro_cli.sources.kube import KubeCluster
from maestro_cli.sources.kube.describe import Describing
from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import idle_pod, secret
from tests.contract.cluster.running import until
from tests.contract.cluster.wire import MERGE

pytestmark = pytest.mark.contract


@pytest.fixture
def describing(cluster: Path) -> Iterator[Describing]:
    source = KubeCluster(ClusterEndpoint(str(cluster / "admin.kubeconfig")))
    yield source.describing
    source.close()


def no_zone(_: str) -> str:
    return ""


def pods_of(owned: tuple[OwnedObject, ...]) -> set[str]:
    return {one.ref.name for one in owned}


@behaviour(
    "maestro's descriptions", "a workload is told with its revisions, their pods, and the events of all"
)
def test_a_workload_is_told_with_its_revisions_their_pods_and_events(
    describing: Describing, http: httpx.Client, namespace: str, pods: str, web: str
) -> None:
    ref = WorkloadRef("Deployment", namespace, "web")
    http.patch(f"{web}", json={"spec": {"template": {"metadata": {"labels": {"n": "2"}}}}}, headers=MERGE)
    found = until(lambda: len((d := describing.describe(ref, no_zone)).owned) == 2 and d, "a second revision")
    assert isinstance(found.line, WorkloadLine)
    assert [one.status for one in found.owned] == ["revision 2", "revision 1"]
    there = {one["metadata"]["name"] for one in http.get(pods).json()["items"]}
    found = until(lambda: (d := describing.describe(ref, no_zone)).owned[0].owned and d, "its pods")
    there |= {one["metadata"]["name"] for one in http.get(pods).json()["items"]}
    assert pods_of(found.owned[0].owned) | pods_of(found.owned[1].owned) <= there

    def event_kinds() -> set[str]:
        return {one.object_kind for one in describing.describe(ref, no_zone).events}

    until(lambda: event_kinds() >= {"Deployment", "ReplicaSet"}, "the events of both")
    assert {one.type for one in found.conditions} >= {"Available", "Progressing"}
    assert found.missing == ()


@behaviour("maestro's descriptions", "a pod is told with its owners up to the workload")
def test_a_pod_is_told_with_its_owners(
    describing: Describing, http: httpx.Client, namespace: str, pods: str, web: str
) -> None:
    (one, *_) = http.get(pods).json()["items"]
    found = describing.describe(ObjectRef("Pod", namespace, one["metadata"]["name"]), no_zone)
    assert isinstance(found.line, PodLine)
    assert found.uid == one["metadata"]["uid"]
    assert [(link.ref.kind, link.state) for link in found.owners] == [
        ("ReplicaSet", "there"),
        ("Deployment", "there"),
    ]
    assert str(found.owners[1].ref) == f"{namespace}/deploy/web"


@behaviour("maestro's descriptions", "the pods of a node belong to it")
def test_the_pods_of_a_node_belong_to_it(
    describing: Describing, http: httpx.Client, namespace: str, pods: str
) -> None:
    body = idle_pod("placed")
    body["spec"]["nodeName"] = "node-a"
    assert http.post(pods, json=body).status_code == 201
    assert http.post(pods, json=idle_pod("waiting")).status_code == 201
    found = describing.describe(ObjectRef("Node", "", "node-a"), no_zone)
    own = [one.ref.name for one in found.owned if one.ref.namespace == namespace]
    assert own == ["placed"]
    assert any(one.type == "Ready" and one.health == "good" for one in found.conditions)
    assert {one.object_name for one in found.events} <= {"node-a"}


@behaviour("maestro's descriptions", "an object of any kind is text without bookkeeping and without secrets")
def test_an_object_of_any_kind_is_text_without_secrets(
    describing: Describing, kubectl: Kubectl, namespace: str
) -> None:
    kubectl.apply(secret("keys", password="hunter2-hunter2", user="ana"))  # leaves it in an annotation too
    document, hidden = describing.document(ObjectRef("Secret", namespace, "keys"))
    assert document["data"] == {"password": HIDDEN, "user": HIDDEN}
    assert sorted(hidden) == ["data.password", "data.user"]
    assert "hunter2" not in str(document)
    assert "aHVudGVyMi" not in str(document)
    assert "managedFields" not in document["metadata"]
    rule: dict[str, Any] = {"metadata": {"name": "b"}, "spec": {"maxUnavailable": 1, "selector": {}}}
    kubectl.apply({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", **rule})
    found, _ = describing.document(ObjectRef("PodDisruptionBudget", namespace, "b"))
    assert (found["kind"], found["spec"]["maxUnavailable"]) == ("PodDisruptionBudget", 1)
    with pytest.raises(NotFound, match="no kind"):
        describing.document(ObjectRef("Teapot", namespace, "b"))
