"""One replica among several: what it tells of itself, calls meant for it alone, and what it forgets."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.core.errors import NotFound, StalePlan, Unreachable, UsageError
from maestro_cli.sources.serving import InferenceServer
from maestro_cli.sources.serving_admin import MOST_ASKS, ServingAdmin, asks_for
from tests.patience import PATIENCE_SECONDS
from tests.unit.serving.served import Served, request


class Wire(httpx.BaseTransport):
    """Takes what the source sends to several servers in turn, as a load balancer does."""

    def __init__(self, *servers: Served) -> None:
        self._servers = servers
        self.sent: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        server = self._servers[len(self.sent) % len(self._servers)]
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        answer = server.request(
            request.method, request.url.raw_path.decode(), content=request.read(), headers=headers
        )
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def admin(*servers: Served) -> tuple[ServingAdmin, Wire]:
    wire = Wire(*servers)
    server = InferenceServer(
        Endpoint("http://serving.test"), timeout_seconds=PATIENCE_SECONDS, transport=wire
    )
    return server.admin, wire


def tell(server: Served) -> dict[str, Any]:
    told: dict[str, Any] = server.get("/v2/replica").json()
    return told


DOCUMENT = {"schema": "maestro.routing/1", "routes": {"fraud": {"to": {"model": "fraud", "version": 1}}}}


def test_every_process_has_an_id_of_its_own_and_tells_it() -> None:
    one, other = Served(), Served()
    assert one.get("/v2").json()["replica"] == tell(one)["replica"] != tell(other)["replica"]
    assert tell(one)["models"] == [{"name": "fraud", "version": 1, "state": "READY"}]
    assert tell(one)["routing"] == one.get("/v2").json()["routing"]


def test_it_tells_the_pod_that_it_runs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POD_UID", raising=False)
    outside = Served()
    assert tell(outside)["pod"] == ""
    monkeypatch.setenv("POD_UID", "6a1c")
    inside = Served()
    source, _ = admin(inside)
    assert {one.pod for one in source.replicas(1).values()} == {tell(inside)["pod"]} == {"6a1c"}


def test_a_call_that_means_another_replica_does_nothing() -> None:
    server = Served()
    answer = server.post("/v2/repository/models/fraud/load", headers={"x-maestro-replica": "other"})
    assert (answer.status_code, "not 'other'" in answer.json()["error"]) == (421, True)
    assert len(tell(server)["models"]) == 1


def test_users_requests_reach_whoever_answers() -> None:
    server = Served()
    answer = server.post("/v2/models/fraud/infer", json=request(), headers={"x-maestro-replica": "other"})
    assert answer.status_code == 200


def test_the_replica_that_is_meant_loads_and_unloads_however_calls_are_spread() -> None:
    one, other = Served(), Served()
    source, _ = admin(one, other)
    replicas = source.replicas(2)
    assert set(replicas) == {tell(one)["replica"], tell(other)["replica"]}
    source.load_model("fraud", 2, replica=tell(other)["replica"])
    assert [len(tell(server)["models"]) for server in (one, other)] == [1, 2]
    source.unload_model("fraud", 2, replica=tell(other)["replica"])
    assert source.replicas(2)[tell(other)["replica"]].models["fraud@2"] == "UNAVAILABLE"


def test_a_rehearsal_loads_nothing() -> None:
    server = Served()
    source, _ = admin(server)
    source.load_model("fraud", 2, replica=tell(server)["replica"], dry_run=True)
    assert len(tell(server)["models"]) == 1


def test_a_replica_that_nobody_meets_is_said_to_be_away() -> None:
    source, wire = admin(Served())
    with pytest.raises(Unreachable, match="was not met"):
        source.load_model("fraud", 2, replica="gone")
    assert len(wire.sent) == MOST_ASKS


def test_kept_answers_are_forgotten_and_the_change_is_noted() -> None:
    server = Served("--cache-bytes", "1000000")
    source, _ = admin(server)
    server.infer(request())
    assert tell(server)["cache"]["bytes"] > 0
    source.clear_cache("fraud", replica=tell(server)["replica"], change="chg-1")
    assert tell(server)["cache"] == {"bytes": 0, "cleared_by": "chg-1"}
    assert server.post("/v2/cache/clear", json={"parameters": {"version": 1}}).status_code == 400


def test_a_model_that_is_not_there_is_not_said_to_be_forgotten() -> None:
    server = Served("--cache-bytes", "1000000")
    assert server.post("/v2/cache/clear", json={"parameters": {"model": "frod"}}).status_code == 404
    assert server.post("/v2/cache/clear", json={"parameters": {"model": "fraud"}}).status_code == 200
    assert server.post("/v2/cache/clear").status_code == 200


def test_a_document_is_put_in_force_once_marked_and_only_where_it_was_planned() -> None:
    server = Served("--cache-bytes", "1000000")
    source, _ = admin(server)
    before = source.routing()
    text = json.dumps(DOCUMENT)
    told = source.preview_routing(text)
    rehearsed = source.put_routing(text, replaces=before.digest, change="chg-1", dry_run=True)
    assert (rehearsed, source.routing()) == (before, before)
    done = source.put_routing(text, replaces=before.digest, change="chg-1")
    assert (done.digest, done.change, json.loads(done.document)) == (told.digest, "chg-1", DOCUMENT)
    with pytest.raises(StalePlan):
        source.put_routing(text, replaces=before.digest, change="chg-2")
    frozen = source.preview_routing(json.dumps({**DOCUMENT, "frozen": True}))
    assert frozen.digest != told.digest


def test_what_the_server_refuses_is_told_with_its_reason() -> None:
    source, _ = admin(Served())
    with pytest.raises(UsageError) as raised:
        source.preview_routing(json.dumps(DOCUMENT).replace('"version": 1', '"version": 7'))
    assert "version 7 is not served here" in raised.value.why
    with pytest.raises(UsageError):
        source.load_model("fraud", 99, replica=next(iter(source.replicas(1))))
    bare = InferenceServer(
        Endpoint("http://x.test"), transport=httpx.MockTransport(lambda _: httpx.Response(404, json={}))
    )
    with pytest.raises(NotFound):
        bare.admin.routing()


@pytest.mark.parametrize("count", [2, 3, 10, 30])
def test_so_many_asks_miss_a_replica_less_than_once_in_a_thousand_times(count: int) -> None:
    assert count * (1 - 1 / count) ** asks_for(count) < 1e-3
