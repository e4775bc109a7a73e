"""Writes: conflicts, no-ops, preconditions, finalizers, defaults, validation, subresources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.contract
MakePod = Callable[..., dict[str, Any]]
MERGE = {"Content-Type": "application/merge-patch+json"}
STRATEGIC = {"Content-Type": "application/strategic-merge-patch+json"}


@pytest.fixture
def pods(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods"


@pytest.fixture
def web(http: httpx.Client, namespace: str, deployment: dict[str, Any]) -> str:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    assert http.post(path, json=deployment).status_code == 201
    return f"{path}/web"


def test_a_stale_write_is_a_conflict(http: httpx.Client, web: str) -> None:
    old = http.get(web).json()
    assert http.patch(web, json={"spec": {"replicas": 4}}, headers=MERGE).status_code == 200
    old["spec"]["replicas"] = 5
    refused = http.put(web, json=old)
    assert refused.status_code == 409
    assert refused.json()["reason"] == "Conflict"
    assert refused.json()["message"] == (
        'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    stale = {"metadata": {"resourceVersion": old["metadata"]["resourceVersion"]}, "spec": {"paused": True}}
    assert http.patch(web, json=stale, headers=MERGE).status_code == 409
    assert http.patch(web, json={"metadata": {"uid": "other"}}, headers=MERGE).status_code == 409


def test_a_write_that_changes_nothing_has_no_revision(http: httpx.Client, web: str) -> None:
    before = http.get(web).json()
    for headers in (MERGE, STRATEGIC):
        same = http.patch(web, json={"spec": {"replicas": 3}, "metadata": {"labels": {"app": "web"}}},
                          headers=headers)  # fmt: skip
        assert same.json() == before
    assert http.put(web, json=before).json() == before
    scale = http.get(f"{web}/scale").json()
    assert http.put(f"{web}/scale", json=scale).json() == scale
    assert http.get(web).json() == before


def test_generation_moves_with_spec_alone(http: httpx.Client, web: str) -> None:
    http.patch(web, json={"metadata": {"labels": {"x": "y"}}, "status": {"replicas": 9}}, headers=MERGE)
    obj = http.get(web).json()
    assert obj["metadata"]["generation"] == 1
    assert "replicas" not in obj["status"]
    http.patch(f"{web}/status", json={"status": {"replicas": 9}, "spec": {"replicas": 8}}, headers=MERGE)
    obj = http.get(web).json()
    assert (obj["metadata"]["generation"], obj["status"]["replicas"], obj["spec"]["replicas"]) == (1, 9, 3)
    http.patch(web, json={"spec": {"replicas": 8}}, headers=MERGE)
    assert http.get(web).json()["metadata"]["generation"] == 2


def test_dry_run_does_nothing(http: httpx.Client, web: str, pods: str, pod: MakePod) -> None:
    before = http.get(web).json()
    dry = {"dryRun": "All"}
    tried = http.patch(web, params=dry, json={"spec": {"replicas": 0}}, headers=MERGE)
    assert tried.json()["spec"]["replicas"] == 0
    assert http.delete(web, params=dry).status_code == 200
    assert http.post(pods, params=dry, json=pod("dry")).status_code == 201
    assert http.get(f"{pods}/dry").status_code == 404
    assert http.get(web).json() == before
    assert http.delete(web, params={"dryRun": "Some"}).status_code == 422


def test_delete_preconditions(http: httpx.Client, web: str) -> None:
    uid = http.get(web).json()["metadata"]["uid"]
    for wanted in ({"uid": "other"}, {"resourceVersion": "1"}):
        refused = http.request("DELETE", web, json={"preconditions": wanted})
        assert refused.status_code == 409, refused.text
    gone = http.request("DELETE", web, json={"preconditions": {"uid": uid}}).json()
    assert gone["status"] == "Success"
    assert gone["details"] == {"name": "web", "group": "apps", "kind": "deployments", "uid": uid}
    assert http.get(web).json()["message"] == 'deployments.apps "web" not found'


def test_finalizers_hold_an_object(http: httpx.Client, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    http.post(path, json={"metadata": {"name": "c", "finalizers": ["maestro.io/held"]}})
    marked = http.delete(f"{path}/c").json()
    assert marked["metadata"]["deletionTimestamp"]
    http.patch(f"{path}/c", json={"metadata": {"finalizers": None}}, headers=MERGE)
    assert http.get(f"{path}/c").status_code == 404
    http.post(path, json={"metadata": {"name": "f"}})
    kept = http.delete(f"{path}/f", params={"propagationPolicy": "Foreground"}).json()
    assert kept["metadata"]["finalizers"] == ["foregroundDeletion"]
    http.patch(f"{path}/f", json={"metadata": {"finalizers": []}}, headers=MERGE)


def test_a_bound_pod_is_given_time(http: httpx.Client, pods: str, pod: MakePod) -> None:
    http.post(pods, json=pod("p"))
    target = {"target": {"kind": "Node", "name": "node-a"}}
    assert http.post(f"{pods}/p/binding", json=target).status_code == 201
    again = http.post(f"{pods}/p/binding", json={"target": {"name": "node-b"}})
    assert (again.status_code, again.json()["reason"]) == (409, "Conflict")
    bound = http.get(f"{pods}/p").json()
    assert bound["spec"]["nodeName"] == "node-a"
    assert bound["status"]["conditions"][0]["type"] == "PodScheduled"
    going = http.delete(f"{pods}/p").json()
    assert going["metadata"]["deletionGracePeriodSeconds"] == 30
    shorter = http.delete(f"{pods}/p", params={"gracePeriodSeconds": "2"}).json()
    assert shorter["metadata"]["deletionGracePeriodSeconds"] == 2
    assert http.delete(f"{pods}/p").json()["metadata"]["deletionGracePeriodSeconds"] == 2
    gone = http.request("DELETE", f"{pods}/p", json={"gracePeriodSeconds": 0})
    assert gone.status_code == 200
    assert http.get(f"{pods}/p").status_code == 404


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
    assert http.patch(web, json=patch, headers=STRATEGIC).json() == first


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
        ({"spec": {"strategy": {"type": "Never"}}}, "spec.strategy.type", "FieldValueNotSupported"),
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


def test_names_and_places(http: httpx.Client, pods: str, pod: MakePod, namespace: str) -> None:
    assert http.post(pods, json=pod("Bad_Name")).status_code == 422
    generated = {**pod(""), "metadata": {"generateName": "job-"}}
    assert http.post(pods, json=generated).json()["metadata"]["name"].startswith("job-")
    assert http.post(pods, json=pod("twice")).status_code == 201
    twice = http.post(pods, json=pod("twice"))
    assert (twice.status_code, twice.json()["reason"]) == (409, "AlreadyExists")
    nowhere = http.post("/api/v1/namespaces/nowhere/pods", json=pod("p"))
    assert nowhere.json()["message"] == 'namespaces "nowhere" not found'
    other = pod("p")
    other["metadata"]["namespace"] = "default"
    assert http.post(pods, json=other).status_code == 400
    assert http.put(f"{pods}/twice", json=pod("other")).status_code == 400


def test_services_get_addresses_of_their_own(http: httpx.Client, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/services"
    port = {"ports": [{"port": 80}]}
    made = [http.post(path, json={"metadata": {"name": f"s{n}"}, "spec": port}).json() for n in range(3)]
    addresses = {one["spec"]["clusterIP"] for one in made}
    assert len(addresses) == 3
    assert all(one.startswith("10.96.") for one in addresses)
    headless = {"metadata": {"name": "h"}, "spec": {**port, "clusterIP": "None"}}
    assert http.post(path, json=headless).json()["spec"]["clusterIPs"] == ["None"]
    moved = http.patch(f"{path}/s0", json={"spec": {"clusterIP": "10.96.9.9"}}, headers=MERGE)
    assert moved.status_code == 422


def test_a_namespace_goes_with_what_is_in_it(http: httpx.Client, pod: MakePod) -> None:
    http.post("/api/v1/namespaces", json={"metadata": {"name": "short-lived"}})
    pods = "/api/v1/namespaces/short-lived/pods"
    http.post(pods, json={**pod("p"), "spec": {**pod("p")["spec"], "nodeName": "node-a"}})
    going = http.delete("/api/v1/namespaces/short-lived").json()
    assert going["status"]["phase"] == "Terminating"
    refused = http.post(pods, json=pod("late"))
    assert refused.status_code == 403
    assert refused.json()["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    http.request("DELETE", f"{pods}/p", json={"gracePeriodSeconds": 0})
    assert http.get("/api/v1/namespaces/short-lived").status_code == 404


def test_eviction_spends_the_budget(http: httpx.Client, namespace: str, pods: str, pod: MakePod) -> None:
    budgets = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"
    selector = {"matchLabels": {"app": "e"}}
    http.post(budgets, json={"metadata": {"name": "b"}, "spec": {"maxUnavailable": 1, "selector": selector}})
    for name in ("e1", "e2"):
        http.post(pods, json=pod(name, app="e"))
        ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        http.patch(f"{pods}/{name}/status", json={"status": ready}, headers=MERGE)
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "e1"}}
    unknown = http.post(f"{pods}/e1/eviction", json=eviction)
    assert (unknown.status_code, unknown.headers["retry-after"]) == (429, "10")
    status = {"disruptionsAllowed": 1, "desiredHealthy": 1, "currentHealthy": 2, "expectedPods": 2}
    status["observedGeneration"] = 1
    http.patch(f"{budgets}/b/status", json={"status": status}, headers=MERGE)
    assert http.post(f"{pods}/e1/eviction", json=eviction, params={"dryRun": "All"}).status_code == 201
    assert http.post(f"{pods}/e1/eviction", json=eviction).status_code == 201
    assert http.get(f"{pods}/e1").status_code == 404
    spent = http.get(f"{budgets}/b").json()["status"]
    assert spent["disruptionsAllowed"] == 0
    assert "e1" in spent["disruptedPods"]
    refused = http.post(f"{pods}/e2/eviction", json={**eviction, "metadata": {"name": "e2"}})
    assert refused.status_code == 429
    assert "retry-after" not in refused.headers
    assert refused.json()["details"]["causes"] == [
        {
            "reason": "DisruptionBudget",
            "message": "The disruption budget b needs 1 healthy pods and has 2 currently",
        }
    ]


def test_deletecollection_takes_what_is_selected(http: httpx.Client, pods: str, pod: MakePod) -> None:
    for name, app in (("a", "x"), ("b", "x"), ("c", "y")):
        http.post(pods, json=pod(name, app=app))
    gone = http.delete(pods, params={"labelSelector": "app=x"}).json()
    assert [one["metadata"]["name"] for one in gone["items"]] == ["a", "b"]
    assert [one["metadata"]["name"] for one in http.get(pods).json()["items"]] == ["c"]
