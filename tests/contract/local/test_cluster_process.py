"""The process of the light cluster: how it starts, ends, and starts again."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from maestro_cli.core.errors import ExitCode
from maestro_cli.local.process import read_announcement, ready_file

pytestmark = pytest.mark.contract
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def run(port: int = 0) -> subprocess.Popen[str]:
        state = tmp_path / "state"
        command = [sys.executable, "-m", "maestro_cli.local.cluster", "--state", str(state)]
        ready_file(state, "cluster").unlink(missing_ok=True)
        process = subprocess.Popen([*command, "--port", str(port)], stderr=subprocess.PIPE, text=True)
        started.append(process)
        waiter = threading.Event()
        for _ in range(9000):
            if read_announcement(state, "cluster") or process.poll() is not None:
                break
            waiter.wait(0.01)
        return process

    try:
        yield run
    finally:
        for process in started:
            process.kill()
            process.communicate()


def _client(state: Path) -> httpx.Client:
    user = json.loads((state / "admin.kubeconfig").read_text())["users"][0]["user"]
    facts = read_announcement(state, "cluster")
    assert facts is not None
    return httpx.Client(
        base_url=facts["url"],
        headers={"Authorization": f"Bearer {user['token']}"},
        verify=ssl.create_default_context(cafile=str(state / "pki" / "ca.crt")),
        trust_env=False,
        timeout=60,
    )


def test_a_signal_ends_it_and_its_watches(start: Start, tmp_path: Path) -> None:
    process = start()
    with (
        _client(tmp_path / "state") as client,
        client.stream("GET", "/api/v1/namespaces", params={"watch": "true"}) as watch,
    ):
        lines = watch.iter_lines()
        assert json.loads(next(lines))["type"] == "ADDED"
        process.terminate()
        assert all(json.loads(line)["type"] == "ADDED" for line in lines)
    assert process.wait(60) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""


def test_after_a_restart_old_versions_are_gone_and_tokens_are_not(start: Start, tmp_path: Path) -> None:
    first = start()
    with _client(tmp_path / "state") as client:
        old = client.get("/api/v1/namespaces").json()["metadata"]["resourceVersion"]
    first.terminate()
    first.wait(60)
    start()
    with _client(tmp_path / "state") as client:
        told = client.get("/api/v1/namespaces", params={"watch": "true", "resourceVersion": old}).json()
        assert (told["type"], told["object"]["code"]) == ("ERROR", 410)


def test_a_taken_port_is_told_in_a_line(start: Start, tmp_path: Path) -> None:
    start()
    facts = read_announcement(tmp_path / "state", "cluster")
    assert facts is not None
    second = start(facts["port"])
    assert second.wait(60) == ExitCode.UNREACHABLE
    assert second.stderr is not None
    assert second.stderr.read().count("\n") == 1
