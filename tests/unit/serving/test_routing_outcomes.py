"""A routed request is counted and named by what answered it, in a bounded number of series."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from maestro_cli.serving.errors import ModelError
from maestro_cli.serving.execution.batching import Feed
from maestro_cli.serving.models.artefact import Halt
from maestro_cli.serving.models.repository import Entry
from maestro_cli.serving.protocol.tensors import Array
from maestro_cli.serving.routing.trail import Trail
from maestro_cli.serving.telemetry import metrics
from maestro_cli.serving.telemetry.metrics import Metrics
from tests.unit.serving.served import FEATURES, Served, request

CONSTANT = "constant: {score: {datatype: FP32, value: 0.5}}"


@pytest.fixture
def both() -> Served:
    """fraud 1 answers, fraud 2 fails."""

    def run(feed: Feed, outputs: Sequence[str], halt: Halt | None = None) -> list[Array]:
        raise ModelError("it is broken")

    server = Served("--serve", "fraud=2")
    model = server.application.replica.repository.find("fraud", "2").model
    assert model is not None
    model.run = run  # type: ignore[method-assign]
    return server


def put(server: Served, node: str) -> None:
    document = f"schema: maestro.routing/1\nroutes: {{fraud: {{to: {node}}}}}"
    assert server.request("PUT", "/v2/routing", content=document).status_code == 200


def counted(server: Served, series: str) -> list[str]:
    """The lines of a counter that are not 0."""
    page = server.get("/metrics").text
    return [line for line in page.splitlines() if line.startswith(series) and not line.endswith(" 0.0")]


def test_a_constant_that_stands_in_is_not_taken_for_the_version_that_failed(both: Served) -> None:
    put(both, f"{{first: [{{model: fraud, version: 2}}, {{{CONSTANT}}}]}}")
    answer = both.infer(request())
    assert (answer.status_code, answer.json()["parameters"]["served"]) == (200, "")
    assert "x-maestro-served" not in answer.headers
    [line] = counted(both, "maestro_inference_requests_total")
    assert 'model="fraud",route="after-1/constant",version="constant"} 1.0' in line
    assert counted(both, "maestro_inference_fallbacks_total") == [
        'maestro_inference_fallbacks_total{code="500",model="fraud",version="2"} 1.0'
    ]


def test_a_constant_alone_is_counted_as_one(both: Served) -> None:
    put(both, f"{{{CONSTANT}}}")
    assert both.infer(request()).status_code == 200
    assert counted(both, "maestro_inference_requests_total") == [
        'maestro_inference_requests_total{code="200",model="fraud",route="constant",version="constant"} 1.0'
    ]


def test_a_fallback_counts_for_the_version_that_answered_and_its_failure_for_the_other(both: Served) -> None:
    chain = "{chain: [{to: {model: fraud, version: 1}}, {to: {model: fraud, version: 2}}]}"
    put(both, f"{{first: [{chain}, {{model: fraud, version: 1}}]}}")
    answer = both.infer(request())
    assert answer.json()["model_version"] == "1"
    assert answer.headers["x-maestro-served"].startswith("fraud@1#")
    assert "," not in answer.headers["x-maestro-served"]
    assert counted(both, "maestro_inference_requests_total") == [
        'maestro_inference_requests_total{code="200",model="fraud",route="after-1",version="1"} 1.0'
    ]
    assert counted(both, "maestro_inference_fallbacks_total") == [
        'maestro_inference_fallbacks_total{code="500",model="fraud",version="2"} 1.0'
    ]


def test_when_every_node_fails_the_last_one_is_named_and_those_before_it_counted(both: Served) -> None:
    put(both, "{first: [{model: fraud, version: 2}, {model: fraud, version: 2}]}")
    answer = both.infer(request())
    assert answer.status_code == 500
    assert answer.headers["x-maestro-served"].startswith("fraud@2#")
    assert counted(both, "maestro_inference_fallbacks_total")[0].endswith(" 1.0")


def test_the_ways_of_spread_rows_make_one_series() -> None:
    server = Served()
    cases = ", ".join(
        f"{{name: p-{number}, when: 'purpose == {number}', to: {{model: fraud, version: 1}}}}"
        for number in range(5)
    )
    put(server, f"{{switch: {{cases: [{cases}], default: {{model: fraud, version: 1}}}}}}")
    for purposes in ([0, 1], [1, 2], [2, 3, 4], [3, 0]):
        count = len(purposes)
        body = request(
            {"shape": [count, len(FEATURES)], "data": FEATURES * count},
            {"shape": [count, 1], "data": purposes},
        )
        assert server.infer(body).status_code == 200
    assert counted(server, "maestro_inference_requests_total") == [
        'maestro_inference_requests_total{code="200",model="fraud",route="_mixed",version="1"} 4.0'
    ]


def test_there_are_no_more_routes_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "MAX_ROUTES", 5)
    told = Metrics()
    for number in range(20):
        told.observe(Trail(entry=Entry("m", 1), arms=[f"way-{number}"]), 200, 0.1)
    page = told.exposition("")[0].decode()
    found = [line for line in page.splitlines() if line.startswith("maestro_inference_requests_total")]
    assert len(found) == 3
    assert 'maestro_inference_requests_total{code="200",model="m",route="_other",version="1"} 18.0' in found
