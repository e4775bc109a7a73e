"""The document in force: who answers, how it is changed, and what a change would do."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maestro_cli.serving.access.permissions import Permission
from maestro_cli.serving.endpoints.routing import RoutingEndpoints
from maestro_cli.serving.routing.document import EMPTY, read_routing
from maestro_cli.serving.routing.keeping import keep
from maestro_cli.serving.routing.preview import preview
from maestro_cli.serving.routing.sticky import NO_KEYS, Keys
from maestro_cli.serving.routing.tree import Question
from tests.unit.serving.served import Served, request

SCHEMA = "schema: maestro.routing/1\n"
CANARY = f"""{SCHEMA}routes:
  fraud:
    to:
      split:
        key: header:x-user
        arms:
          - {{name: stable, weight: 1, to: {{model: fraud, version: 1}}}}
          - {{name: canary, weight: %s, to: {{model: fraud, version: 2}}}}
"""
TO_ONE = SCHEMA + "routes: {fraud: {to: {model: fraud, version: 1}}}"
OK_PURPOSE = {"data": [3]}  # version 2 knows this one


@pytest.fixture
def both() -> Served:
    return Served("--serve", "fraud=2")


def served_of(server: Served, user: str) -> tuple[str, str, str]:
    answer = server.post("/v2/models/fraud/infer", json=request(), headers={"x-user": user})
    assert answer.status_code == 200
    parameters = answer.json()["parameters"]
    assert parameters == {
        name: answer.headers[f"x-maestro-{name}"] for name in ("served", "route", "decision")
    }
    return answer.json()["model_version"], parameters["route"], parameters["decision"]


def test_without_a_document_the_highest_version_answers_directly(both: Served) -> None:
    version, route, decision = served_of(both, "ana")
    assert (version, route) == ("2", "direct")
    assert decision.startswith("dec-")
    assert both.get("/v2").json()["routing"] == EMPTY.digest


def test_a_document_splits_the_traffic_and_a_named_version_goes_by_it(both: Served) -> None:
    put = both.request("PUT", "/v2/routing", content=CANARY % 1)
    assert (put.status_code, put.json()["in_force"]) == (200, True)
    assert both.get("/v2").json()["routing"] == put.json()["digest"] != EMPTY.digest
    found = {user: served_of(both, user)[:2] for user in map(str, range(30))}
    assert set(found.values()) == {("1", "stable"), ("2", "canary")}
    assert {user: served_of(both, user)[:2] for user in found} == found
    direct = both.post("/v2/models/fraud/versions/1/infer", json=request())
    assert direct.headers["x-maestro-route"] == "direct"
    page = both.get("/metrics").text
    assert 'code="200",model="fraud",route="canary",version="2"} ' in page


def test_a_preview_tells_what_would_move_and_moves_nothing(both: Served) -> None:
    both.request("PUT", "/v2/routing", content=CANARY % 1)
    now = [served_of(both, str(user))[0] for user in range(40)]
    told = both.post("/v2/routing/preview", content=TO_ONE).json()
    assert told["in_force"] is False
    assert (told["preview"]["requests"], told["preview"]["moved"]) == (40, now.count("2"))
    move = {"name": "fraud", "from": "fraud@2", "to": "fraud@1", "requests": now.count("2")}
    assert move in told["preview"]["moves"]
    dry = both.request("PUT", "/v2/routing?dry_run=true", content=TO_ONE).json()
    assert dry == told
    assert served_of(both, "0")[1] in ("stable", "canary")
    more = both.post("/v2/routing/preview", content=CANARY % 9).json()["preview"]
    assert {move["to"] for move in more["moves"] if move["from"] != move["to"]} <= {"fraud@2"}


@pytest.mark.parametrize(
    ("content", "headers", "status", "told"),
    [
        (SCHEMA + "routes: {fraud: {to: {model: fraud, version: 3}}}", {}, 400, "version 3 is not served"),
        (SCHEMA + "routes: {fraud: {to: {model: nope}}}", {}, 400, "'nope' is not served"),
        (SCHEMA + "routes: {fraud: {too: {model: fraud}}}", {}, 400, "routing:2: routes.fraud.too"),
        (b"\xff", {}, 400, "UTF-8"),
        ("[" * 3000, {}, 400, "routing:1"),
        ("x" * 300_000, {}, 413, "larger"),
        (TO_ONE, {"if-match": '"sha256:old"'}, 409, "not 'sha256:old'"),
    ],
)
def test_a_document_that_cannot_be_in_force_leaves_the_one_before_and_its_file(
    tmp_path: Path, content: Any, headers: dict[str, str], status: int, told: str
) -> None:
    file = tmp_path / "routing.yaml"
    file.write_text(CANARY % 1)
    server = Served("--serve", "fraud=2", "--routing", str(file))
    before = server.get("/v2/routing").json()
    answer = server.request("PUT", "/v2/routing", content=content, headers=headers)
    assert answer.status_code == status
    assert told in answer.json()["error"]
    assert server.get("/v2/routing").json() == before
    assert file.read_text() == CANARY % 1


@pytest.mark.parametrize(
    "query", ["dry_run=yes", "dry_run=", "dry_run", "dry-run=true", "dry_run=true&dry_run=0"]
)
def test_a_misspelt_dry_run_puts_nothing_in_force(both: Served, query: str) -> None:
    answer = both.request("PUT", f"/v2/routing?{query}", content=TO_ONE)
    assert answer.status_code == 400
    assert "dry_run" in answer.json()["error"]
    assert both.get("/v2").json()["routing"] == EMPTY.digest


@pytest.mark.parametrize("query", ["", "?dry_run=false", "?dry_run=0"])
def test_whatever_is_in_force_is_replaced_if_match_says_so(both: Served, query: str) -> None:
    answer = both.request("PUT", f"/v2/routing{query}", content=TO_ONE, headers={"if-match": "*"})
    assert answer.json()["in_force"] is True


def held_after(server: Served, bodies: int, padding: int) -> int:
    """Bytes still held after that many routed requests whose bodies hold that much that means nothing."""
    whole = json.dumps(request()).replace('"data": [3]', '"data": [3' + " " * padding + "]").encode()
    binary = json.dumps(request(id="1", parameters={"user": "ana"})).encode() + b" " * padding
    server.infer(request())
    tracemalloc.start()
    try:
        for number in range(bodies):
            answer = server.post("/v2/models/fraud/infer", content=(whole, binary)[number % 2])
            assert answer.status_code == 200
        del answer
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_requests_that_are_remembered_keep_no_body_in_memory(both: Served) -> None:
    both.request("PUT", "/v2/routing", content=CANARY % 1)
    padding = 500_000
    assert held_after(both, 8, padding) < 4 * padding
    assert len(both.application.replica.router.remembered) == 9


@pytest.mark.parametrize(
    ("tensors", "keys"),
    [
        ({"x": np.array(["a" * 20_000], object)}, NO_KEYS),
        ({"x" * 20_000: np.zeros(1)}, NO_KEYS),
        ({"x": np.zeros(1)}, Keys((), {"user": "a" * 20_000}, "")),
        ({"x": np.zeros(1)}, Keys((), {"user": [1]}, "")),
        ({"x": np.zeros(1)}, Keys([(b"x-user", b"a" * 20_000)], {}, "")),
    ],
)
def test_what_is_large_in_any_of_its_parts_is_not_kept(tensors: Any, keys: Keys) -> None:
    question = Question(tensors, {}, (), keys)
    assert keep(question, keys, 16 * 1024) is None


def test_what_is_kept_is_no_part_of_something_larger_and_has_its_keys() -> None:
    content = np.zeros(9).tobytes() + b" " * 1000
    whole = np.zeros((1000, 2))
    tensors = {"view": np.frombuffer(content, count=9), "row": whole[:1], "own": np.zeros(4).reshape(2, 2)}
    keys = Keys([(b"x-user", b"ana")], {"n": 3, "none": None}, "7")
    kept = keep(Question(tensors, {}, (), keys), keys, 16 * 1024)
    assert kept is not None
    assert kept.tensors["own"] is tensors["own"]
    assert [kept.tensors[name].base for name in ("view", "row")] == [None, None]
    asked = ("header:X-User", "parameter:n", "parameter:none", "parameter:no", "id")
    assert [kept.keys(key) for key in asked] == ["ana", "3", "", "", "7"]


def test_a_preview_stops_when_its_time_is_over_and_lets_others_pass(both: Served) -> None:
    both.request("PUT", "/v2/routing", content=CANARY % 1)
    for user in range(3):
        served_of(both, str(user))
    router, routing = both.application.replica.router, read_routing(TO_ONE, "r")
    passed: list[int] = []

    async def beside() -> None:
        for number in range(3):
            passed.append(number)
            await asyncio.sleep(0)

    async def both_at_once() -> dict[str, Any]:
        others = asyncio.create_task(beside())
        told = await preview(router, routing)
        assert len(passed) == 3
        await others
        return told

    assert asyncio.run(both_at_once())["left_out"] == 0
    short = asyncio.run(preview(router, routing, 1e-9))
    assert (short["requests"], short["left_out"]) == (1, 2)


def test_who_may_only_look_asks_for_no_preview(both: Served) -> None:
    routes = {(one.method, one.path): one for one in RoutingEndpoints(both.application.replica).routes()}
    assert routes["POST", "/v2/routing/preview"].permission is Permission.OPERATE


def test_what_the_document_in_force_names_is_unloaded_only_once_another_is(both: Served) -> None:
    assert both.request("PUT", "/v2/routing", content=TO_ONE).status_code == 200
    path, one = "/v2/repository/models/fraud/unload", {"parameters": {"version": 1}}
    assert both.post(path, json=one).status_code == 409
    assert served_of(both, "ana")[0] == "1"
    assert both.request("PUT", "/v2/routing", content=f"{SCHEMA}routes: {{}}").status_code == 200
    assert both.post(path, json=one).status_code == 200


def test_a_change_may_name_what_it_replaces(both: Served) -> None:
    answer = both.request("PUT", "/v2/routing", content=TO_ONE, headers={"if-match": f'"{EMPTY.digest}"'})
    assert answer.status_code == 200


def test_a_file_is_followed_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "routing.yaml"
    file.write_text(CANARY % 0)
    server = Served("--serve", "fraud=2", "--routing", str(file))
    replica = server.application.replica
    assert replica.routing_file is not None
    assert {served_of(server, str(user))[0] for user in range(10)} == {"1"}
    file.write_text("schema: maestro.routing/1\nroutes: [")
    for _ in range(3):
        replica.routing_file.read(replica.router)
    assert {served_of(server, str(user))[0] for user in range(10)} == {"1"}
    assert [line["message"] for line in server.lines].count("routing refused") == 1
    assert server.get("/v2/health/ready").status_code == 200  # what was in force still is
    file.write_text(TO_ONE)
    replica.routing_file.read(replica.router)
    assert server.get("/v2/routing").json()["source"] == str(file)
    assert served_of(server, "0")[1] == "default"


def test_what_the_admin_api_wrote_is_read_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "routing.yaml"
    file.write_text(CANARY % 0)
    server = Served("--serve", "fraud=2", "--routing", str(file))
    shadow = "{model: fraud, version: 2, share: 0.00005, tolerance: 1e-5}"
    default = "{constant: {word: {datatype: BYTES, value: '1e-5 \U0001f600\u202e'}}}"
    document = (
        f"{SCHEMA}routes: {{fraud: {{to: {{first: [{{model: fraud}}, {default}]}}, shadow: {shadow}}}}}"
    )
    put = server.request("PUT", "/v2/routing", content=document)
    assert put.status_code == 200
    again = Served("--serve", "fraud=2", "--routing", str(file))
    assert again.get("/v2/health/ready").status_code == 200
    assert again.get("/v2/routing").json()["digest"] == put.json()["digest"]
    told = json.dumps(again.get("/v2/routing").json()["document"], ensure_ascii=False)
    assert server.request("PUT", "/v2/routing", content=told).status_code == 200


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), Path.mkdir])
def test_what_is_no_regular_file_is_refused_and_not_waited_for(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    file = tmp_path / "routing.yaml"
    file.write_text(TO_ONE)
    server = Served("--routing", str(file))
    replica = server.application.replica
    assert replica.routing_file is not None
    file.unlink()
    make(file)
    for _ in range(2):
        replica.routing_file.read(replica.router)
    assert served_of(server, "0")[1] == "default"
    assert [line["message"] for line in server.lines].count("routing refused") == 1
    again = Served("--routing", str(file))
    assert again.get("/v2/health/ready").status_code == 503


def test_a_file_that_was_never_right_keeps_the_server_unready(tmp_path: Path) -> None:
    file = tmp_path / "routing.yaml"
    file.write_text(SCHEMA + "routes: {fraud: {to: {model: fraud, version: 2}}}")
    server = Served("--routing", str(file))
    ready = server.get("/v2/health/ready")
    assert ready.status_code == 503
    assert "version 2 is not served" in ready.json()["error"]


def test_a_link_is_followed_when_read_and_neither_replaced_nor_written_through(tmp_path: Path) -> None:
    target, link = tmp_path / "another", tmp_path / "routing.yaml"
    target.write_text(TO_ONE, encoding="utf-8")
    link.symlink_to(target)
    server = Served("--serve", "fraud=2", "--routing", str(link))
    before = server.get("/v2/routing").json()
    assert before["document"]["routes"]
    for content in (TO_ONE, "elsewhere"):  # a link to what is no routing is no different
        target.write_text(content, encoding="utf-8")
        refused = server.request("PUT", "/v2/routing", content=CANARY % 1)
        assert refused.status_code == 409
        assert "which is a link: change what it links to" in refused.json()["error"]
        assert (link.readlink(), target.read_text(encoding="utf-8")) == (target, content)
    assert server.get("/v2/routing").json() == before


def test_what_the_admin_puts_in_force_is_kept_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "routing.yaml"
    server = Served("--serve", "fraud=2", "--routing", str(file))
    put = server.request("PUT", "/v2/routing", content=TO_ONE)
    assert put.status_code == 200
    assert read_routing(file.read_text(), "kept") == read_routing(TO_ONE, "put")
    assert Served("--routing", str(file)).get("/v2").json()["routing"] == put.json()["digest"]
