"""Defaults and validation."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.objects import idle_pod
from tests.contract.cluster.wire import MERGE, STRATEGIC

pytestmark = pytest.mark.contract


@behaviour(
    "validation", "defaults are the same on create, update and patch, in every kind with a pod template"
)
def test_defaults_are_the_same_on_every_write(http: httpx.Client, web: str) -> None:
    spec = http.get(web).json()["spec"]
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
    }
    assert (spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (10, 600)
    template = spec["template"]
    container = template["spec"]["containers"][0]
    assert (container["imagePullPolicy"], container["ports"][0]["protocol"]) == ("IfNotPresent", "TCP")
    assert template["spec"]["terminationGracePeriodSeconds"] == 30
    replica_set = {
        "metadata": {"name": "web-1"},
        "spec": {"selector": spec["selector"], "template": template},
    }
    path = web.replace("deployments/web", "replicasets")
    assert http.post(path, json=replica_set).json()["spec"]["template"] == template
    probe = {"name": "server", "readinessProbe": {"httpGet": {"port": "http"}}}
    patch = {"spec": {"template": {"spec": {"containers": [probe]}}}}
    first = http.patch(web, json=patch, headers=STRATEGIC).json()
    assert first["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] == {
        "httpGet": {"port": "http", "path": "/", "scheme": "HTTP"},
        "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3,
    }  # fmt: skip
    again = http.patch(web, json=patch, headers=STRATEGIC).json()
    # the rest is its controllers', who may write between the two
    assert again["spec"] == first["spec"]
    assert again["metadata"]["generation"] == first["metadata"]["generation"]


@behaviour("validation", "an invalid change is refused with 422 that names the field and the reason")
@pytest.mark.parametrize(
    ("patch", "field", "reason"),
    [
        ({"spec": {"replicas": -1}}, "spec.replicas", "FieldValueInvalid"),
        ({"spec": {"selector": {"matchLabels": {"app": "no"}}}}, "spec.selector", "FieldValueInvalid"),
        (
            {"spec": {"template": {"metadata": {"labels": {"app": "no"}}}}},
            "spec.template.metadata.labels",
            "FieldValueInvalid",
        ),
        (
            {"spec": {"template": {"spec": {"containers": []}}}},
            "spec.template.spec.containers",
            "FieldValueRequired",
        ),
        ({"spec": {"strategy": {"type": "Never"}}}, "spec.strategy", "FieldValueNotSupported"),
        ({"metadata": {"labels": {"bad key": "x"}}}, "metadata.labels", "FieldValueInvalid"),
    ],
)
def test_invalid_changes_are_refused_by_field(
    http: httpx.Client, web: str, patch: dict[str, Any], field: str, reason: str
) -> None:
    refused = http.patch(web, json=patch, headers=MERGE)
    body = refused.json()
    assert (refused.status_code, body["reason"], body["details"]["kind"]) == (422, "Invalid", "Deployment")
    assert (reason, field) in [(one["reason"], one["field"]) for one in body["details"]["causes"]]
    assert body["message"].startswith('Deployment.apps "web" is invalid: ')


@behaviour("validation", "a pod's volumes have plain names, and only what is there is mounted")
def test_volumes_are_named_and_there(http: httpx.Client, pods: str) -> None:
    mount = {"name": "absent", "mountPath": "/m"}
    wrong = idle_pod("p")
    wrong["spec"]["volumes"] = [{"name": "../../logs", "emptyDir": {}}]
    wrong["spec"]["initContainers"] = [
        wrong["spec"]["containers"][0] | {"name": "i", "volumeMounts": [mount]}
    ]
    refused = http.post(pods, json=wrong)
    assert refused.status_code == 422, refused.text
    causes = {(one["reason"], one["field"]) for one in refused.json()["details"]["causes"]}
    assert causes == {
        ("FieldValueInvalid", "spec.volumes[0].name"),
        ("FieldValueNotFound", "spec.initContainers[0].volumeMounts[0].name"),
    }


@behaviour("validation", "a Service gets a cluster address of its own that never changes")
def test_services_get_addresses_of_their_own(http: httpx.Client, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/services"
    port = {"ports": [{"port": 80}]}
    made = [http.post(path, json={"metadata": {"name": f"s{n}"}, "spec": port}).json() for n in range(3)]
    addresses = {one["spec"]["clusterIP"] for one in made}
    assert len(addresses) == 3
    assert all(one.startswith("10.96.") for one in addresses)
    headless = {"metadata": {"name": "h"}, "spec": {**port, "clusterIP": "None"}}
    assert http.post(path, json=headless).json()["spec"]["clusterIPs"] == ["None"]
    taken = {"metadata": {"name": "t"}, "spec": {**port, "clusterIP": min(addresses)}}
    refused = http.post(path, json=taken)
    assert (refused.status_code, refused.json()["details"]["causes"][0]["field"]) == (422, "spec.clusterIPs")
    assert "provided IP is already allocated" in refused.text
    other = {"metadata": {"name": "g"}, "spec": {**port, "clusterIP": "None"}}
    assert http.post(path, json=other).status_code == 201, "no address is nobody's"
    moved = http.patch(f"{path}/s0", json={"spec": {"clusterIP": "10.96.9.9"}}, headers=MERGE)
    assert moved.status_code == 422
