"""The light cluster with 10,000 pods in it: lists, watches under 500 writes a second, a start, and rest."""

from __future__ import annotations

import json
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from maestro_cli.local.process import read_announcement, ready_file
from tests.bench.figures import Figure, scaled, seconds_of
from tests.bench.terminal import Failed

PODS, WRITERS = 10_000, 8
LISTS = 5
RATE, WATCHED_SECONDS = 500, 6.0
REST_SECONDS = 10.0
PATIENCE_SECONDS = 120.0
PATH = "/api/v1/namespaces/default/pods"
EVENTS = "/api/v1/namespaces/default/events"
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


def measure() -> list[Figure]:
    """One cluster process, filled once; then started again on what it kept."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        with _cluster(state) as (process, client):
            filled = seconds_of(lambda: _fill(state))
            plain = [seconds_of(lambda: _read(client, {})) for _ in range(LISTS)]
            table = [seconds_of(lambda: _read(client, TABLE)) for _ in range(LISTS)]
            delays = _delays(state)
            memory = process.memory_info().rss / 2**20
        started = time.monotonic()
        with _cluster(state) as (process, client):
            again = time.monotonic() - started
            _read(client, {})
            idle = _share(process)
    return [
        Figure(f"create {PODS} pods from {WRITERS} clients", "s", (filled,)),
        Figure(f"list {PODS} pods", "s", tuple(plain), 1),
        Figure(f"  as a table of {PODS} rows", "s", tuple(table), 1),
        Figure(
            f"a watch event at {RATE} writes/s with {PODS} pods, median",
            "ms",
            (statistics.median(delays) * 1000,),
            50,
            notes={"events": len(delays), "p99_ms": round(sorted(delays)[len(delays) * 99 // 100] * 1000, 1)},
        ),
        Figure("  the slowest hundredth", "ms", scaled([sorted(delays)[len(delays) * 99 // 100]], 1000)),
        Figure(f"start on {PODS} pods, until it answers", "s", (again,), 10),
        Figure("  at rest", "% core", (idle * 100,), 5),
        Figure("  memory after all of it", "MB", (memory,)),
    ]


@contextmanager
def _cluster(state: Path) -> Iterator[tuple[psutil.Process, httpx.Client]]:
    """A cluster process on the state folder, ready, and the administrator's client."""
    ready_file(state, "cluster").unlink(missing_ok=True)
    command = [sys.executable, "-m", "maestro_cli.local.cluster", "--state", str(state)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    deadline, pause = time.monotonic() + PATIENCE_SECONDS, threading.Event()
    try:
        while read_announcement(state, "cluster") is None:
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failed("the light cluster does not start")
            pause.wait(0.005)
        with _client(state) as client:
            yield psutil.Process(process.pid), client
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)


def _client(state: Path) -> httpx.Client:
    user = json.loads((state / "admin.kubeconfig").read_text())["users"][0]["user"]
    facts = read_announcement(state, "cluster")
    assert facts is not None
    context = ssl.create_default_context(cafile=str(state / "pki" / "ca.crt"))
    headers = {"Authorization": f"Bearer {user['token']}"}
    return httpx.Client(base_url=facts["url"], headers=headers, verify=context, trust_env=False, timeout=60)


def _pod(number: int) -> dict[str, Any]:
    container = {
        "name": "server", "image": "maestro.local/serving:1", "command": ["maestro", "serve"],
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": f"SETTING_{index}", "value": "x" * 20} for index in range(8)],
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
        "readinessProbe": {"httpGet": {"path": "/v2/health/ready", "port": "http"}, "periodSeconds": 2},
    }  # fmt: skip
    labels = {"app": f"app-{number % 100}", "pod-template-hash": f"{number % 100:010d}"}
    return {"metadata": {"name": f"pod-{number:05d}", "labels": labels}, "spec": {"containers": [container]}}


def _fill(state: Path) -> None:
    def work(first: int) -> None:
        with _client(state) as client:
            for number in range(first, PODS, WRITERS):
                if client.post(PATH, json=_pod(number)).status_code != 201:
                    raise Failed("a pod was not created")

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(work, range(WRITERS)))


def _read(client: httpx.Client, headers: dict[str, str]) -> None:
    """A whole list; it is not decoded, because that is the client's work."""
    answer = client.get("/api/v1/pods", headers=headers)
    if answer.status_code != 200 or answer.content.count(b'"pod-0') < PODS:
        raise Failed("the list is not whole")


def _delays(state: Path) -> list[float]:
    """Seconds from sending each write to seeing its event in a watch, while RATE writes a second go on."""
    sent: dict[str, float] = {}
    delays: list[float] = []
    total = int(RATE * WATCHED_SECONDS)
    following, done = threading.Event(), threading.Event()

    def follow() -> None:
        with _client(state) as client, client.stream("GET", EVENTS, params={"watch": "true"}) as answer:
            following.set()
            for line in answer.iter_lines():
                now = time.monotonic()
                name = json.loads(line)["object"]["metadata"]["name"]
                if name in sent:
                    delays.append(now - sent[name])
                if len(delays) >= total:
                    break
        done.set()

    def write(first: int) -> None:
        about = {"kind": "Pod", "name": "pod-00000", "namespace": "default", "apiVersion": "v1"}
        with _client(state) as client:
            for number in range(first, total, WRITERS):
                due = began + number / RATE
                if (early := due - time.monotonic()) > 0:
                    _PAUSE.wait(early)
                body = {"metadata": {"name": f"e.{number}"}, "involvedObject": about, "reason": "Tick"}
                sent[f"e.{number}"] = time.monotonic()
                if client.post(EVENTS, json=body | {"type": "Normal"}).status_code != 201:
                    raise Failed("an event was not created")

    reader = threading.Thread(target=follow, daemon=True)
    reader.start()
    if not following.wait(PATIENCE_SECONDS):
        raise Failed("the watch does not start")
    began = time.monotonic()
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    if not done.wait(PATIENCE_SECONDS):
        raise Failed(f"{total - len(delays)} events never came")
    return delays


_PAUSE = threading.Event()


def _share(process: psutil.Process) -> float:
    before = process.cpu_times()
    _PAUSE.wait(REST_SECONDS)
    after = process.cpu_times()
    return float(after.user + after.system - before.user - before.system) / REST_SECONDS
