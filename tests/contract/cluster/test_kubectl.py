"""Stock kubectl as the judge of the API."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.wire import MERGE, settled

pytestmark = pytest.mark.contract
IDLE = '--overrides={"spec":{"schedulerName":"nobody"}}'


@behaviour("kubectl", "apply creates, then changes, then leaves alone")
def test_apply_creates_then_changes_then_leaves_alone(
    kubectl: Kubectl, http: httpx.Client, namespace: str, deployment: dict[str, Any]
) -> None:
    text = json.dumps(deployment)
    apply = ("apply", "-f", "-")
    assert "created" in kubectl(*apply, given=text)
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    before = settled(http, path)["metadata"]
    assert "unchanged" in kubectl(*apply, given=text)
    assert http.get(path).json()["metadata"] == before
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "x:2"
    assert "configured" in kubectl(*apply, given=json.dumps(deployment))
    after = http.get(path).json()
    assert after["metadata"]["generation"] == 2
    assert after["spec"]["template"]["spec"]["containers"][0]["image"] == "x:2"


@behaviour("kubectl", "get prints Deployments with the real columns, as JSON and as names")
def test_get_prints_the_real_columns(kubectl: Kubectl, web: str) -> None:
    lines = kubectl("get", "deploy", "-o", "wide").splitlines()
    head = ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"]
    assert lines[0].split() == head
    assert lines[1].split()[:4] == ["web", "0/3", "3", "0"]
    assert lines[1].split()[5:] == ["server", "x:1", "app=web"]
    assert kubectl("get", "deploy", "-o", "name").strip() == "deployment.apps/web"
    assert json.loads(kubectl("get", "deploy", "-o", "json"))["items"][0]["spec"]["replicas"] == 3
    assert "web" in kubectl("get", "all", "-l", "app in (web),!gone", "--show-labels")
    assert "No resources" in kubectl("get", "deploy", "--field-selector", "metadata.name!=web")


@pytest.mark.parametrize(
    ("resource", "head"),
    [
        ("pods", "NAME READY STATUS RESTARTS AGE IP NODE NOMINATED NODE READINESS GATES"),
        ("nodes", "NAME STATUS ROLES AGE VERSION INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL-VERSION"),
        ("services", "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE SELECTOR"),
        ("events", "LAST SEEN TYPE REASON OBJECT SUBOBJECT SOURCE MESSAGE FIRST SEEN COUNT NAME"),
        ("endpoints", "NAME ENDPOINTS AGE"),
        ("configmaps", "NAME DATA AGE"),
        ("secrets", "NAME TYPE DATA AGE"),
        ("replicasets", "NAME DESIRED CURRENT READY AGE CONTAINERS IMAGES SELECTOR"),
        ("pdb", "NAME MIN AVAILABLE MAX UNAVAILABLE ALLOWED DISRUPTIONS AGE"),
        ("leases", "NAME HOLDER AGE"),
    ],
)
@behaviour("kubectl", "every kind has the columns of -o wide")
def test_every_kind_has_its_columns(http: httpx.Client, resource: str, head: str) -> None:
    group = {"replicasets": "apps", "pdb": "policy", "leases": "coordination.k8s.io"}.get(resource)
    plural = "poddisruptionbudgets" if resource == "pdb" else resource
    path = f"/apis/{group}/v1/{plural}" if group else f"/api/v1/{plural}"
    table = http.get(path, headers={"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}).json()
    names = " ".join(column["name"] for column in table["columnDefinitions"])
    assert names.upper().startswith(head)


@behaviour("kubectl", "scale, set image and the three patches")
def test_scale_and_the_three_patches(kubectl: Kubectl, http: httpx.Client, web: str) -> None:
    kubectl("scale", "deploy/web", "--replicas=5")
    assert http.get(web).json()["spec"]["replicas"] == 5
    replace = '[{"op":"replace","path":"/spec/replicas","value":1}]'
    kubectl("patch", "deploy/web", "--type=json", "-p", replace)
    kubectl("patch", "deploy/web", "--type=merge", "-p", '{"metadata":{"annotations":{"a":"b"}}}')
    added = '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"y:1"}]}}}}'
    kubectl("patch", "deploy/web", "-p", added)
    kubectl("set", "image", "deploy/web", "server=x:9")
    obj = http.get(web).json()
    assert obj["spec"]["replicas"] == 1
    assert obj["metadata"]["annotations"]["a"] == "b"
    images = {one["name"]: one["image"] for one in obj["spec"]["template"]["spec"]["containers"]}
    assert images == {"server": "x:9", "side": "y:1"}


@behaviour("kubectl", "rollout pause, resume, restart and history")
def test_rollout_pause_resume_and_history(kubectl: Kubectl, http: httpx.Client, web: str) -> None:
    kubectl("rollout", "pause", "deploy/web")
    assert http.get(web).json()["spec"]["paused"] is True
    kubectl("rollout", "resume", "deploy/web")
    assert "paused" not in http.get(web).json()["spec"]
    kubectl("rollout", "restart", "deploy/web")
    assert "restartedAt" in json.dumps(http.get(web).json()["spec"]["template"])
    assert "deployment.apps/web" in kubectl("rollout", "history", "deploy/web")


@behaviour("kubectl", "label, annotate and describe")
def test_label_annotate_and_describe(kubectl: Kubectl, web: str) -> None:
    kubectl("label", "deploy/web", "tier=front")
    kubectl("annotate", "deploy/web", "note=hello world")
    told = kubectl("describe", "deploy/web")
    assert "tier=front" in told
    assert "hello world" in told
    assert "25% max unavailable, 25% max surge" in told


@behaviour("kubectl", "generators that send protobuf make what they say")
def test_generators_that_send_protobuf(kubectl: Kubectl, http: httpx.Client, namespace: str) -> None:
    kubectl("create", "deployment", "gen", "--image=x:1", "--replicas=2", "--port=80")
    kubectl("create", "configmap", "conf", "--from-literal=key=värde")
    kubectl("create", "secret", "generic", "hush", "--from-literal=key=value")
    kubectl("create", "pdb", "gen", "--selector=app=gen", "--max-unavailable=30%")
    kubectl("create", "service", "clusterip", "gen", "--tcp=80:8080")
    spec = http.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/gen").json()["spec"]
    assert (spec["replicas"], spec["template"]["spec"]["containers"][0]["image"]) == (2, "x:1")
    assert http.get(f"/api/v1/namespaces/{namespace}/configmaps/conf").json()["data"] == {"key": "värde"}
    assert http.get(f"/api/v1/namespaces/{namespace}/secrets/hush").json()["data"] == {"key": "dmFsdWU="}
    budget = http.get(f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets/gen").json()
    assert budget["spec"]["maxUnavailable"] == "30%"
    port = http.get(f"/api/v1/namespaces/{namespace}/services/gen").json()["spec"]["ports"][0]
    assert (port["port"], port["targetPort"]) == (80, 8080)


@behaviour("kubectl", "run, describe, logs and delete of a pod that waits")
def test_pods_run_and_go(kubectl: Kubectl) -> None:
    kubectl("run", "p1", "--image=x:1", IDLE)
    assert kubectl("get", "pod", "p1").splitlines()[1].split()[:4] == ["p1", "0/1", "Pending", "0"]
    assert "QoS Class:        BestEffort" in kubectl("describe", "pod", "p1")
    assert kubectl("logs", "p1") == ""
    kubectl("delete", "pod", "p1")
    assert 'pods "p1" not found' in kubectl("get", "pod", "p1", fails=True)


@behaviour("kubectl", "cordon and uncordon are shown")
def test_cordon(kubectl: Kubectl, http: httpx.Client, namespace: str) -> None:
    name = f"node-{namespace}"
    assert http.post("/api/v1/nodes", json={"metadata": {"name": name}}).status_code == 201
    try:
        kubectl("cordon", name)
        assert "SchedulingDisabled" in kubectl("get", "node", name)
        kubectl("uncordon", name)
        assert "SchedulingDisabled" not in kubectl("get", "node", name)
        assert "Unschedulable:      false" in kubectl("describe", "node", name)
    finally:
        http.delete(f"/api/v1/nodes/{name}")


@behaviour("kubectl", "events are shown by both of their APIs")
def test_events(kubectl: Kubectl, http: httpx.Client, namespace: str) -> None:
    about = {"kind": "Pod", "name": "p1", "namespace": namespace, "apiVersion": "v1"}
    body = {
        "metadata": {"name": "p1.1"}, "involvedObject": about, "reason": "BackOff",
        "message": "back-off restarting", "type": "Warning", "lastTimestamp": "2020-01-01T00:00:00Z",
        "source": {"component": "kubelet"}, "count": 3,
    }  # fmt: skip
    assert http.post(f"/api/v1/namespaces/{namespace}/events", json=body).status_code == 201
    assert kubectl("get", "events").splitlines()[1].split()[1:4] == ["Warning", "BackOff", "pod/p1"]
    assert "back-off restarting" in kubectl("events", "--for", "pod/p1")
    shown = http.get(f"/apis/events.k8s.io/v1/namespaces/{namespace}/events/p1.1").json()
    assert (shown["note"], shown["regarding"]["name"]) == ("back-off restarting", "p1")


@behaviour("kubectl", "get -w prints each change")
def test_watch_prints_each_change(kubectl: Kubectl, http: httpx.Client, web: str) -> None:
    with kubectl.following("get", "deploy", "-w", "--no-headers") as watching:
        assert "0/3" in watching.line()
        http.patch(web, json={"spec": {"replicas": 7}}, headers=MERGE)
        assert any("0/7" in line for line in watching.lines)


@behaviour("kubectl", "auth can-i and whoami answer for each identity")
def test_who_am_i_and_what_may_i(kubectl: Kubectl) -> None:
    assert kubectl("auth", "can-i", "delete", "nodes").startswith("yes")
    assert "no" in kubectl("auth", "can-i", "delete", "nodes", identity="oncall", fails=True)
    assert "yes" in kubectl("auth", "can-i", "patch", "deployments/scale", identity="oncall")
    assert "no" in kubectl("auth", "can-i", "get", "secrets", identity="viewer", fails=True)
    assert "viewer" in kubectl("auth", "whoami", identity="viewer")
    assert "pods" in kubectl("auth", "can-i", "--list", identity="kubelet")


@behaviour("kubectl", "the viewer is refused in the real words")
def test_the_viewer_is_refused_in_the_real_words(kubectl: Kubectl, web: str, namespace: str) -> None:
    told = kubectl("label", "deploy/web", "a=b", identity="viewer", fails=True)
    assert (
        f'deployments.apps "web" is forbidden: User "viewer" cannot patch resource "deployments" '
        f'in API group "apps" in the namespace "{namespace}"' in told
    )


@behaviour("kubectl", "api-resources and api-versions, aggregated and older discovery")
def test_discovery(kubectl: Kubectl, http: httpx.Client) -> None:
    told = kubectl("api-resources")
    for name in ("deployments", "poddisruptionbudgets", "leases", "endpointslices", "selfsubjectreviews"):
        assert name in told
    assert "policy/v1" in kubectl("api-versions")
    core = {one["name"]: one for one in http.get("/api/v1").json()["resources"]}
    eviction = core["pods/eviction"]
    assert (eviction["group"], eviction["version"], eviction["kind"]) == ("policy", "v1", "Eviction")
    accept = "application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io,application/json"
    answer = http.get("/apis", headers={"Accept": accept})
    assert "as=APIGroupDiscoveryList" in answer.headers["content-type"]
