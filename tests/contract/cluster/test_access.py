"""Who may do what, and where certificates, tokens and health stand."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.contract.cluster.behaviours import REFUSES, behaviour
from tests.contract.cluster.wire import MERGE, Connect

pytestmark = pytest.mark.contract


@behaviour("access", "without a good token nothing is told but health and version")
def test_without_a_good_token_nothing_is_told(cluster: Path, http: httpx.Client) -> None:
    for header in ("", "Bearer wrong", "Basic YTpi"):
        refused = http.get("/api/v1/pods", headers={"Authorization": header})
        assert refused.status_code == 401
        assert refused.json()["reason"] == "Unauthorized"
    for path in ("/healthz", "/livez", "/readyz", "/version", "/version/"):
        assert http.get(path, headers={"Authorization": ""}).status_code == 200
    assert http.get("/readyz").text == http.get("/livez/ping").text == "ok"
    assert http.get("/version").json()["major"] == "1"


@behaviour("access", "tokens and keys are readable by their owner alone")
def test_private_files_are_private(cluster: Path) -> None:
    keys = list(cluster.glob("pki/*.key"))
    assert {key.name for key in keys} == {
        "server.key", "etcd.key", "kubelet-client.key", "service-accounts.key",
    }, "nobody can sign more certificates"  # fmt: skip
    private = [*cluster.glob("*.kubeconfig"), *keys, cluster / "pki" / "tokens.csv"]
    private.append(cluster / "pki" / "secrets")
    assert {oct(path.stat().st_mode & 0o777) for path in private} == {"0o600"}


@pytest.mark.parametrize(
    ("identity", "method", "path", "code"),
    [
        ("viewer", "GET", "/api/v1/namespaces/default/pods", 200),
        ("viewer", "GET", "/api/v1/nodes", 200),
        ("viewer", "GET", "/api/v1/namespaces/default/secrets", 403),
        ("viewer", "GET", "/api/v1/secrets", 403),
        ("viewer", "DELETE", "/api/v1/namespaces/default/pods/p", 403),
        ("viewer", "DELETE", "/api/v1/namespaces/default/pods", 403),
        ("oncall", "DELETE", "/api/v1/namespaces/default/pods/p", 404),
        ("oncall", "GET", "/api/v1/namespaces/default/secrets", 200),
        ("oncall", "DELETE", "/api/v1/namespaces/default/secrets/s", 403),
        ("oncall", "DELETE", "/api/v1/namespaces/default", 403),
        ("oncall", "DELETE", "/api/v1/nodes/n", 403),
        ("oncall", "POST", "/api/v1/nodes", 403),
        ("oncall", "PATCH", "/api/v1/nodes/n", 404),
        ("kubelet", "GET", "/api/v1/pods", 200),
        ("kubelet", "DELETE", "/apis/apps/v1/namespaces/default/deployments/d", 403),
        ("kubelet", "GET", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", 200),
        ("agent", "DELETE", "/apis/apps/v1/namespaces/default/replicasets/r", 404),
    ],
)
@behaviour("access", "admin, oncall, viewer, kubelet and agent may do what their roles say, and no more")
def test_identities(connect: Connect, identity: str, method: str, path: str, code: int) -> None:
    headers = MERGE if method == "PATCH" else None
    answer = connect(identity).request(method, path, content="{}" if headers else None, headers=headers)
    assert answer.status_code == code, answer.text


@behaviour("access", "a subresource is a right of its own; a refusal says who may not do what, where")
def test_a_subresource_is_a_right_of_its_own(connect: Connect, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/fraud"
    refused = connect("viewer").patch(f"{path}/scale", json={"spec": {"replicas": 1}}, headers=MERGE)
    assert refused.status_code == 403
    body = refused.json()
    assert body["message"] == (
        f'deployments.apps "fraud" is forbidden: User "viewer" cannot patch resource "deployments/scale" '
        f'in API group "apps" in the namespace "{namespace}"'
    )
    assert body["details"] == {"name": "fraud", "group": "apps", "kind": "deployments"}
    nodes = connect("viewer").delete("/api/v1/nodes/n").json()["message"]
    assert nodes.endswith('cannot delete resource "nodes" in API group "" at the cluster scope')
    assert connect("oncall").patch(f"{path}/scale", json={}, headers=MERGE).status_code == 404


@behaviour("access", "who acts as somebody else has that one's rights, and no more", lite=REFUSES)
def test_impersonation(connect: Connect, http: httpx.Client) -> None:
    pods = "/api/v1/namespaces/default/pods"
    as_viewer = {"Impersonate-User": "viewer", "Impersonate-Group": "maestro:viewers"}
    seen = http.get(pods, headers=as_viewer)
    assert seen.status_code == 200, seen.text
    assert http.delete(f"{pods}/none", headers=as_viewer).status_code == 403
    refused = connect("viewer").get(pods, headers={"Impersonate-User": "admin"})
    assert refused.status_code == 403


@behaviour("access", "access reviews agree with refusals")
def test_reviews_agree_with_refusals(connect: Connect) -> None:
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

    def allowed(identity: str, **attributes: str) -> bool:
        answer = connect(identity).post(path, json={"spec": {"resourceAttributes": attributes}})
        assert answer.status_code == 201, answer.text
        return bool(answer.json()["status"]["allowed"])

    assert allowed("viewer", verb="list", resource="pods")
    assert not allowed("viewer", verb="patch", group="apps", resource="deployments", namespace="ml")
    assert allowed("oncall", verb="create", resource="pods", subresource="eviction", namespace="ml")
    assert not allowed("oncall", verb="delete", resource="nodes")
    rules = connect("viewer").post(
        "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", json={"spec": {"namespace": "ml"}}
    )
    verbs = [set(one["verbs"]) for one in rules.json()["status"]["resourceRules"]]
    assert {"get", "list", "watch"} in verbs
    assert not any("*" in one or "delete" in one for one in verbs)
    who = connect("kubelet").post("/apis/authentication.k8s.io/v1/selfsubjectreviews", json={}).json()
    assert who["status"]["userInfo"]["username"] == "kubelet"
