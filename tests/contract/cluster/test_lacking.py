"""What the light cluster has not, as its user reads it: always with the name of the cluster that has."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl

pytestmark = [pytest.mark.contract, pytest.mark.parametrize("platform", ["lite"], indirect=True)]
LACKS = "what the light cluster lacks"
# No other cluster is named for what needs a container, or a program that neither cluster runs.
NOWHERE = {
    **dict.fromkeys(("pods/exec", "pods/attach", "pods/portforward"), "a process is no container"),
    **dict.fromkeys(("nodes.metrics.k8s.io", "pods.metrics.k8s.io"), "no metrics server runs"),
}
OTHER = "`maestro local up --cluster kubernetes`"


@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("get statefulsets", "statefulsets.apps"),
        ("get crd", "customresourcedefinitions.apiextensions.k8s.io"),
        ("get pvc", "persistentvolumeclaims"),
        ("top nodes", "nodes.metrics.k8s.io"),
        ("top pods", "pods.metrics.k8s.io"),
        ("create role r --verb=get --resource=pods", "roles.rbac.authorization.k8s.io"),
        ("create cronjob c --image=x --schedule=@daily", "cronjobs.batch"),
        ("create ingress i --rule=a/b=c:80", "ingresses.networking.k8s.io"),
        ("create quota q", "resourcequotas"),
        ("create token default", "serviceaccounts/token"),
        ("exec p1 -- ls", "pods/exec"),
        ("attach p1", "pods/attach"),
        ("port-forward p1 9999:80", "pods/portforward"),
        ("debug p1 --image=x:1", "pods/ephemeralcontainers"),
        ("get --raw /api/v1/namespaces/default/services/s/proxy", "services/proxy"),
    ],
)
@behaviour(LACKS, "a command for what it has not names the cluster that has it")
def test_commands(
    kubectl: Kubectl,
    http: httpx.Client,
    namespace: str,
    pod: Callable[..., dict[str, Any]],
    command: str,
    what: str,
) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods"
    assert http.post(path, json=pod("p1") | {"status": {}}).status_code == 201
    running = {"status": {"phase": "Running"}}
    merge = {"Content-Type": "application/merge-patch+json"}
    assert http.patch(f"{path}/p1/status", json=running, headers=merge).status_code == 200
    told = kubectl(*command.split(), fails=True, lacks=NOWHERE.get(what, ""))
    assert f"the light cluster has no {what}" in told
    assert (f"{what}; {OTHER} has" in told) is (what not in NOWHERE)


@behaviour(LACKS, "a manifest of a kind it has not is refused by name")
def test_manifests_of_kinds_it_has_not(kubectl: Kubectl, deployment: dict[str, Any]) -> None:
    given = json.dumps(deployment | {"kind": "StatefulSet"})
    for verb in ("apply", "create"):
        told = kubectl(verb, "-f", "-", given=given, fails=True)
        assert f"the light cluster has no statefulsets.apps; {OTHER} has" in told


@behaviour(LACKS, "server-side apply is refused by name")
def test_server_side_apply(kubectl: Kubectl, deployment: dict[str, Any]) -> None:
    told = kubectl("apply", "--server-side", "-f", "-", given=json.dumps(deployment), fails=True)
    assert f"the light cluster has no server-side apply; {OTHER} has" in told


@behaviour(LACKS, "explain says where descriptions are")
def test_explain_says_where_descriptions_are(kubectl: Kubectl) -> None:
    told = " ".join(kubectl("explain", "pod.spec").split())
    assert f"The light cluster has no descriptions; {OTHER} has." in told


@behaviour(LACKS, "unknown groups, and bodies in YAML or CBOR, are refused by name")
def test_unknown_groups_and_bodies(kubectl: Kubectl, http: httpx.Client, namespace: str) -> None:
    told = kubectl("get", "--raw", "/apis/example.org/v1/foos", fails=True)
    assert f"the light cluster does not serve /apis/example.org/v1/foos, {OTHER} might" in told
    path = f"/api/v1/namespaces/{namespace}/pods"
    for media_type in ("application/yaml", "application/cbor"):
        answer = http.post(path, content=b"{}", headers={"Content-Type": media_type})
        assert answer.status_code == 415
        assert OTHER in answer.json()["message"]


@behaviour(LACKS, "kinds it has not are not listed as served")
def test_kinds_it_has_not_are_not_listed_as_served(kubectl: Kubectl) -> None:
    listed = kubectl("api-resources")
    assert "deployments" in listed
    assert "statefulsets" not in listed
    assert "No resources found" in kubectl("get", "all")
