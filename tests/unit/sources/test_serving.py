"""Open Inference Protocol v2: what is sent, and what each answer becomes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.core.errors import MaestroError, NotFound, OutcomeUnknown, Refused, Unreachable, UsageError
from maestro_cli.core.facts.inference import ModelVersion, Tensor
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.sources.serving import InferenceServer, tensor


def server(handler: Callable[[httpx.Request], httpx.Response]) -> InferenceServer:
    return InferenceServer(Endpoint("http://serving.test/base/"), transport=httpx.MockTransport(handler))


def test_infer_sends_tensors_and_says_who_answered() -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        outputs = [{"name": "p", "shape": [1], "datatype": "FP32", "data": [0.5]}]
        body = {"model_name": "fraud", "model_version": "2", "outputs": outputs, "id": "x"}
        return httpx.Response(200, json=body, headers={"x-maestro-served": "fraud@2#abc; route=stable\x7f"})

    answer = server(handle).infer(
        "fr/aud", {"x": [[1.0, 2]], "raw": Tensor("BYTES", (1,), ("a",))}, version="2"
    )
    assert seen[0].url.raw_path == b"/base/v2/models/fr%2Faud/versions/2/infer"
    assert json.loads(seen[0].content)["inputs"] == [
        {"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1.0, 2]},
        {"name": "raw", "shape": [1], "datatype": "BYTES", "data": ["a"]},
    ]
    assert (answer.model, answer.version, answer.outputs) == ("fraud", "2", {"p": (0.5,)})
    assert answer.served_by.startswith("fraud@2#abc")
    assert isinstance(answer.served_by, Untrusted)
    assert answer.seconds >= 0


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "shape"}, UsageError),
        (422, {"error": "datatype"}, UsageError),
        (404, {"error": "no model"}, NotFound),
        (404, "<html>", Unreachable),
        (403, {"error": "no"}, Refused),
        (503, {"error": "draining"}, Unreachable),
        (200, {"outputs": 5}, Unreachable),
    ],
)
def test_each_answer_becomes_its_error(status: int, body: Any, kind: type[MaestroError]) -> None:
    source = server(lambda _: httpx.Response(status, json=body))
    with pytest.raises(kind) as caught:
        source.infer("fraud", {"x": [1]})
    assert not isinstance(caught.value, OutcomeUnknown)


def test_index_health_and_check() -> None:
    entries = [
        {"name": "fraud", "version": 2, "state": "LOADING", "reason": "r"},
        {"name": "fraud", "version": "1"},
    ]

    def handle(request: httpx.Request) -> httpx.Response:
        match request.url.path.removeprefix("/base"):
            case "/v2/repository/index":
                assert request.method == "POST"
                return httpx.Response(200, json=entries)
            case "/v2/health/ready":
                return httpx.Response(503)
            case "/v2":
                return httpx.Response(200, json={"name": "maestro", "version": "1", "extensions": ["a"]})
        return httpx.Response(200)

    source = server(handle)
    versions = source.index()
    assert versions == (ModelVersion("fraud", "1", "READY"), ModelVersion("fraud", "2", "LOADING", "r"))
    assert (source.live(), source.ready()) == (True, False)
    assert source.metadata().extensions == ["a"]
    check = source.check()
    assert (check.ok, check.version) == (False, "")


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ([1, 2], ("INT64", (2,))),
        ([[1.5], [2]], ("FP32", (2, 1))),
        ([True], ("BOOL", (1,))),
        ([["a", "b"]], ("BYTES", (1, 2))),
    ],
)
def test_nested_lists_become_tensors(data: list[Any], wanted: tuple[str, tuple[int, ...]]) -> None:
    made = tensor(data)
    assert (made.datatype, made.shape) == wanted


@pytest.mark.parametrize("data", [[], [[]], [[1], [2, 3]], [1, "a"], [[1], 2], [float("nan")], [{}]])
def test_what_is_no_tensor_is_a_usage_error(data: list[Any]) -> None:
    with pytest.raises(UsageError):
        tensor(data)
