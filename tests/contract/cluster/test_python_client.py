"""The official Python client, its dynamic client and its watch."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config, dynamic, watch

from tests.contract.cluster.behaviours import behaviour

pytestmark = pytest.mark.contract


@pytest.fixture
def api(cluster: Path) -> Iterator[Any]:
    made = config.new_client_from_config(str(cluster / "admin.kubeconfig"))
    try:
        yield made
    finally:
        made.close()


@behaviour("official Python client", "create, read, patch, scale and delete")
def test_create_read_patch_scale_delete(api: Any, namespace: str, deployment: dict[str, Any]) -> None:
    apps = client.AppsV1Api(api)
    assert apps.create_namespaced_deployment(namespace, deployment).spec.replicas == 3
    patched = apps.patch_namespaced_deployment("web", namespace, {"spec": {"replicas": 2}})
    assert (patched.spec.replicas, patched.metadata.generation) == (2, 2)
    scale = apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 4}})
    assert scale.spec.replicas == 4
    assert [one.metadata.name for one in apps.list_namespaced_deployment(namespace).items] == ["web"]
    assert apps.delete_namespaced_deployment("web", namespace).status == "Success"
    with pytest.raises(client.ApiException) as refused:
        apps.read_namespaced_deployment("web", namespace)
    assert refused.value.status == 404


@behaviour("official Python client", "its watch")
def test_watch_stream(api: Any, namespace: str) -> None:
    core = client.CoreV1Api(api)
    core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata={"name": "c"}, data={"a": "1"}))
    start = core.list_namespaced_config_map(namespace).metadata.resource_version
    core.patch_namespaced_config_map("c", namespace, {"data": {"a": "2"}})
    core.delete_namespaced_config_map("c", namespace)
    stream = watch.Watch().stream(
        core.list_namespaced_config_map, namespace, field_selector="metadata.name=c",
        resource_version=start, timeout_seconds=60,
    )  # fmt: skip  # the cluster's own map of its authority comes when it comes
    told = [(event["type"], event["object"].data["a"]) for event in islice(stream, 2)]
    assert told == [("MODIFIED", "2"), ("DELETED", "2")]


@behaviour("official Python client", "its dynamic client")
def test_dynamic_client(api: Any, namespace: str) -> None:
    budgets = dynamic.DynamicClient(api).resources.get(api_version="policy/v1", kind="PodDisruptionBudget")
    body = {
        "metadata": {"name": "b"},
        "spec": {"minAvailable": "50%", "selector": {"matchLabels": {"a": "b"}}},
    }
    assert budgets.create(body=body, namespace=namespace).spec.minAvailable == "50%"
    assert [one.metadata.name for one in budgets.get(namespace=namespace).items] == ["b"]


@behaviour("official Python client", "version and access review")
def test_version_and_access_review(api: Any) -> None:
    assert client.VersionApi(api).get_code().major == "1"
    attributes = client.V1ResourceAttributes(verb="list", resource="pods")
    spec = client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
    review = client.V1SelfSubjectAccessReview(spec=spec)
    assert client.AuthorizationV1Api(api).create_self_subject_access_review(review).status.allowed
