"""Watches: order, selection, bookmarks, ends."""

from __future__ import annotations

import httpx
import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.objects import idle_pod
from tests.contract.cluster.wire import MERGE, watching

pytestmark = pytest.mark.contract


@behaviour("watches", "a watch tells every change once, in order, and no change that was none")
def test_a_watch_tells_every_change_in_order(http: httpx.Client, configs: str) -> None:
    http.post(configs, json={"metadata": {"name": "old"}})
    start = http.get(configs).json()["metadata"]["resourceVersion"]
    http.post(configs, json={"metadata": {"name": "before"}})
    with watching(http, configs, resourceVersion=start) as event:
        assert event()[1]["metadata"]["name"] == "before"
        made = http.post(configs, json={"metadata": {"name": "c"}}).json()
        for value in ("1", "1", "2", "2"):
            http.patch(f"{configs}/c", json={"data": {"a": value}}, headers=MERGE)
        gone = http.delete(f"{configs}/c").json()
        seen = [event() for _ in range(4)]
    assert [kind for kind, _ in seen] == ["ADDED", "MODIFIED", "MODIFIED", "DELETED"]
    versions = [int(obj["metadata"]["resourceVersion"]) for _, obj in seen]
    assert versions == sorted(set(versions))
    assert seen[3][1]["metadata"]["uid"] == gone["details"]["uid"] == made["metadata"]["uid"]


@behaviour("watches", "an object that leaves a watch's selection is DELETED, one that enters is ADDED")
def test_leaving_a_selection_is_deleted_and_entering_is_added(http: httpx.Client, pods: str) -> None:
    http.post(pods, json=idle_pod("p", app="a"))
    with watching(http, pods, labelSelector="app=a") as event:
        assert event()[0] == "ADDED"
        for app in ("b", "a"):
            http.patch(f"{pods}/p", json={"metadata": {"labels": {"app": app}}}, headers=MERGE)
        left, back = event(), event()
    assert (left[0], left[1]["metadata"]["labels"]) == ("DELETED", {"app": "a"})
    assert back[0] == "ADDED"


@behaviour("watches", "a watch list ends its initial events with a bookmark")
def test_a_watch_list_ends_its_beginning_with_a_bookmark(http: httpx.Client, pods: str) -> None:
    http.post(pods, json=idle_pod("p"))
    asked = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
    with watching(http, pods, allowWatchBookmarks="true", **asked) as event:
        assert event()[0] == "ADDED"
        kind, mark = event()
        assert (kind, mark["kind"]) == ("BOOKMARK", "Pod")
        assert mark["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        http.post(pods, json=idle_pod("q"))
        assert event()[1]["metadata"]["name"] == "q"
    refused = http.get(pods, params={"watch": "true", "sendInitialEvents": "true"})
    assert (refused.status_code, refused.json()["reason"]) == (422, "Invalid")


@behaviour("watches", "a watch ends when its timeoutSeconds are up")
def test_a_watch_ends_when_its_time_is_up(http: httpx.Client, pods: str) -> None:
    answer = http.get(pods, params={"watch": "true", "timeoutSeconds": "1"})
    assert (answer.status_code, answer.content) == (200, b"")
