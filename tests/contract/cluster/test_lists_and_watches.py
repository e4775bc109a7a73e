"""Reading: selectors, pages, resource versions, watches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.contract
MakePod = Callable[..., dict[str, Any]]
MERGE = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture
def pods(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods"


def _names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["metadata"]["name"] for one in answer.json()["items"]]


@contextmanager
def _watch(http: httpx.Client, path: str, **query: str) -> Iterator[Callable[[], tuple[str, dict[str, Any]]]]:
    with http.stream("GET", path, params={"watch": "true", "timeoutSeconds": "10", **query}) as answer:
        assert answer.status_code == 200
        lines = answer.iter_lines()

        def event() -> tuple[str, dict[str, Any]]:
            body = json.loads(next(lines))
            return body["type"], body["object"]

        yield event


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("app=a", ["p1", "p2"]),
        ("app==a,tier!=x", ["p2"]),
        ("app in (a, b),tier", ["p1", "p3"]),
        ("tier notin (x)", ["p2", "p3", "p4"]),
        ("!app", ["p4"]),
        ("app=", []),
        ("size>3", ["p3"]),
        ("size<4", ["p2"]),
    ],
)
def test_label_selectors(
    http: httpx.Client, pods: str, pod: MakePod, selector: str, expected: list[str]
) -> None:
    made = {"p1": {"app": "a", "tier": "x"}, "p2": {"app": "a", "size": "3"}}
    made |= {"p3": {"app": "b", "tier": "y", "size": "4"}, "p4": {}}
    for name, labels in made.items():
        http.post(pods, json=pod(name, **labels))
    assert _names(http.get(pods, params={"labelSelector": selector})) == expected


def test_field_selectors(http: httpx.Client, pods: str, pod: MakePod) -> None:
    for name in ("p1", "p2"):
        http.post(pods, json=pod(name))
    http.post(f"{pods}/p1/binding", json={"target": {"name": "n1"}})
    assert _names(http.get(pods, params={"fieldSelector": "spec.nodeName=n1"})) == ["p1"]
    assert _names(http.get(pods, params={"fieldSelector": "spec.nodeName=,status.phase!=Failed"})) == ["p2"]
    refused = http.get(pods, params={"fieldSelector": "spec.colour=red"})
    assert refused.status_code == 400
    assert "field label not supported: spec.colour" in refused.json()["message"]
    assert http.get(pods, params={"labelSelector": "a in b"}).status_code == 400


def test_pages_show_one_moment(http: httpx.Client, pods: str, pod: MakePod) -> None:
    for number in range(5):
        http.post(pods, json=pod(f"p{number}"))
    first = http.get(pods, params={"limit": "2"})
    metadata = first.json()["metadata"]
    assert (_names(first), metadata["remainingItemCount"]) == (["p0", "p1"], 3)
    http.delete(f"{pods}/p3")
    http.post(pods, json=pod("p22"))
    second = http.get(pods, params={"limit": "2", "continue": metadata["continue"]})
    assert _names(second) == ["p2", "p3"]
    assert second.json()["metadata"]["resourceVersion"] == metadata["resourceVersion"]
    third = http.get(pods, params={"limit": "2", "continue": second.json()["metadata"]["continue"]})
    assert _names(third) == ["p4"]
    assert "continue" not in third.json()["metadata"]
    selected = http.get(pods, params={"limit": "1", "labelSelector": "!x"}).json()["metadata"]
    assert "remainingItemCount" not in selected
    old = {"resourceVersion": metadata["resourceVersion"], "resourceVersionMatch": "Exact"}
    assert _names(http.get(pods, params=old)) == [f"p{number}" for number in range(5)]
    assert http.get(pods, params={"continue": "nonsense"}).status_code == 400


def test_what_is_forgotten_is_gone(http: httpx.Client, namespace: str, pods: str, pod: MakePod) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for number in range(3):
        http.post(path, json={"metadata": {"name": f"c{number}"}})
    page = http.get(path, params={"limit": "1"}).json()["metadata"]
    for number in range(650):
        http.patch(f"{path}/c0", json={"data": {"n": str(number)}}, headers=MERGE)
    late = http.get(path, params={"limit": "1", "continue": page["continue"]})
    assert (late.status_code, late.json()["reason"]) == (410, "Expired")
    with _watch(http, path, resourceVersion=page["resourceVersion"]) as event:
        kind, status = event()
    assert (kind, status["code"], status["reason"]) == ("ERROR", 410, "Expired")
    assert status["message"].startswith(f"too old resource version: {page['resourceVersion']} (")


def test_resource_versions_of_the_future_and_bad_ones(http: httpx.Client, pods: str) -> None:
    future = http.get(pods, params={"resourceVersion": "9223372036854775807"})
    assert future.status_code == 504
    assert future.json()["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    assert http.get(pods, params={"resourceVersion": "soon"}).status_code == 400
    bad = http.get(pods, params={"resourceVersionMatch": "Exact"})
    assert (bad.status_code, bad.json()["details"]["kind"]) == (422, "ListOptions")
    assert http.get(pods, params={"resourceVersion": "0"}).status_code == 200


def test_a_watch_tells_every_change_in_order(http: httpx.Client, pods: str, pod: MakePod) -> None:
    http.post(pods, json=pod("old"))
    start = http.get(pods).json()["metadata"]["resourceVersion"]
    http.post(pods, json=pod("before"))
    with _watch(http, pods, resourceVersion=start) as event:
        assert event()[1]["metadata"]["name"] == "before"
        http.post(pods, json=pod("p"))
        http.patch(f"{pods}/p", json={"metadata": {"labels": {"a": "b"}}}, headers=MERGE)
        http.patch(f"{pods}/p", json={"metadata": {"labels": {"a": "b"}}}, headers=MERGE)
        gone = http.delete(f"{pods}/p").json()
        seen = [event() for _ in range(3)]
    assert [kind for kind, _ in seen] == ["ADDED", "MODIFIED", "DELETED"]
    versions = [int(obj["metadata"]["resourceVersion"]) for _, obj in seen]
    assert versions == sorted(versions)
    assert seen[2][1]["metadata"]["uid"] == gone["metadata"]["uid"]


def test_leaving_a_selection_is_deleted_and_entering_is_added(
    http: httpx.Client, pods: str, pod: MakePod
) -> None:
    http.post(pods, json=pod("p", app="a"))
    with _watch(http, pods, labelSelector="app=a") as event:
        assert event()[0] == "ADDED"
        for app in ("b", "a"):
            http.patch(f"{pods}/p", json={"metadata": {"labels": {"app": app}}}, headers=MERGE)
        left, back = event(), event()
    assert (left[0], left[1]["metadata"]["labels"]) == ("DELETED", {"app": "a"})
    assert back[0] == "ADDED"


def test_a_watch_list_ends_its_beginning_with_a_bookmark(http: httpx.Client, pods: str, pod: MakePod) -> None:
    http.post(pods, json=pod("p"))
    asked = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
    with _watch(http, pods, allowWatchBookmarks="true", **asked) as event:
        assert event()[0] == "ADDED"
        kind, mark = event()
        assert (kind, mark["kind"]) == ("BOOKMARK", "Pod")
        assert mark["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        http.post(pods, json=pod("q"))
        assert event()[1]["metadata"]["name"] == "q"
    refused = http.get(pods, params={"watch": "true", "sendInitialEvents": "true"})
    assert (refused.status_code, refused.json()["reason"]) == (422, "Invalid")


def test_a_watch_ends_when_its_time_is_up(http: httpx.Client, pods: str) -> None:
    answer = http.get(pods, params={"watch": "true", "timeoutSeconds": "1"})
    assert (answer.status_code, answer.content) == (200, b"")


def test_tables_and_metadata_only(http: httpx.Client, pods: str, pod: MakePod) -> None:
    http.post(pods, json=pod("p"))
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
