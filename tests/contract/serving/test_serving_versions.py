"""Versions of a running model server: which one answers, which fails, and what is counted of each."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from tests.contract.serving.process import GOOD, MODELS, NEWEST, TRAFFIC, Server, body_of, until
from tests.unit.serving.onnx_by_hand import looping_model

pytestmark = pytest.mark.contract


def errors_on_traffic(server: Server, version: str) -> list[httpx.Response]:
    answers = [
        server.http.post(f"/v2/models/fraud/versions/{version}/infer", json=body_of(row))
        for row in TRAFFIC["rows"]
    ]
    assert {answer.status_code for answer in answers} <= {200, 500}
    return [answer for answer in answers if answer.status_code == 500]


def failures_told(server: Server) -> list[dict[str, Any]]:
    return [line for line in server.lines if line["message"] == "inference failed"]


def test_version_2_fails_a_part_of_the_traffic_and_version_1_none(server: Server) -> None:
    before = server.samples()
    assert errors_on_traffic(server, "1") == []
    failed = errors_on_traffic(server, "2")
    assert 0.15 <= len(failed) / len(TRAFFIC["rows"]) <= 0.30
    assert all("out of data bounds" in answer.json()["error"] for answer in failed)
    after = server.samples()

    def grown(name: str, **labels: str) -> float:
        key = (name, frozenset({"model": "fraud", **labels}.items()))
        return after[key] - before[key]

    assert grown("maestro_inference_requests_total", version="2", code="500", route="direct") == len(failed)
    assert grown("maestro_inference_requests_total", version="1", code="500", route="direct") == 0
    assert grown("maestro_inference_requests_total", version="1", code="200", route="direct") == len(
        TRAFFIC["rows"]
    )
    assert grown("maestro_inference_duration_seconds_count", version="2") == len(TRAFFIC["rows"])
    until(lambda: len(failures_told(server)) >= len(failed))
    logged = failures_told(server)
    assert {"time", "level", "model", "version", "error", "request_id"} <= set(logged[-1])
    assert "out of data bounds" in logged[-1]["error"]


def test_metrics_are_openmetrics_when_asked_and_clients_make_no_series(server: Server) -> None:
    server.http.post("/v2/models/none/infer")
    before = set(server.samples())
    assert {"0.1", "0.2"} <= {dict(labels).get("le") for _, labels in before}
    for number in range(50):
        assert server.http.post(f"/v2/models/m{number}/versions/{number}/infer").status_code == 404
        assert server.http.post(f"/v2/models/fraud/versions/{number + 3}/infer").status_code == 404
    assert set(server.samples()) == before
    answer = server.http.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
    names = {family.name for family in parse_openmetrics(answer.text)}  # type: ignore[no-untyped-call]
    assert "maestro_model_info" in names
    assert "process_resident_memory_bytes" in answer.text or sys.platform != "linux"


def test_a_model_that_does_not_load_keeps_the_server_unready(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    shutil.copytree(MODELS / "fraud", tmp_path / "models" / "fraud")
    with (tmp_path / "models" / "fraud" / "2" / "model.onnx").open("ab") as file:
        file.write(b"\x32\x00")
    broken = start("--serve", "fraud=1", "--serve", "fraud=2", models=tmp_path / "models")
    assert broken.http.get("/v2/health/live").status_code == 200
    ready = broken.http.get("/v2/health/ready")
    assert (ready.status_code, ready.json()["ready"]) == (503, False)
    index = broken.http.post("/v2/repository/index").json()
    assert [(item["version"], item["state"]) for item in index] == [("1", "READY"), ("2", "UNAVAILABLE")]
    assert "digest" in index[1]["reason"]
    assert broken.http.post("/v2/repository/index", json={"ready": True}).json() == index[:1]
    older = broken.http.post("/v2/models/fraud/infer", json=GOOD)
    assert (older.status_code, older.json()["model_version"]) == (200, "1")
    assert broken.http.post("/v2/models/fraud/versions/2/infer", json=GOOD).status_code == 503
    assert broken.http.get("/v2/models/fraud/versions/2/ready").status_code == 503
    assert broken.http.post("/v2/models/fraud/versions/1/infer", json=GOOD).status_code == 200
    assert any(line["message"] == "model refused" and "digest" in line["error"] for line in broken.lines)


def test_versions_are_loaded_and_unloaded_while_requests_go_on(start: Callable[..., Server]) -> None:
    server = start("--serve", "fraud=1")
    stop = threading.Event()
    answers: list[tuple[int, str]] = []

    def client() -> None:
        with httpx.Client(base_url=server.http.base_url, timeout=20, trust_env=False) as http:
            while not stop.is_set():
                answer = http.post("/v2/models/fraud/infer", json=GOOD)
                answers.append((answer.status_code, answer.headers.get("x-maestro-served", "")[:7]))

    worker = threading.Thread(target=client)
    worker.start()
    try:
        for turn in range(5):
            loaded = server.http.post("/v2/repository/models/fraud/load")
            assert (loaded.status_code, loaded.json()["version"]) == (200, NEWEST)
            assert server.http.post("/v2/models/fraud/infer", json=GOOD).json()["model_version"] == NEWEST
            gone = server.http.post(
                "/v2/repository/models/fraud/unload", json={"parameters": {"version": int(NEWEST)}}
            )
            assert gone.json() == {"name": "fraud", "versions": [NEWEST], "unload": True}
            assert server.http.post("/v2/models/fraud/infer", json=GOOD).json()["model_version"] == "1"
            until(lambda turn=turn: len(answers) > 20 * turn)  # type: ignore[misc]
    finally:
        stop.set()
        worker.join()
    assert {code for code, _ in answers} == {200}
    assert {served for _, served in answers} == {"fraud@1", f"fraud@{NEWEST}"}
    index = server.http.post("/v2/repository/index").json()
    assert index[1] == {"name": "fraud", "version": NEWEST, "state": "UNAVAILABLE", "reason": "unloaded"}
    for body in ({"parameters": {"config": "{}"}}, {"parameters": {"file:3/model.onnx": "AA=="}}):
        refused = server.http.post("/v2/repository/models/fraud/load", json=body)
        assert refused.status_code == 400
        assert "model folder alone" in refused.json()["error"]


def test_a_request_that_makes_its_model_endless_holds_up_nobody_else(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    """On the event loop neither it nor anybody after it would ever be answered, nor on its one thread."""
    models = tmp_path / "models"
    shutil.copytree(MODELS / "fraud", models / "fraud")
    looping_model(models, "loops")
    server = start("--serve", "loops=1", "--serve", "fraud=1", "--workers", "1", models=models)

    def ask(turns: float, microseconds: int) -> httpx.Response:
        tensor = {"name": "x", "datatype": "FP32", "shape": [1, 1], "data": [turns]}
        body = {"inputs": [tensor], "parameters": {"timeout": microseconds}}
        return server.http.post("/v2/models/loops/infer", json=body, timeout=90)

    assert ask(3.0, 60_000_000).json()["outputs"][0]["data"] == [3.0]
    assert ask(1e12, 300_000).status_code == 504
    assert server.is_ready()
    assert server.http.post("/v2/models/fraud/infer", json=GOOD).status_code == 200
    until(
        lambda: ask(4.0, 60_000_000).status_code == 200
    )  # the run that nobody waits for gives its thread back
