"""The model server as a process: it starts as it is told, drains, and ends as its signals say."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.contract.serving.process import GOOD, MODELS, ROOT, Server, until

pytestmark = pytest.mark.contract


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


@pytest.mark.parametrize(("make", "why"), [(os.mkfifo, "Not a regular file"), (Path.mkdir, "Is a directory")])
def test_keys_that_cannot_be_read_are_one_line_that_says_why_and_code_3(
    tmp_path: Path, make: Callable[[Path], None], why: str
) -> None:
    make(tmp_path / "keys.yaml")
    arguments = ["--port", "0", "--models", str(MODELS), "--lazy", "--keys", str(tmp_path / "keys.yaml")]
    ended = subprocess.run(
        [sys.executable, "-m", "maestro_cli.serving", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 3
    [line] = [json.loads(text) for text in ended.stderr.splitlines()]
    assert (line["message"], line["why"]) == ("cannot start", why)


def test_a_taken_port_is_one_line_and_code_12(server: Server) -> None:
    arguments = ["--port", str(server.port), "--models", str(MODELS), "--serve", "fraud=1"]
    ended = subprocess.run(
        [sys.executable, "-m", "maestro_cli.serving", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert ended.returncode == 12
    assert json.loads(ended.stderr.splitlines()[-1])["message"] == "cannot listen"
    assert "Traceback" not in ended.stderr
