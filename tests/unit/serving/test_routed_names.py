"""A name that a document routes has metadata and readiness, whether or not it is a model's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.serving.served import Served

ONE, TWO = "{model: fraud, version: 1}", "{model: fraud, version: 2}"
SPLIT = "{split: {arms: [{name: a, weight: %d, to: %s}, {name: b, weight: %d, to: %s}]}}"
CONSTANT = "{constant: {score: {datatype: FP32, value: 0.5}}}"


@pytest.fixture(scope="module")
def server() -> Served:
    return Served("--serve", "fraud=2", "--serve", "pricing=1")


def put(server: Served, name: str, to: str) -> None:
    document = f"schema: maestro.routing/1\nroutes: {{{name}: {{to: {to}}}}}"
    answer = server.request("PUT", "/v2/routing", content=document)
    assert answer.status_code == 200, answer.text


def told(server: Served, path: str) -> Any:
    answer = server.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def names(tensors: Any) -> list[str]:
    return [tensor["name"] for tensor in tensors]


@pytest.mark.parametrize(
    ("to", "models"),
    [
        (ONE, ["fraud@1"]),
        ("{model: fraud}", ["fraud@2"]),
        (SPLIT % (9, ONE, 1, TWO), ["fraud@1"]),
        (SPLIT % (1, ONE, 9, TWO), ["fraud@2"]),
        (f'{{switch: {{cases: [{{when: "purpose == 3", to: {TWO}}}], default: {ONE}}}}}', ["fraud@1"]),
        (f"{{first: [{TWO}, {ONE}]}}", ["fraud@2"]),
    ],
)
def test_a_routed_name_has_the_metadata_of_what_usually_answers(
    server: Served, to: str, models: list[str]
) -> None:
    put(server, "risk", to)
    model, route = told(server, "/v2/models/fraud"), told(server, "/v2/models/risk")
    assert (route["name"], route["versions"], route["routed_to"]) == ("risk", [], models)
    assert [route[key] for key in ("platform", "inputs", "outputs")] == [
        model[key] for key in ("platform", "inputs", "outputs")
    ]
    assert "routed_to" not in model
    assert told(server, "/v2/models/risk/config")["input"] == told(server, "/v2/models/fraud/config")["input"]
    assert told(server, "/v2/models/risk/ready") == {"name": "risk", "ready": True}
    assert told(server, "/v2/models")["models"] == ["fraud", "pricing", "risk"]
    assert server.get("/v2/models/risk/versions/1").status_code == 404
    assert server.get("/v2/models/other").status_code == 404


def test_a_chain_takes_what_no_step_before_gives_and_gives_what_its_last_one_does(server: Served) -> None:
    steps = f"{{to: {ONE}, give: {{score: measures}}}}, {{to: {{model: pricing, version: 1}}}}"
    put(server, "both", f"{{chain: [{steps}]}}")
    route = told(server, "/v2/models/both")
    assert names(route["inputs"]) == ["features", "purpose", "cut", "color", "clarity"]
    assert names(route["outputs"]) == ["price"]
    assert (route["platform"], route["routed_to"]) == ("maestro_routing", ["fraud@1", "pricing@1"])


def test_a_route_that_always_says_the_same_takes_nothing(server: Served) -> None:
    put(server, "same", CONSTANT)
    route = told(server, "/v2/models/same")
    assert (route["inputs"], route["routed_to"]) == ([], [])
    assert route["outputs"] == [{"name": "score", "datatype": "FP32", "shape": [-1]}]
    assert told(server, "/v2/models/same/ready")["ready"] is True


def test_a_model_that_is_routed_tells_of_the_version_that_answers(server: Served) -> None:
    put(server, "fraud", ONE)
    assert told(server, "/v2/models/fraud")["routed_to"] == ["fraud@1"]
    assert told(server, "/v2/models/fraud")["versions"] == ["1", "2"]
    assert "routed_to" not in told(server, "/v2/models/fraud/versions/2")


@pytest.mark.parametrize(
    ("to", "ready"),
    [
        (SPLIT % (9, ONE, 1, TWO), False),
        (SPLIT % (9, ONE, 0, TWO), True),
        (f'{{switch: {{cases: [{{when: "purpose == 3", to: {TWO}}}], default: {ONE}}}}}', False),
        (f"{{first: [{TWO}, {ONE}]}}", True),
        (f"{{first: [{TWO}, {TWO}]}}", False),
        (f"{{first: [{TWO}, {CONSTANT}]}}", True),
        (f"{{chain: [{{to: {ONE}}}, {{to: {TWO}}}]}}", False),
    ],
)
def test_a_route_is_ready_when_every_request_would_be_answered(to: str, ready: bool) -> None:
    server = Served("--serve", "fraud=2")
    put(server, "risk", to)
    lost = server.application.replica.repository.find("fraud", "2")
    lost.model = None
    lost.fail("its disk is gone")
    answer = server.get("/v2/models/risk/ready")
    assert (answer.status_code == 200, answer.json()["ready"]) == (ready, ready)
    assert ready or "fraud/2: its disk is gone" in answer.json()["error"]
    if ready and "fraud, version: 1" in to:
        assert told(server, "/v2/models/risk")["routed_to"] == ["fraud@1"]
    server.application.replica.draining = True
    assert "draining" in server.get("/v2/models/risk/ready").json()["error"]
