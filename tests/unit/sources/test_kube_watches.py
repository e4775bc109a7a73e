"""How a watch fares when the cluster does not answer: what is told, how long is waited, and that it ends."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import httpx
import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Interrupted, NotFound, Refused, Unreachable, UsageError
from maestro_cli.core.facts.live import Begun, Listed, Lost, Restored
from maestro_cli.sources import opened
from maestro_cli.sources.http import Ask, HttpBackend
from maestro_cli.sources.kube.watches import LONGEST_PAUSE_SECONDS, Watches
from tests.patience import PATIENCE_SECONDS
from tests.unit.sources.conftest import ScriptedServer
from tests.unit.sources.kube_answers import cluster, ok, status

DOWN = httpx.ConnectError("connection refused")
START = datetime(2026, 1, 1, tzinfo=UTC)


class Ticking:
    """A second passes with each look at the clock."""

    def __init__(self) -> None:
        self.looks = 0

    def now(self) -> datetime:
        self.looks += 1
        return START + timedelta(seconds=self.looks)

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError("a watch waits on its cancellation")


class Pauses(Cancellation):
    """Nobody waits; what would have been waited is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return self.is_set


def listed(*names: str, version: str = "10") -> httpx.Response:
    items = [{"metadata": {"name": name, "namespace": "ml", "uid": f"u-{name}"}} for name in names]
    return ok({"metadata": {"resourceVersion": version}, "items": items})


def event(kind: str, name: str, version: str) -> str:
    meta = {"name": name, "namespace": "ml", "uid": f"u-{name}", "resourceVersion": version}
    return json.dumps({"type": kind, "object": {"metadata": meta}}) + "\n"


def told(*events: str) -> httpx.Response:
    return httpx.Response(200, content=iter(["".join(events).encode()]))


def error(code: int, reason: str) -> str:
    body = {"kind": "Status", "metadata": {}, "status": "Failure", "reason": reason, "code": code}
    return json.dumps({"type": "ERROR", "object": body}) + "\n"


def watching(*answers: httpx.Response | Exception) -> tuple[Iterator[Any], Pauses, list[httpx.Request]]:
    """A watch of pods that gets these answers and is then cancelled."""
    queue, seen, pauses = list(answers), list[httpx.Request](), Pauses()

    def handle(request: httpx.Request) -> httpx.Response:
        if not queue:
            pauses.cancel()
            raise DOWN
        seen.append(request)
        answer = queue.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return _streamed(answer) if "watch" in request.url.params else answer

    watches = Watches(cluster(handle)._api, Ticking(), lambda: 1.0)
    return watches.pods(None, lambda _: "", pauses), pauses, seen


def _streamed(answer: httpx.Response) -> httpx.Response:
    """The answer as one that is still to be read."""
    if not answer.is_stream_consumed:
        return answer
    return httpx.Response(answer.status_code, content=iter([answer.content]))


def names(seen: list[Any]) -> list[Any]:
    """What was seen, in short."""
    short: list[Any] = []
    for one in seen:
        if isinstance(one, Listed):
            short.append([line.name for line in one.lines])
        elif isinstance(one, tuple):
            short.append({change.uid: change.line and change.line.name for change in one})
        else:
            short.append(type(one))
    return short


def test_events_of_one_chunk_come_together_and_a_bookmark_tells_the_version_alone() -> None:
    mark = json.dumps({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "40"}, "spec": {}}})
    changes = told(
        event("ADDED", "b", "11"), event("MODIFIED", "b", "12"), event("DELETED", "a", "13"), mark + "\n"
    )
    seen, _, requests = watching(listed("a"), changes, told(event("ADDED", "c", "41")))
    first, together, after = seen
    assert names([first, after]) == [["a"], {"u-c": "c"}]
    assert [(one.uid, one.line is None) for one in together] == [
        ("u-b", False),
        ("u-b", False),
        ("u-a", True),
    ]
    assert [request.url.params.get("resourceVersion") for request in requests] == [None, "10", "40"]
    asked = requests[1].url.params
    assert (asked["watch"], asked["allowWatchBookmarks"]) == ("true", "true")
    assert requests[1].headers["accept-encoding"] == "identity"


def page(version: str, *names: str, token: str = "") -> httpx.Response:
    items = [{"metadata": {"name": name, "namespace": "ml", "uid": f"u-{name}"}} for name in names]
    return ok({"metadata": {"resourceVersion": version, "continue": token}, "items": items})


def test_the_pages_of_the_first_list_are_told_as_they_come_and_void_once_it_begins_anew() -> None:
    expired = httpx.Response(410, json={"kind": "Status", "code": 410, "reason": "Expired"})
    anew = [page("12", "a", token="t"), page("12", "c")]
    seen, _, _ = watching(
        page("10", "a", token="t"), expired, *anew, told(error(410, "Expired")), *anew, told()
    )
    news = list(seen)
    begun = [one for one in news if isinstance(one, Begun)]
    assert [([line.name for line in one.lines], one.is_anew) for one in begun] == [(["a"], True)] * 2
    whole = [[line.name for line in one.lines] for one in news if isinstance(one, Listed)]
    assert (
        whole == [["a", "c"]] * 2
    )  # the second, after a gap, takes the place of what is known: in one piece


BOOKMARKS: dict[str, Any] = {
    "pods": {"spec": {"containers": None}, "status": {}},
    "nodes": {"spec": {}, "status": {"daemonEndpoints": {}, "nodeInfo": {"kubeletVersion": ""}}},
    "deployments": {"spec": {"selector": None, "strategy": {}, "template": {"spec": {"containers": None}}}},
    "statefulsets": {"spec": {"selector": None, "updateStrategy": {}, "serviceName": ""}},
    "daemonsets": {"spec": {"selector": None, "updateStrategy": {}}, "status": {"numberReady": 0}},
    "events": {"involvedObject": {}, "source": {}, "firstTimestamp": None, "eventTime": None},
}


@pytest.mark.parametrize("kind", BOOKMARKS)
def test_a_bookmark_of_each_kind_is_understood(kind: str) -> None:
    """As kube-apiserver writes them: an object with nothing but a version."""
    meta = {"resourceVersion": "40", "creationTimestamp": None}
    mark = json.dumps({"type": "BOOKMARK", "object": {"metadata": meta, **BOOKMARKS[kind]}}) + "\n"
    answers, versions, over = [listed(), told(mark)], list[str | None](), Pauses()

    def handle(request: httpx.Request) -> httpx.Response:
        versions.append(request.url.params.get("resourceVersion"))
        if answers:
            return answers.pop(0)
        over.cancel()
        raise DOWN

    watches = Watches(cluster(handle)._api, Ticking(), lambda: 1.0)
    watch: dict[str, Iterator[Any]] = {
        "pods": watches.pods("ml", lambda _: "", over),
        "nodes": watches.nodes(over),
        "deployments": watches.workloads("Deployment", "ml", over),
        "statefulsets": watches.workloads("StatefulSet", "ml", over),
        "daemonsets": watches.workloads("DaemonSet", "ml", over),
        "events": watches.events("ml", over),
    }
    assert names(list(watch[kind])) == [[]]
    assert versions == [None, "10", "40"]


def test_an_event_in_several_chunks_is_one() -> None:
    whole = event("ADDED", "b", "11").encode()
    seen, *_ = watching(listed(), httpx.Response(200, content=iter([whole[:9], whole[9:40], whole[40:]])))
    assert names(list(seen)) == [[], {"u-b": "b"}]


@pytest.mark.parametrize(
    "expired",
    [told(error(410, "Expired")), status(410, "Expired", "too old")],
    ids=["in the stream", "as the answer"],
)
def test_what_the_server_forgot_is_listed_again(expired: httpx.Response) -> None:
    seen, _, requests = watching(
        listed("a"), expired, listed("b", version="90"), told(event("ADDED", "c", "91"))
    )
    assert names(list(seen)) == [["a"], ["b"], {"u-c": "c"}]
    assert requests[3].url.params["resourceVersion"] == "90"


def test_an_outage_is_told_once_with_its_beginning_and_what_was_missed_follows() -> None:
    seen, pauses, requests = watching(listed("a"), DOWN, DOWN, DOWN, told(event("ADDED", "b", "11")))
    before, lost, restored, missed = seen
    assert names([before, missed]) == [["a"], {"u-b": "b"}]
    assert isinstance(lost, Lost)
    assert isinstance(lost.error, Unreachable)
    assert isinstance(restored, Restored)
    assert before.at < lost.since < restored.at
    assert requests[-1].url.params["resourceVersion"] == "10", "the list is not asked for again"
    assert pauses.seconds == [0.2, 0.4], "nothing is waited before the first try"


def test_pauses_grow_to_a_limit_and_are_spread() -> None:
    seen, pauses, _ = watching(*[DOWN] * 12)
    assert names(list(seen)) == [Lost]
    assert max(pauses.seconds) == LONGEST_PAUSE_SECONDS
    assert sorted(pauses.seconds) == pauses.seconds


def test_a_connection_that_broke_off_is_no_outage_if_the_next_one_holds() -> None:
    broken = httpx.RemoteProtocolError("peer closed connection without sending complete message body")

    def breaking() -> Iterator[bytes]:
        yield event("ADDED", "b", "11").encode()
        raise broken

    seen, *_ = watching(listed(), httpx.Response(200, content=breaking()), told(event("ADDED", "c", "12")))
    assert names(list(seen)) == [[], {"u-b": "b"}, {"u-c": "c"}]


def test_another_reason_is_told_again_such_as_a_token_that_expired() -> None:
    no = status(401, "Unauthorized", "Unauthorized")
    seen, *_ = watching(listed(), DOWN, DOWN, no, no, told(event("ADDED", "b", "11")))
    found = list(seen)
    assert names(found) == [[], Lost, Lost, Restored, {"u-b": "b"}]
    assert [type(one.error) for one in found[1:3]] == [Unreachable, Refused]


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        (status(404, "NotFound", "no such kind"), NotFound),
        (status(400, "BadRequest", "no label"), UsageError),
    ],
    ids=["no such kind", "bad selector"],
)
def test_what_can_never_be_watched_is_an_error(answer: httpx.Response, raised: type[Exception]) -> None:
    seen, *_ = watching(answer)
    with pytest.raises(raised):
        next(seen)


def test_an_event_that_cannot_be_read_lists_again_and_does_not_spin() -> None:
    bad = [answer for _ in range(6) for answer in (listed(), told('{"type":"ADDED","object":{}}\n'))]
    seen, pauses, _ = watching(*bad)
    assert names(list(seen)) == [[]] * 6
    assert sum(pauses.seconds) > 5


def stalled(server: Callable[[Any], ScriptedServer], head: bytes) -> tuple[ScriptedServer, threading.Event]:
    """A server that says this much and then nothing."""
    has_begun, quiet = threading.Event(), threading.Event()

    def answer() -> Iterator[bytes]:
        yield head
        has_begun.set()
        while not made.stopping.is_set():
            quiet.wait(0.05)
        yield b""

    made = server(answer)
    return made, has_begun


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("head", [b"", HEAD], ids=["before the answer", "within the answer"])
def test_a_read_that_waits_ends_when_it_is_cancelled(
    scripted: Callable[[Any], ScriptedServer], head: bytes
) -> None:
    server, has_begun = stalled(scripted, head)
    backend, cancellation, ended = (
        HttpBackend("Kubernetes", server.url),
        Cancellation(),
        list[type[Exception]](),
    )

    def read() -> None:
        try:
            with backend.open(
                Ask("GET", "/"), cancellation, silence_seconds=1000, begin_seconds=1000
            ) as answer:
                list(answer.chunks())
        except Interrupted as error:
            ended.append(type(error))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    assert has_begun.wait(PATIENCE_SECONDS)
    cancellation.cancel()
    thread.join(PATIENCE_SECONDS)
    assert ended == [Interrupted]
    backend.close()


def test_a_server_that_vanishes_before_it_answers_is_asked_for(
    scripted: Callable[[Any], ScriptedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, at_request = list[bool](), list[list[bool]]()

    def keep_alive(
        connection: socket.socket, whole: Callable[[socket.socket], None] = opened._keep_alive
    ) -> None:
        whole(connection)
        kept.append(bool(connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)))

    def answer() -> Iterator[bytes]:
        at_request.append(list(kept))
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    monkeypatch.setattr(opened, "_keep_alive", keep_alive)
    backend = HttpBackend("Kubernetes", scripted(answer).url, timeout_seconds=PATIENCE_SECONDS)
    with backend.open(Ask("GET", "/"), Cancellation(), silence_seconds=PATIENCE_SECONDS):
        pass
    backend.close()
    assert at_request == [[True]]


def test_a_watch_that_nobody_iterates_any_more_leaves_nothing_behind() -> None:
    seen, pauses, _ = watching(listed("a"), told(event("ADDED", "b", "11"), event("ADDED", "c", "12")))
    assert names(list(islice(seen, 2))) == [["a"], {"u-b": "b", "u-c": "c"}]
    seen.close()  # type: ignore[attr-defined]  # it is a generator
    assert pauses._children == []
