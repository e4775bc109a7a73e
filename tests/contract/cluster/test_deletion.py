"""Deletion: preconditions, finalizers, collections, binding and grace, namespaces."""

from __future__ import annotations

import httpx
import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.objects import idle_pod
from tests.contract.cluster.running import until
from tests.contract.cluster.wire import MERGE

pytestmark = pytest.mark.contract


@behaviour("deletion", "a delete keeps its preconditions")
def test_delete_preconditions(http: httpx.Client, web: str) -> None:
    uid = http.get(web).json()["metadata"]["uid"]
    for wanted in ({"uid": "other"}, {"resourceVersion": "1"}):
        refused = http.request("DELETE", web, json={"preconditions": wanted})
        assert refused.status_code == 409, refused.text
    gone = http.request("DELETE", web, json={"preconditions": {"uid": uid}}).json()
    assert gone["status"] == "Success"
    assert gone["details"] == {"name": "web", "group": "apps", "kind": "deployments", "uid": uid}
    assert http.get(web).json()["message"] == 'deployments.apps "web" not found'


@behaviour("deletion", "finalizers hold an object until the last is gone")
def test_finalizers_hold_an_object(http: httpx.Client, configs: str) -> None:
    http.post(configs, json={"metadata": {"name": "c", "finalizers": ["maestro.io/held"]}})
    marked = http.delete(f"{configs}/c").json()
    assert marked["metadata"]["deletionTimestamp"]
    held = ["maestro.io/held", "maestro.io/more"]
    refused = http.patch(f"{configs}/c", json={"metadata": {"finalizers": held}}, headers=MERGE)
    assert refused.status_code == 422, "what is going takes no new finalizer"
    assert refused.json()["details"]["causes"][0]["field"] == "metadata.finalizers"
    again = http.delete(f"{configs}/c").json()
    assert again["metadata"]["deletionTimestamp"] == marked["metadata"]["deletionTimestamp"]
    http.patch(f"{configs}/c", json={"metadata": {"finalizers": None}}, headers=MERGE)
    assert http.get(f"{configs}/c").status_code == 404
    http.post(configs, json={"metadata": {"name": "f", "finalizers": ["maestro.io/held"]}})
    kept = http.delete(f"{configs}/f", params={"propagationPolicy": "Foreground"}).json()
    assert sorted(kept["metadata"]["finalizers"]) == ["foregroundDeletion", "maestro.io/held"]
    http.patch(f"{configs}/f", json={"metadata": {"finalizers": []}}, headers=MERGE)
    assert http.get(f"{configs}/f").status_code == 404


@behaviour("deletion", "a later delete takes the place of an earlier one's policy, if it names one")
def test_a_later_policy_replaces_an_earlier_one(http: httpx.Client, configs: str) -> None:
    held = ["maestro.io/held"]
    uid = http.post(configs, json={"metadata": {"name": "c", "finalizers": held}}).json()["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": uid, "blockOwnerDeletion": True}
    # while it is held, the garbage collector leaves the owner's finalizer where it is
    http.post(configs, json={"metadata": {"name": "d", "finalizers": held, "ownerReferences": [owner]}})

    def finalizers(**query: str) -> list[str]:
        return sorted(http.delete(f"{configs}/c", params=query).json()["metadata"]["finalizers"])

    assert finalizers(propagationPolicy="Foreground") == ["foregroundDeletion", "maestro.io/held"]
    assert finalizers() == ["foregroundDeletion", "maestro.io/held"]
    assert finalizers(propagationPolicy="Background") == ["maestro.io/held"]
    for name in ("c", "d"):
        http.patch(f"{configs}/{name}", json={"metadata": {"finalizers": None}}, headers=MERGE)


@behaviour("deletion", "a bound pod is given its grace; a second delete may only shorten it")
def test_a_bound_pod_is_given_time(http: httpx.Client, pods: str) -> None:
    http.post(pods, json=idle_pod("p"))

    def bind(node: str) -> httpx.Response:
        body = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": node}}
        return http.post(f"{pods}/p/binding", json=body)

    assert bind("elsewhere").status_code == 201
    again = bind("node-b")
    assert (again.status_code, again.json()["reason"]) == (409, "Conflict")
    bound = http.get(f"{pods}/p").json()
    assert bound["spec"]["nodeName"] == "elsewhere"
    assert bound["status"]["conditions"][0]["type"] == "PodScheduled"
    going = http.delete(f"{pods}/p").json()
    assert going["metadata"]["deletionGracePeriodSeconds"] == 30
    shorter = http.delete(f"{pods}/p", params={"gracePeriodSeconds": "20"}).json()
    assert shorter["metadata"]["deletionGracePeriodSeconds"] == 20
    assert http.delete(f"{pods}/p").json()["metadata"]["deletionGracePeriodSeconds"] == 20
    gone = http.request("DELETE", f"{pods}/p", json={"gracePeriodSeconds": 0})
    assert gone.status_code == 200
    assert http.get(f"{pods}/p").status_code == 404


@behaviour("deletion", "a negative grace is one second")
def test_a_negative_grace_is_one_second(http: httpx.Client, pods: str) -> None:
    pod = idle_pod("p")
    http.post(pods, json={**pod, "spec": {**pod["spec"], "nodeName": "elsewhere"}})
    going = http.delete(f"{pods}/p", params={"gracePeriodSeconds": "-5"})
    assert going.status_code == 200, going.text
    assert going.json()["metadata"]["deletionGracePeriodSeconds"] == 1
    http.request("DELETE", f"{pods}/p", json={"gracePeriodSeconds": 0})


@behaviour("deletion", "a namespace that ends takes in nothing new and goes with what is in it")
def test_a_namespace_goes_with_what_is_in_it(http: httpx.Client, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}-short"
    http.post("/api/v1/namespaces", json={"metadata": {"name": f"{namespace}-short"}})
    held = {"metadata": {"name": "held", "finalizers": ["maestro.io/held"]}}
    assert http.post(f"{path}/configmaps", json=held).status_code == 201
    assert http.post(f"{path}/pods", json=idle_pod("p")).status_code == 201
    going = http.delete(path).json()
    assert going["status"]["phase"] == "Terminating"
    refused = http.post(f"{path}/pods", json=idle_pod("late"))
    assert refused.status_code == 403
    assert refused.json()["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    until(lambda: http.get(f"{path}/pods").json()["items"] == [], "its pod to go")
    assert http.get(path).status_code == 200, "what is held holds the namespace"
    http.patch(f"{path}/configmaps/held", json={"metadata": {"finalizers": None}}, headers=MERGE)
    until(lambda: http.get(path).status_code == 404, "the namespace to go", 60)


@behaviour("deletion", "deletecollection takes what is selected")
def test_deletecollection_takes_what_is_selected(http: httpx.Client, pods: str) -> None:
    for name, app in (("a", "x"), ("b", "x"), ("c", "y")):
        http.post(pods, json=idle_pod(name, app=app))
    gone = http.delete(pods, params={"labelSelector": "app=x"}).json()
    assert [one["metadata"]["name"] for one in gone["items"]] == ["a", "b"]
    assert [one["metadata"]["name"] for one in http.get(pods).json()["items"]] == ["c"]


@behaviour("deletion", "nothing is made in or deleted from all namespaces at once")
def test_a_collection_is_of_one_namespace(http: httpx.Client, pods: str) -> None:
    http.post(pods, json=idle_pod("kept", app="everywhere"))
    refused = [
        http.delete("/api/v1/pods", params={"labelSelector": "app=everywhere"}),
        http.post("/api/v1/pods", json=idle_pod("stray")),
    ]
    assert [one.status_code for one in refused] == [405, 405], [one.text for one in refused]
    assert refused[0].json()["reason"] == "MethodNotAllowed"
    assert http.get(f"{pods}/kept").json()["metadata"].get("deletionTimestamp") is None
