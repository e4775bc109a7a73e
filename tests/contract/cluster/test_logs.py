"""Logs go through the API server to the kubelet of the pod's node. The kubelet here is a small stand-in."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.contract


class _Kubelet(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = "/containerLogs/" in self.path and "/c?" in f"{self.path}?"
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(f"asked {self.path}\n".encode() if known else b"no such container")

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def node(cluster: Path, http: httpx.Client, namespace: str) -> Iterator[str]:
    name = f"node-{namespace}"
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Kubelet)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cluster / "pki" / "server.crt", cluster / "pki" / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    status = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": server.server_address[1]}},
    }
    http.post("/api/v1/nodes", json={"metadata": {"name": name}, "status": status})
    try:
        yield name
    finally:
        http.delete(f"/api/v1/nodes/{name}")
        server.shutdown()
        thread.join()
        server.server_close()


def test_logs_are_passed_on(
    http: httpx.Client,
    kubectl: Callable[..., str],
    namespace: str,
    node: str,
    pod: Callable[..., dict[str, Any]],
) -> None:
    pods = f"/api/v1/namespaces/{namespace}/pods"
    body = pod("p")
    body["spec"]["nodeName"] = node
    http.post(pods, json=body)
    told = kubectl("logs", "p", "-f", "--tail=3", "--since=5s", "--timestamps")
    assert told.startswith(f"asked /containerLogs/{namespace}/p/c?")
    for part in ("follow=true", "tailLines=3", "sinceSeconds=5", "timestamps=true"):
        assert part in told
    assert "previous=true" in kubectl("logs", "p", "--previous")
    wrong = http.get(f"{pods}/p/log", params={"container": "other"})
    assert (wrong.status_code, wrong.json()["reason"]) == (400, "BadRequest")


def test_a_lost_kubelet_is_an_error_not_a_hang(
    http: httpx.Client, namespace: str, pod: Callable[..., dict[str, Any]]
) -> None:
    pods = f"/api/v1/namespaces/{namespace}/pods"
    name = f"lost-{namespace}"
    status = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 1}},
    }
    http.post("/api/v1/nodes", json={"metadata": {"name": name}, "status": status})
    try:
        body = pod("p")
        body["spec"]["nodeName"] = name
        http.post(pods, json=body)
        refused = http.get(f"{pods}/p/log")
        assert (refused.status_code, refused.json()["reason"]) == (500, "InternalError")
    finally:
        http.delete(f"/api/v1/nodes/{name}")
