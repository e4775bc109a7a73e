"""Fields that a kind has not, and the schema that lets kubectl leave them to the server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.wire import MERGE, settled

pytestmark = pytest.mark.contract
UNKNOWN = 'strict decoding error: unknown field "spec.replicaz"'


@pytest.fixture
def misspelt(deployment: dict[str, Any]) -> dict[str, Any]:
    """The deployment with a field that Deployments have not."""
    return {**deployment, "spec": {**deployment["spec"], "replicaz": 3}}


@behaviour("validation", "apply and create refuse a field that its kind has not")
def test_apply_and_create_refuse_what_is_misspelt(
    kubectl: Kubectl, deployment: dict[str, Any], misspelt: dict[str, Any]
) -> None:
    for verb in ("create", "apply"):
        told = kubectl(verb, "-f", "-", given=json.dumps(misspelt), fails=True)
        assert f'Deployment in version "v1" cannot be handled as a Deployment: {UNKNOWN}' in told
    assert "not found" in kubectl("get", "deploy", "web", fails=True)
    kubectl("apply", "-f", "-", given=json.dumps(deployment))
    assert UNKNOWN in kubectl("apply", "-f", "-", given=json.dumps(misspelt), fails=True)


@behaviour("validation", "--validate=warn tells of an unknown field, which is not kept")
def test_a_warning_is_told_and_the_field_is_not_stored(
    kubectl: Kubectl, http: httpx.Client, namespace: str, misspelt: dict[str, Any]
) -> None:
    told = kubectl("apply", "--validate=warn", "-f", "-", given=json.dumps(misspelt))
    assert 'Warning: unknown field "spec.replicaz"' in told
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    assert "replicaz" not in http.get(path).json()["spec"]
    before = settled(http, path)
    assert http.patch(path, json={"spec": {"replicaz": 9}}, headers=MERGE).json() == before


@pytest.mark.parametrize(
    ("directive", "code", "warning"),
    [
        ("", 201, True),
        ("Warn", 201, True),
        ("Ignore", 201, False),
        ("Strict", 400, False),
        ("Maybe", 422, False),
    ],
)
@behaviour("validation", "fieldValidation Warn, Ignore and Strict do what they say")
def test_each_directive(
    http: httpx.Client,
    namespace: str,
    pod: Callable[..., dict[str, Any]],
    directive: str,
    code: int,
    warning: bool,
) -> None:
    body = pod("p")
    body["spec"]["containers"][0]["imagee"] = "x"
    query = {"fieldValidation": directive} if directive else {}
    answer = http.post(f"/api/v1/namespaces/{namespace}/pods", json=body, params=query)
    assert answer.status_code == code
    assert ("warning" in answer.headers) is warning
    if warning:
        assert answer.headers["warning"] == r'299 - "unknown field \"spec.containers[0].imagee\""'


@behaviour("validation", "a field's name cannot break out of the warning's header")
def test_a_field_name_cannot_break_out_of_the_warning(
    http: httpx.Client, namespace: str, pod: Callable[..., dict[str, Any]]
) -> None:
    answer = http.post(
        f"/api/v1/namespaces/{namespace}/pods", json={**pod("p"), 'a"\r\nx-evil: 1\r\n\u202e': 1}
    )
    assert answer.status_code == 201
    assert "x-evil" not in answer.headers


@behaviour("validation", "every kind that is served has its OpenAPI schema")
def test_every_kind_that_is_served_has_its_schema(http: httpx.Client) -> None:
    """Each is in the document of its group and version, with `fieldValidation` on its writes."""
    index = http.get("/openapi/v3").json()["paths"]
    for path, prefix in (("api/v1", "/api/v1"), ("apis/apps/v1", "/apis/apps/v1"), ("apis/policy/v1", "")):
        document = http.get(index[path]["serverRelativeURL"]).json()
        kinds = {
            one["kind"]
            for schema in document["components"]["schemas"].values()
            for one in schema.get("x-kubernetes-group-version-kind", [])
        }
        listed = http.get(prefix or f"/{path}").json()["resources"]
        served = {one["kind"] for one in listed if "/" not in one["name"] and "create" in one["verbs"]}
        assert served <= kinds
        writes = [item["patch"] for item in document["paths"].values() if "patch" in item]
        checked = {
            one["x-kubernetes-group-version-kind"]["kind"]
            for one in writes
            if any(parameter.get("name") == "fieldValidation" for parameter in one.get("parameters", []))
        }
        assert {kind for kind in served if kind not in ("Binding",)} <= checked | {"Binding"}


@behaviour("validation", "edit and explain read the schema")
def test_edit_and_explain(
    kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch, deployment: dict[str, Any]
) -> None:
    kubectl("apply", "-f", "-", given=json.dumps(deployment))
    monkeypatch.setenv("KUBE_EDITOR", "sed -i 's/replicas: 3/replicas: 2/'")
    assert "edited" in kubectl("edit", "deploy/web")
    assert kubectl("get", "deploy/web", "-o", "jsonpath={.spec.replicas}") == "2"
    told = kubectl("explain", "deployment.spec.strategy")
    assert "rollingUpdate" in told
    assert "<RollingUpdateDeployment>" in told


@behaviour("validation", "diff shows what apply would do, and does nothing")
def test_diff_shows_what_apply_would_do(kubectl: Kubectl, deployment: dict[str, Any]) -> None:
    kubectl("apply", "-f", "-", given=json.dumps(deployment))
    assert kubectl("diff", "-f", "-", given=json.dumps(deployment)) == ""
    deployment["spec"]["replicas"] = 5
    told = kubectl("diff", "-f", "-", given=json.dumps(deployment), fails=True)
    assert "-  replicas: 3" in told
    assert "+  replicas: 5" in told
    assert kubectl("get", "deploy/web", "-o", "jsonpath={.spec.replicas}") == "3"
