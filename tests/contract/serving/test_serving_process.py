"""The model server as a process: every route, the shipped versions on their traffic, metrics, drain."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

pytestmark = pytest.mark.contract

ROOT = Path(__file__).resolve().parents[3]
MODELS = ROOT / "deploy" / "models"
TRAFFIC = json.loads((MODELS / "fraud" / "traffic.json").read_text())


def until(condition: Callable[[], bool], seconds: float = 90.0) -> None:
    """Wait for a condition; fails after that time."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        pause.wait(0.01)


class Server:
    """One real server process on a port of the system's choosing; stderr goes to a file."""

    def __init__(self, folder: Path, *arguments: str, models: Path = MODELS) -> None:
        self.announcement = folder / "announce.json"
        self.stderr = folder / "stderr.log"
        self.key = folder / "key"
        command = [sys.executable, "-m", "maestro_cli.serving", "--port", "0", "--models", str(models)]
        with self.stderr.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--announce", str(self.announcement), "--generate-key", str(self.key), *arguments],
                cwd=ROOT,
                stderr=log,
            )
        try:
            until(lambda: self.announcement.exists() or self.process.poll() is not None)
            assert self.process.poll() is None, self.stderr.read_text()
            facts = json.loads(self.announcement.read_text())
        except BaseException:
            self.end()
            raise
        assert facts["pid"] == self.process.pid
        self.port: int = facts["port"]
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(
            base_url=self.url, timeout=10, headers={"x-api-key": self.key.read_text().strip()}
        )

    def end(self) -> None:
        if hasattr(self, "http"):
            self.http.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(60)

    def tell(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stderr.read_text().splitlines()]

    def samples(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        page = self.http.get("/metrics").text
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in parse_text(page)
            for sample in family.samples
            if sample.name.startswith("maestro_")
        }

    def is_ready(self) -> bool:
        return self.http.get("/v2/health/ready").status_code == 200


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("server"), "--serve", "fraud=1", "--serve", "fraud=2")
    try:
        yield running
    finally:
        running.end()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    running: list[Server] = []

    def starter(*arguments: str, models: Path = MODELS) -> Server:
        running.append(Server(tmp_path, *arguments, models=models))
        return running[-1]

    try:
        yield starter
    finally:
        for one in running:
            one.end()


def body_of(row: dict[str, list[float]], **members: Any) -> dict[str, Any]:
    inputs = [{**tensor, "data": row[tensor["name"]]} for tensor in TRAFFIC["inputs"]]
    return {"inputs": inputs, **members}


GOOD = body_of(next(row for row in TRAFFIC["rows"] if row["purpose"] == [3]))


def test_health_and_metadata(server: Server) -> None:
    get = server.http.get
    for path in ("/v2", "/v2/"):
        told = get(path).json()
        assert told.pop("routing").startswith("sha256:")
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
            assert (loaded.status_code, loaded.json()["version"]) == (200, "2")
            assert server.http.post("/v2/models/fraud/infer", json=GOOD).json()["model_version"] == "2"
            gone = server.http.post("/v2/repository/models/fraud/unload", json={"parameters": {"version": 2}})
            assert gone.json() == {"name": "fraud", "versions": ["2"], "unload": True}
            assert server.http.post("/v2/models/fraud/infer", json=GOOD).json()["model_version"] == "1"
            until(lambda turn=turn: len(answers) > 20 * turn)  # type: ignore[misc]
    finally:
        stop.set()
        worker.join()
    assert {code for code, _ in answers} == {200}
    assert {served for _, served in answers} == {"fraud@1", "fraud@2"}
    index = server.http.post("/v2/repository/index").json()
    assert index[1] == {"name": "fraud", "version": "2", "state": "UNAVAILABLE", "reason": "unloaded"}
    for body in ({"parameters": {"config": "{}"}}, {"parameters": {"file:3/model.onnx": "AA=="}}):
        refused = server.http.post("/v2/repository/models/fraud/load", json=body)
        assert refused.status_code == 400
        assert "model folder alone" in refused.json()["error"]


class SlowRequest:
    """An inference request whose last byte is held back."""

    def __init__(self, server: Server) -> None:
        self._body = json.dumps(GOOD).encode()
        head = f"POST /v2/models/fraud/infer HTTP/1.1\r\nhost: x\r\ncontent-length: {len(self._body)}\r\n\r\n"
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        self._socket.sendall(head.encode() + self._body[:-1])

    def finish(self) -> str:
        with self._socket:
            self._socket.sendall(self._body[-1:])
            return self._socket.recv(4096).decode()


def refuses_connections(server: Server) -> bool:
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    return False


def test_drains_under_load_without_losing_a_request(start: Callable[..., Server]) -> None:
    server = start("--serve", "fraud=1", "--drain-seconds", "5")  # on a busy machine one is too short
    stop = threading.Event()
    statuses: list[int] = []
    failures: list[httpx.HTTPError] = []

    def client() -> None:
        with httpx.Client(base_url=server.url, timeout=60) as http:
            while not stop.is_set():
                try:
                    statuses.append(http.post("/v2/models/fraud/infer", json=GOOD).status_code)
                except httpx.HTTPError as error:
                    failures.append(error)

    clients = [threading.Thread(target=client) for _ in range(4)]
    slow = SlowRequest(server)
    for thread in clients:
        thread.start()
    try:
        until(lambda: len(statuses) > 50)
        server.tell(signal.SIGTERM)
        until(lambda: not server.is_ready())
        draining = server.http.post("/v2/models/fraud/infer", json=GOOD)
        assert (draining.status_code, draining.headers["connection"]) == (200, "close")
        assert server.http.get("/v2/health/live").status_code == 200
        served_at_503 = len(statuses)
        until(lambda: len(statuses) > served_at_503 + 4)
    finally:
        stop.set()  # what a load balancer does once readiness is 503
        for thread in clients:
            thread.join(60)
    until(lambda: refuses_connections(server))
    assert server.process.poll() is None  # one request is still in flight
    assert slow.finish().startswith("HTTP/1.1 200")
    assert server.process.wait(60) == 0
    assert (failures, set(statuses)) == ([], {200})
    assert [line["message"] for line in server.lines[-2:]] == ["draining", "stopped"]


def test_sigint_ends_it_with_0_and_a_second_signal_at_once(start: Callable[..., Server]) -> None:
    polite = start("--serve", "fraud=1", "--drain-seconds", "0")
    polite.tell(signal.SIGINT)
    assert polite.process.wait(60) == 0
    polite.announcement.unlink()
    impatient = start("--serve", "fraud=1", "--drain-seconds", "120")
    impatient.tell(signal.SIGTERM)
    until(lambda: not impatient.is_ready())
    impatient.tell(signal.SIGTERM)
    assert impatient.process.wait(60) == 143


def test_a_taken_port_is_one_line_and_code_12(server: Server) -> None:
    arguments = ["--port", str(server.port), "--models", str(MODELS), "--serve", "fraud=1"]
    ended = subprocess.run(
        [sys.executable, "-m", "maestro_cli.serving", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert ended.returncode == 12
    assert json.loads(ended.stderr.splitlines()[-1])["message"] == "cannot listen"
    assert "Traceback" not in ended.stderr
