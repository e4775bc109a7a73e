"""Clusters for the contract suite: each test gets a namespace of its own on every kind of cluster."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from maestro_cli.local.process import read_announcement

Connect = Callable[[str], httpx.Client]
KUBECTL = Path(sys.executable).with_name("kubectl")
# Small, so that a test can outrun it and be told 410.
HISTORY = 600


def _start_lite(state: Path) -> subprocess.Popen[bytes]:
    state.mkdir()
    with (state / "cluster.log").open("wb") as log:
        command = [sys.executable, "-m", "maestro_cli.local.cluster"]
        process = subprocess.Popen(
            [*command, "--state", str(state), "--history", str(HISTORY)], stdout=log, stderr=log
        )
    waiter = threading.Event()
    for _ in range(1000):
        if read_announcement(state, "cluster") or process.poll() is not None:
            break
        waiter.wait(0.01)
    return process


@pytest.fixture(scope="session", params=["lite"])
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state folder of a running cluster, with a kubeconfig for each identity."""
    state = tmp_path_factory.mktemp("cluster") / "state"
    process = _start_lite(state)
    try:
        assert read_announcement(state, "cluster"), (state / "cluster.log").read_text()
        yield state
        log = (state / "cluster.log").read_text()
        assert "Traceback" not in log, log
    finally:
        process.terminate()
        process.wait(5)


@pytest.fixture(scope="session")
def connect(cluster: Path) -> Iterator[Connect]:
    """HTTP clients with the identity's token."""
    opened: list[httpx.Client] = []

    def client(identity: str) -> httpx.Client:
        config = json.loads((cluster / f"{identity}.kubeconfig").read_text())
        context = ssl.create_default_context(cafile=str(cluster / "pki" / "ca.crt"))
        opened.append(
            httpx.Client(
                base_url=config["clusters"][0]["cluster"]["server"],
                verify=context,
                headers={"Authorization": f"Bearer {config['users'][0]['user']['token']}"},
                timeout=20,
                trust_env=False,
            )
        )
        return opened[-1]

    yield client
    for one in opened:
        one.close()


@pytest.fixture(scope="session")
def http(connect: Connect) -> httpx.Client:
    """The administrator's client."""
    return connect("admin")


@pytest.fixture
def namespace(http: httpx.Client) -> Iterator[str]:
    name = f"t-{uuid.uuid4().hex[:8]}"
    made = http.post("/api/v1/namespaces", json={"metadata": {"name": name}})
    assert made.status_code == 201, made.text
    yield name
    http.delete(f"/api/v1/namespaces/{name}", params={"gracePeriodSeconds": "0"})


@pytest.fixture
def kubectl(cluster: Path, tmp_path: Path, namespace: str) -> Callable[..., str]:
    """Runs stock kubectl in the test's namespace; `fails=True` expects an error and answers with it."""

    def run(*words: str, identity: str = "admin", given: str | None = None, fails: bool = False) -> str:
        environment = {
            **os.environ,
            "KUBECONFIG": str(cluster / f"{identity}.kubeconfig"),
            "KUBECACHEDIR": str(tmp_path / "cache"),
            "HOME": str(tmp_path),
        }
        done = subprocess.run(
            [str(KUBECTL), "--namespace", namespace, *words],
            env=environment, input=given, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        told = done.stdout + done.stderr
        assert (done.returncode != 0) is fails, f"kubectl {' '.join(words)}: {told}"
        return told

    return run


@pytest.fixture
def deployment() -> dict[str, Any]:
    """A Deployment `web` of three."""
    container = {"name": "server", "image": "x:1", "ports": [{"name": "http", "containerPort": 8080}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [container]},
            },
        },
    }


@pytest.fixture
def pod() -> Callable[..., dict[str, Any]]:
    def make(name: str, **labels: str) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": labels},
            "spec": {"containers": [{"name": "c", "image": "x:1"}]},
        }

    return make
