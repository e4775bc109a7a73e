"""Writes: conflicts, no-ops, generation, dry run, names."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.objects import idle_pod
from tests.contract.cluster.running import until
from tests.contract.cluster.wire import MERGE, STRATEGIC

pytestmark = pytest.mark.contract


@behaviour("writes", "a write with a stale resource version or another uid is a conflict")
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
    other = http.get(web).json()
    other["metadata"]["uid"] = "other"
    assert http.put(web, json=other).status_code == 409
    changed = http.patch(web, json={"metadata": {"uid": "other"}}, headers=MERGE)
    assert changed.status_code in (409, 422), changed.text


@behaviour("writes", "a write that changes nothing gets no resource version")
def test_a_write_that_changes_nothing_has_no_revision(http: httpx.Client, web: str) -> None:
    before = http.get(web).json()
    for headers in (MERGE, STRATEGIC):
        same = http.patch(web, json={"spec": {"replicas": 3}, "metadata": {"labels": {"app": "web"}}},
                          headers=headers)  # fmt: skip
        assert same.json() == before
    assert http.put(web, json=before).json() == before
    assert http.get(web).json() == before


@behaviour("writes", "the generation moves with spec alone; status is written by its subresource alone")
def test_generation_moves_with_spec_alone(http: httpx.Client, web: str) -> None:
    labelled = {"metadata": {"labels": {"x": "y"}}, "status": {"replicas": 9}}
    told = http.patch(web, json=labelled, headers=MERGE).json()
    assert (told["metadata"]["generation"], told["status"]["replicas"]) == (1, 3)
    # its controller owns the status and would put it right at once
    change = {"status": {"replicas": 9}, "spec": {"replicas": 8}, "metadata": {"labels": {"x": "z"}}}
    told = http.patch(f"{web}/status", params={"dryRun": "All"}, json=change, headers=MERGE).json()
    assert (told["metadata"]["generation"], told["status"]["replicas"], told["spec"]["replicas"]) == (1, 9, 3)
    http.patch(web, json={"spec": {"replicas": 8}}, headers=MERGE)
    assert http.get(web).json()["metadata"]["generation"] == 2


@behaviour("writes", "dry run answers as if, and does nothing")
def test_dry_run_does_nothing(http: httpx.Client, web: str, pods: str) -> None:
    before = http.get(web).json()
    dry = {"dryRun": "All"}
    tried = http.patch(web, params=dry, json={"spec": {"replicas": 0}}, headers=MERGE)
    assert tried.json()["spec"]["replicas"] == 0
    assert http.delete(web, params=dry).status_code == 200
    assert http.post(pods, params=dry, json=idle_pod("dry")).status_code == 201
    assert http.get(f"{pods}/dry").status_code == 404
    assert http.get(web).json() == before
    assert http.delete(web, params={"dryRun": "Some"}).status_code == 422


@behaviour("writes", "names are checked, generated and unique; namespaces must exist and agree")
def test_names_and_places(http: httpx.Client, pods: str, namespace: str) -> None:
    assert http.post(pods, json=idle_pod("Bad_Name")).status_code == 422
    generated = {**idle_pod(""), "metadata": {"generateName": "job-"}}
    assert http.post(pods, json=generated).json()["metadata"]["name"].startswith("job-")
    assert http.post(pods, json=idle_pod("twice")).status_code == 201
    twice = http.post(pods, json=idle_pod("twice"))
    assert (twice.status_code, twice.json()["reason"]) == (409, "AlreadyExists")
    nowhere = http.post("/api/v1/namespaces/nowhere/pods", json=idle_pod("p"))
    assert nowhere.json()["message"] == 'namespaces "nowhere" not found'
    other = idle_pod("p")
    other["metadata"]["namespace"] = "default"
    assert http.post(pods, json=other).status_code == 400
    assert http.put(f"{pods}/twice", json=idle_pod("other")).status_code == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("coordination.k8s.io/v1/namespaces/{}/leases", {"spec": {"holderIdentity": "me"}}),
        ("policy/v1/namespaces/{}/poddisruptionbudgets", {"spec": {"maxUnavailable": 1}}),
    ],
    ids=["leases", "budgets"],
)
@behaviour("writes", "a lease or budget is replaced only by who says which version of it")
def test_some_kinds_are_not_replaced_blindly(
    http: httpx.Client, namespace: str, path: str, body: dict[str, Any]
) -> None:
    where = "/apis/" + path.format(namespace)
    http.post(where, json={"metadata": {"name": "x"}, **body})
    refused = http.put(f"{where}/x", json={"metadata": {"name": "x"}, **body})
    assert (refused.status_code, refused.json()["reason"]) == (422, "Invalid")
    [cause] = refused.json()["details"]["causes"]
    assert cause["field"] == "metadata.resourceVersion"
    assert cause["message"] == "Invalid value: 0: must be specified for an update"

    def is_replaced() -> bool:
        """A controller may write a budget's status between the two."""
        answer = http.put(f"{where}/x", json=http.get(f"{where}/x").json())
        assert answer.status_code in (200, 409)
        return answer.status_code == 200

    until(is_replaced, "a replacement of the version that is there")
    assert http.patch(f"{where}/x", json=body, headers=MERGE).status_code == 200
