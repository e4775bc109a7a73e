"""Reading lists: pages, resource versions, what is forgotten, and how objects are shown."""

from __future__ import annotations

import httpx
import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.objects import idle_pod
from tests.contract.cluster.running import until
from tests.contract.cluster.wire import MERGE, names, watching

pytestmark = pytest.mark.contract


@behaviour("lists", "pages of one list show one moment, each object once")
def test_pages_show_one_moment(http: httpx.Client, pods: str) -> None:
    for number in range(5):
        http.post(pods, json=idle_pod(f"p{number}"))
    first = http.get(pods, params={"limit": "2"})
    metadata = first.json()["metadata"]
    assert (names(first), metadata["remainingItemCount"]) == (["p0", "p1"], 3)
    http.delete(f"{pods}/p3")
    http.post(pods, json=idle_pod("p22"))
    second = http.get(pods, params={"limit": "2", "continue": metadata["continue"]})
    assert names(second) == ["p2", "p3"]
    assert second.json()["metadata"]["resourceVersion"] == metadata["resourceVersion"]
    third = http.get(pods, params={"limit": "2", "continue": second.json()["metadata"]["continue"]})
    assert names(third) == ["p4"]
    assert "continue" not in third.json()["metadata"]
    selected = http.get(pods, params={"limit": "1", "labelSelector": "!x"}).json()["metadata"]
    assert "remainingItemCount" not in selected
    old = {"resourceVersion": metadata["resourceVersion"], "resourceVersionMatch": "Exact"}
    assert names(http.get(pods, params=old)) == [f"p{number}" for number in range(5)]
    assert http.get(pods, params={"continue": "nonsense"}).status_code == 400


@behaviour("lists", "a page or a watch from before the kept history is told 410 Expired")
def test_what_is_forgotten_is_gone(http: httpx.Client, namespace: str) -> None:
    secrets = f"/api/v1/namespaces/{namespace}/secrets"
    for number in range(3):
        http.post(secrets, json={"metadata": {"name": f"c{number}"}})
    page = http.get(secrets, params={"limit": "1"}).json()["metadata"]
    for number in range(650):
        http.patch(f"{secrets}/c0", json={"metadata": {"labels": {"n": str(number)}}}, headers=MERGE)

    def late() -> httpx.Response | None:
        answer = http.get(secrets, params={"limit": "1", "continue": page["continue"]})
        return answer if answer.status_code != 200 else None

    # the real one forgets by the clock, the light one by the number of changes
    refused = until(late, "the page to be forgotten", 60)
    assert (refused.status_code, refused.json()["reason"]) == (410, "Expired")
    with watching(http, secrets, resourceVersion=page["resourceVersion"]) as event:
        kind, status = event()
    assert (kind, status["code"], status["reason"]) == ("ERROR", 410, "Expired")


@behaviour("lists", "a resource version of the future, or none at all, is refused in the real words")
def test_resource_versions_of_the_future_and_bad_ones(http: httpx.Client, pods: str) -> None:
    future = http.get(pods, params={"resourceVersion": "9223372036854775807"})
    assert future.status_code == 504
    assert future.json()["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    assert http.get(pods, params={"resourceVersion": "soon"}).status_code == 400
    bad = http.get(pods, params={"resourceVersionMatch": "Exact"})
    assert (bad.status_code, bad.json()["details"]["kind"]) == (422, "ListOptions")
    assert http.get(pods, params={"resourceVersion": "0"}).status_code == 200


@behaviour("lists", "a list is shown as Table, as metadata alone, or refused with 406")
def test_tables_and_metadata_only(http: httpx.Client, pods: str) -> None:
    http.post(pods, json=idle_pod("p"))
    table = {"Accept": "application/json;as=Table;g=meta.k8s.io;v=v1"}
    shown = http.get(pods, headers=table).json()
    assert shown["rows"][0]["cells"][:4] == ["p", "0/1", "Pending", "0"]
    assert shown["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    whole = http.get(pods, headers=table, params={"includeObject": "Object"}).json()
    assert whole["rows"][0]["object"]["spec"]["containers"]
    none = http.get(pods, headers=table, params={"includeObject": "None"}).json()
    assert none["rows"][0].get("object") is None
    metadata = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
    assert set(http.get(pods, headers=metadata).json()["items"][0]) == {"kind", "apiVersion", "metadata"}
    refused = http.get(pods, headers={"Accept": "text/html"})
    assert (refused.status_code, refused.json()["reason"]) == (406, "NotAcceptable")
    assert http.get(f"{pods}?labelSelector=none").json()["items"] == []
