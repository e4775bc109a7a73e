"""maestro's own watches: what there is, and every change of it, told in threads that can be ended."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.facts.live import Changed, Listed
from maestro_cli.sources.kube import KubeCluster
from maestro_cli.sources.kube.api_server import ApiServer
from maestro_cli.sources.kube.watches import Watches
from maestro_cli.sources.opened import Opened
from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.objects import idle_pod
from tests.contract.cluster.running import until
from tests.contract.cluster.wire import MERGE, watching
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.contract


class Watched:
    """A watch in a thread of its own, and what it told so far."""

    def __init__(self, seen: Iterator[Any], cancellation: Cancellation) -> None:
        self.cancellation = cancellation
        self._told: queue.Queue[Any] = queue.Queue()
        self._changes: deque[Changed[Any]] = deque()
        self.thread = threading.Thread(target=lambda: deque(map(self._told.put, seen), 0), daemon=True)
        self.thread.start()

    def next(self) -> Any:
        return self._told.get(timeout=PATIENCE_SECONDS)

    def change(self) -> Changed[Any]:
        if not self._changes:  # several may come together
            self._changes += self.next()
        change = self._changes.popleft()
        assert isinstance(change, Changed)
        return change

    def line(self) -> Any:
        """What a changed object became."""
        line = self.change().line
        assert line is not None
        return line

    def end(self) -> None:
        self.cancellation.cancel()
        self.thread.join(PATIENCE_SECONDS)
        assert not self.thread.is_alive()


@pytest.fixture
def watches(cluster: Path) -> Iterator[Watches]:
    source = KubeCluster(ClusterEndpoint(str(cluster / "admin.kubeconfig")))
    yield source.watches
    source.close()


@pytest.fixture
def watched() -> Iterator[Callable[[Callable[[Cancellation], Iterator[Any]]], Watched]]:
    begun: list[Watched] = []

    def begin(watch: Callable[[Cancellation], Iterator[Any]]) -> Watched:
        cancellation = Cancellation()
        begun.append(Watched(watch(cancellation), cancellation))
        return begun[-1]

    yield begin
    for one in begun:
        one.end()


Watching = Callable[[Callable[[Cancellation], Iterator[Any]]], Watched]


@behaviour("maestro's watches", "pods are listed, and then told as they change, enter, leave and go")
def test_pods_are_listed_and_then_told_as_they_change(
    watches: Watches, watched: Watching, http: httpx.Client, namespace: str, pods: str
) -> None:
    uid = http.post(pods, json=idle_pod("p", app="a")).json()["metadata"]["uid"]
    seen = watched(lambda over: watches.pods(namespace, lambda _: "", over, selector="app=a"))
    listed = seen.next()
    assert isinstance(listed, Listed)
    assert [(line.name, line.uid) for line in listed.lines] == [("p", uid)]
    http.patch(f"{pods}/p", json={"metadata": {"labels": {"more": "yes"}}}, headers=MERGE)
    line = seen.line()
    assert (line.uid, line.labels["more"]) == (uid, "yes")
    http.patch(f"{pods}/p", json={"metadata": {"labels": {"app": "b"}}}, headers=MERGE)
    assert seen.change() == Changed(uid, None)
    http.patch(f"{pods}/p", json={"metadata": {"labels": {"app": "a"}}}, headers=MERGE)
    assert seen.line().name == "p"
    http.delete(f"{pods}/p", params={"gracePeriodSeconds": "0"})
    while (change := seen.change()).line is not None:
        assert change.line.status == "Terminating", "the real one tells of that first"
    assert change.uid == uid


@behaviour("maestro's watches", "workloads, nodes and events are told by lines of their own")
def test_other_kinds_are_told_by_lines_of_their_own(
    watches: Watches, watched: Watching, http: httpx.Client, namespace: str, deployment: dict[str, Any]
) -> None:
    workloads = watched(lambda over: watches.workloads("Deployment", namespace, over))
    events = watched(lambda over: watches.events(namespace, over))
    assert workloads.next().lines == events.next().lines == ()
    made = http.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", json=deployment).json()
    (change, *_) = workloads.next()
    assert (change.uid, change.line.ref.name) == (made["metadata"]["uid"], "web")
    kinds: set[str] = set()
    while not kinds >= {"Deployment", "ReplicaSet"}:  # whichever is told first
        for told in events.next():
            assert told.uid == told.line.uid
            kinds.add(told.line.object_kind)
    nodes = watched(watches.nodes)
    assert {"node-a", "node-b"} <= {line.name for line in nodes.next().lines}


class Begun:
    """The watches that were begun, by the version they began at; the first may be sent to long ago."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.versions: list[str] = []
        self.is_first_from_long_ago = False
        whole = ApiServer.open

        def open_(api: ApiServer, path: str, params: dict[str, Any], *rest: Any, **more: Any) -> Opened:
            self.versions.append(params["resourceVersion"])
            is_old = self.is_first_from_long_ago and len(self.versions) == 1
            return whole(api, path, params | {"resourceVersion": "1"} if is_old else params, *rest, **more)

        monkeypatch.setattr(ApiServer, "open", open_)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Begun:
    return Begun(monkeypatch)


def event(namespace: str, name: str) -> dict[str, Any]:
    involved = {"kind": "Pod", "namespace": namespace, "name": "p"}
    meta = {"name": name, "namespace": namespace}
    return {"metadata": meta, "involvedObject": involved, "type": "Normal", "reason": "Tested"}


@behaviour("maestro's watches", "a watch whose past the cluster forgot lists again")
def test_a_watch_whose_past_is_forgotten_lists_again(
    watches: Watches, watched: Watching, begun: Begun, http: httpx.Client, namespace: str
) -> None:
    begun.is_first_from_long_ago = True
    path = f"/api/v1/namespaces/{namespace}/events"
    assert http.post(path, json=event(namespace, "first")).status_code == 201

    def forgotten() -> bool:  # the real one forgets by the clock
        with watching(http, path, resourceVersion="1") as told:
            return told()[0] == "ERROR"

    until(forgotten, "the past to be forgotten", 60)
    seen = watched(lambda over: watches.events(namespace, over))
    for _ in range(2):
        listed = seen.next()
        assert isinstance(listed, Listed)
        assert [line.name for line in listed.lines] == ["first"]
    http.post(path, json=event(namespace, "second"))
    assert seen.line().name == "second"


@behaviour("maestro's watches", "a watch goes on where the server ended it")
def test_a_watch_goes_on_where_the_server_ended_it(
    watches: Watches, watched: Watching, begun: Begun, http: httpx.Client, namespace: str, pods: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for name in ("SHORTEST_WATCH_SECONDS", "LONGEST_WATCH_SECONDS"):
        monkeypatch.setattr(f"maestro_cli.sources.kube.watches.{name}", 1.0)
    seen = watched(lambda over: watches.pods(namespace, lambda _: "", over))
    assert seen.next().lines == ()
    http.post(pods, json=idle_pod("p"))
    assert seen.line().name == "p"
    before = len(begun.versions)  # several, when the pod was long in coming
    until(lambda: len(begun.versions) > before, "the next watch")
    http.post(pods, json=idle_pod("q"))
    assert seen.line().name == "q"
    assert begun.versions[before] != begun.versions[0], "from what was told last, not from the list"
