"""A full cluster: nodes in three zones and thousands of pods that say they run.

Invariant: the objects are those a cluster holds (owner, probes, resources, conditions, container statuses),
made through the API that is measured afterwards; nothing runs.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.bench.control_plane import RunningPlane
from tests.bench.terminal import Failed

NODES = 100
NAMESPACES = 10
MODELS = 97
THREADS = 16
AT = "2026-01-01T00:00:00Z"


class Writer:
    """Creates objects from many threads; raises Failed for what the server refuses."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def send(self, method: str, path: str, body: Any) -> None:
        """One write."""
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise Failed(f"{method} {path}: {error}") from error
        if answer.status_code not in (200, 201):
            raise Failed(f"{method} {path}: HTTP {answer.status_code} {answer.content[:300]!r}")


def populate(plane: RunningPlane, pods: int) -> frozenset[tuple[str, str]]:
    """Fill an empty cluster; the namespaces and names of its pods."""
    names = [f"model-{number % MODELS:02d}-{number:05d}" for number in range(pods)]
    made = [(_namespace(number % NAMESPACES), name) for number, name in enumerate(names)]
    headers = {"Authorization": f"Bearer {plane.token}"}
    trusting = ssl.create_default_context(cafile=plane.authority)
    with httpx.Client(
        base_url=plane.server, headers=headers, verify=trusting, timeout=60, trust_env=False
    ) as client:
        writer = Writer(client)
        for number in range(NAMESPACES):
            writer.send("POST", "/api/v1/namespaces", {"metadata": {"name": _namespace(number)}})
        _all(lambda number: _make_node(writer, number), range(NODES))
        _all(lambda number: _make_pod(writer, made[number], number), range(pods))
    return frozenset(made)


def _namespace(number: int) -> str:
    return f"team-{number}"


def _all(make: Callable[[int], None], numbers: Iterable[int]) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        done: Iterator[None] = pool.map(make, numbers)
        for _ in done:
            pass


def _make_node(writer: Writer, number: int) -> None:
    labels = {
        "topology.kubernetes.io/zone": f"zone-{'abc'[number % 3]}",
        "kubernetes.io/hostname": f"node-{number:03d}",
    }
    node = {"metadata": {"name": f"node-{number:03d}", "labels": labels}}
    writer.send("POST", "/api/v1/nodes", node)


def _make_pod(writer: Writer, place: tuple[str, str], number: int) -> None:
    namespace, name = place
    path = f"/api/v1/namespaces/{namespace}/pods"
    body = pod(name, number)
    writer.send("POST", path, body)
    writer.send("PUT", f"{path}/{name}/status", {**body, "status": running(number)})


def pod(name: str, number: int) -> dict[str, Any]:
    """A replica of a model server as a Deployment makes it."""
    model = f"model-{number % MODELS:02d}"
    labels = {
        "app": model,
        "pod-template-hash": f"{number % MODELS:08x}",
        "team": f"team-{number % NAMESPACES}",
    }
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{model}-{number % MODELS:08x}",
             "uid": f"00000000-0000-4000-8000-{number % MODELS:012d}", "controller": True}  # fmt: skip
    probe = {"httpGet": {"path": "/v2/health/ready", "port": "http"}, "periodSeconds": 5}
    container = {
        "name": "server",
        "image": f"registry.example.test/models/{model}:1.{number % 7}",
        "args": ["--host", "$(POD_IP)", "--port", "8080", "--serve", f"{model}={number % 7}"],
        "env": [{"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": probe,
        "livenessProbe": probe,
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels, "ownerReferences": [owner],
                     "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": "8080"}},
        "spec": {"nodeName": f"node-{number % NODES:03d}", "containers": [container]},
    }  # fmt: skip


def running(number: int) -> dict[str, Any]:
    """The status that a kubelet writes for it; every hundredth is in a crash loop."""
    ill = number % 100 == 99
    waiting = {
        "waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container"}
    }
    ended = {"terminated": {"exitCode": 137, "reason": "OOMKilled", "startedAt": AT, "finishedAt": AT}}
    truth = "False" if ill else "True"
    conditions = [
        {"type": kind, "status": status, "lastTransitionTime": AT}
        for kind, status in (
            ("PodScheduled", "True"), ("Initialized", "True"), ("ContainersReady", truth), ("Ready", truth),
        )
    ]  # fmt: skip
    container = {
        "name": "server",
        "image": f"registry.example.test/models/model-{number % MODELS:02d}:1.{number % 7}",
        "imageID": f"registry.example.test/models@sha256:{number:064x}",
        "containerID": f"containerd://{number:064x}",
        "ready": not ill,
        "started": not ill,
        "restartCount": 7 if ill else 0,
        "state": waiting if ill else {"running": {"startedAt": AT}},
        "lastState": ended if ill else {},
    }
    address = f"10.{number // 65_536 + 64}.{number // 256 % 256}.{number % 256}"
    return {
        "phase": "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "hostIP": f"10.0.0.{number % NODES + 1}",
        "startTime": AT,
        "qosClass": "Burstable",
        "conditions": conditions,
        "containerStatuses": [container],
    }
