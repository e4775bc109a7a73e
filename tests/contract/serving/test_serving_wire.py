"""What the model server says on the wire: every route as the protocol has it, every error as JSON."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.serving.process import GOOD, MODELS, Server

pytestmark = pytest.mark.contract


def test_health_and_metadata(server: Server) -> None:
    get = server.http.get
    for path in ("/v2", "/v2/"):
        told = get(path).json()
        assert told.pop("routing").startswith("sha256:")
        assert len(told.pop("replica")) == 12
        assert told == {
            "name": "maestro",
            "version": "0.1.0",
            "extensions": [
                "model_repository",
                "model_configuration",
                "binary_tensor_data",
                "maestro_routing",
            ],
        }
    assert get("/v2/health/live").json() == {"live": True}
    assert get("/v2/health/ready").json() == {"live": True, "ready": True}
    assert get("/v2/models").json() == {"models": ["fraud"]}
    for path in ("/v2/models/fraud", "/v2/models/fraud/versions/1", "/v2/models/fraud/versions/2"):
        assert get(path).json() == {
            "name": "fraud",
            "versions": ["1", "2"],
            "platform": "onnx_onnxv1",
            "inputs": [
                {"name": "features", "datatype": "FP32", "shape": [-1, 9]},
                {"name": "purpose", "datatype": "INT64", "shape": [-1, 1]},
            ],
            "outputs": [
                {"name": "score", "datatype": "FP32", "shape": [-1]},
                {"name": "flagged", "datatype": "INT64", "shape": [-1]},
            ],
        }
        assert get(path + "/ready").json() == {"name": "fraud", "ready": True}
    assert server.http.head("/v2/health/live").status_code == 200


@pytest.mark.parametrize("content", [b"", b"{}", b'{"ready":true}'])
def test_repository_index(server: Server, content: bytes) -> None:
    assert server.http.post("/v2/repository/index", content=content).json() == [
        {"name": "fraud", "version": "1", "state": "READY", "reason": ""},
        {"name": "fraud", "version": "2", "state": "READY", "reason": ""},
    ]


def test_infer_names_who_answered(server: Server) -> None:
    for path, version in (("/v2/models/fraud", "2"), ("/v2/models/fraud/versions/1", "1")):
        answer = server.http.post(f"{path}/infer", json={**GOOD, "id": "a"})
        manifest = json.loads((MODELS / "fraud" / version / "manifest.json").read_text())
        assert answer.status_code == 200
        assert answer.headers["x-maestro-served"] == f"fraud@{version}#{manifest['digest'][7:15]}"
        assert {key: answer.json()[key] for key in ("model_name", "model_version", "id")} == {
            "model_name": "fraud",
            "model_version": version,
            "id": "a",
        }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v2/models/nope", 404),
        ("GET", "/v2/models/fraud/versions/3", 404),
        ("GET", "/v2/models/fraud/versions/3/ready", 404),
        ("POST", "/v2/models/nope/infer", 404),
        ("POST", "/v2/models/fraud/versions/01/infer", 404),
        ("GET", "/v2/models/..%2f..%2fetc/ready", 404),
        ("POST", "/v2", 405),
        ("GET", "/v2/repository/index", 405),
        ("GET", "/v2/models/fraud/infer", 405),
        ("DELETE", "/v2/models/fraud", 405),
        ("POST", "/v2/repository/models/fraud/unload", 400),
        ("POST", "/v2/repository/index", 400),
        ("POST", "/v2/models/fraud/infer", 400),
    ],
)
def test_every_error_is_json(server: Server, method: str, path: str, status: int) -> None:
    answer = server.http.request(method, path, content=b"[" if method == "POST" else None)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}
    assert answer.headers["content-type"] == "application/json"
    assert ("allow" in answer.headers) == (status == 405)


def test_bodies_are_bounded(server: Server) -> None:
    path = "/v2/models/fraud/infer"
    assert server.http.post(path, content=b"[" * 100_000).status_code == 400
    assert server.http.post(path, content=b" " * (4 * 1024 * 1024 + 1)).status_code == 413
    streamed = server.http.post(path, content=iter([b" " * 1024 * 1024] * 5))
    assert (streamed.status_code, set(streamed.json())) == (413, {"error"})
    longer = server.http.post(path, content=b"{}", headers={"Inference-Header-Content-Length": "3"})
    assert (longer.status_code, "1 to 2 here" in longer.json()["error"]) == (400, True)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=8), below, max_size=4),
    max_leaves=8,
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("name", "shape", "datatype", "data", "parameters"), JSON)
    ),
    JSON,
)
def test_hostile_tensors_are_the_clients_fault(server: Server, change: dict[str, Any], outputs: Any) -> None:
    body = {"inputs": [{**GOOD["inputs"][0], **change}, GOOD["inputs"][1]], "outputs": outputs}
    answer = server.http.post("/v2/models/fraud/versions/1/infer", content=json.dumps(body))
    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert set(answer.json()) == {"error"}


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.text(st.characters(codec="utf-8"), max_size=20), st.text("abc,;=/*q.", max_size=20))
def test_hostile_paths_and_accept_headers(server: Server, name: str, accept: str) -> None:
    path = "/v2/models/{0}/versions/{0}/infer".format(urllib.parse.quote(name, safe=""))
    assert server.http.post(path, content=b"{}").status_code == 404
    assert server.http.get("/metrics", headers={"accept": accept}).status_code == 200
