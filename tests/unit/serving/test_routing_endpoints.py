"""The document in force: who answers, how it is changed, and what a change would do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.serving.routing.document import EMPTY
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


def test_a_file_that_was_never_right_keeps_the_server_unready(tmp_path: Path) -> None:
    file = tmp_path / "routing.yaml"
    file.write_text(SCHEMA + "routes: {fraud: {to: {model: fraud, version: 2}}}")
    server = Served("--routing", str(file))
    ready = server.get("/v2/health/ready")
    assert ready.status_code == 503
    assert "version 2 is not served" in ready.json()["error"]


def test_what_the_admin_puts_in_force_is_kept_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "routing.yaml"
    server = Served("--serve", "fraud=2", "--routing", str(file))
    put = server.request("PUT", "/v2/routing", content=TO_ONE)
    assert put.status_code == 200
    assert json.loads(file.read_text())["routes"] == {"fraud": {"to": {"model": "fraud", "version": 1}}}
    assert Served("--routing", str(file)).get("/v2").json()["routing"] == put.json()["digest"]
