"""The HTTPS door of the node: logs, metrics, statistics.

Invariant: read-only, and for nobody without the certificate of a kubelet's client; paths and query values
are parsed, never joined into file names (the pod and container must be running here). Same paths as a real
kubelet, so a real kube-apiserver can proxy.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import socket
import ssl
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from maestro_cli.local.certificates import Pki
from maestro_cli.local.kubelet import in_place
from maestro_cli.local.kubelet.logs import LogQuery, read_log
from maestro_cli.local.kubelet.pods import PodSet
from maestro_cli.local.kubelet.record import Waiting
from maestro_cli.local.kubelet.statistics import cadvisor_metrics, resource_metrics, summary
from maestro_cli.local.kubelet.worker import PodWorker
from maestro_cli.local.objects import name_of, parse_time

_LOG = logging.getLogger(__name__)
_HANDSHAKE_SECONDS = 10.0
_EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"


class Refusal(Exception):
    """An HTTP error answer."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class KubeletServer(ThreadingHTTPServer):
    """Serves one node; `port` is where."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, pods: PodSet, node: str, pki: Pki) -> None:
        self.pods = pods
        self.node = node
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(pki.certificate, pki.key)
        self._tls.load_verify_locations(pki.ca)
        self._tls.verify_mode = ssl.CERT_REQUIRED
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port = int(self.server_address[1])

    def start(self) -> None:
        """Serve from a thread of its own."""
        threading.Thread(target=self.serve_forever, name="https", daemon=True).start()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands in the connection's own thread, so that a slow client blocks nobody."""
        request.settimeout(_HANDSHAKE_SECONDS)
        try:
            secure = self._tls.wrap_socket(request, server_side=True)
        except (OSError, ssl.SSLError):
            return
        secure.settimeout(None)
        try:
            super().finish_request(secure, client_address)
        finally:
            with contextlib.suppress(OSError):
                secure.shutdown(socket.SHUT_WR)
            secure.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""
        _LOG.debug("request from %s failed", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: KubeletServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or an answer in two writes waits 40 ms for an acknowledgement

    def log_message(self, format: str, *args: Any) -> None:
        return

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        path = parts.path.strip("/").split("/")
        try:
            match path:
                case ["healthz"]:
                    self._answer(b"ok")
                case ["containerLogs", namespace, pod, container]:
                    self._logs(namespace, pod, container, options)
                case ["metrics", "resource"]:
                    self._answer(resource_metrics(self.server.pods.workers()).encode(), _EXPOSITION)
                case ["metrics", "cadvisor"]:
                    self._answer(cadvisor_metrics(self.server.pods.workers()).encode(), _EXPOSITION)
                case ["stats", "summary"]:
                    self._answer_json(summary(self.server.pods.workers(), self.server.node))
                case ["pods"]:
                    items = [worker.pod for worker in self.server.pods.workers()]
                    self._answer_json({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})
                case [("exec" | "attach" | "portForward" | "run") as verb, *_]:
                    raise Refusal(501, f"the process kubelet has no {verb}: its pods are processes")
                case _:
                    raise Refusal(404, "404 page not found")
        except Refusal as refusal:
            self._answer(str(refusal).encode(), code=refusal.code)

    do_POST = do_GET  # exec and its like, which are refused

    def _answer(self, body: bytes, kind: str = "text/plain; charset=utf-8", code: int = 200) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer_json(self, document: object) -> None:
        self._answer(json.dumps(document).encode(), "application/json")

    def _logs(self, namespace: str, pod: str, container: str, options: dict[str, str]) -> None:
        worker = self.server.pods.find(namespace, pod)
        if worker is None:
            raise Refusal(404, f'pod "{namespace}/{pod}" not found')
        path = _log_file(worker, container, previous=options.get("previous") == "true")
        try:
            os.close(in_place.opener(str(path), os.O_RDONLY))
        except OSError as problem:
            raise Refusal(500, f'the log of container "{container}" cannot be read: {problem}') from None
        query = _query(options)
        restarts = _restarts(worker, container)

        def alive() -> bool:
            task = worker.container(container)
            running = task is not None and task.keeper is not None and task.record.restarts == restarts
            return running and not self._client_left()

        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._stream(read_log(path, query, alive=alive))

    def _client_left(self) -> bool:
        """Whether the client hung up; it has nothing to say while it is being answered."""
        return bool(select.select([self.connection], [], [], 0)[0])

    def _stream(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")


def _restarts(worker: PodWorker, container: str) -> int:
    task = worker.container(container)
    return task.record.restarts if task is not None else 0


def _log_file(worker: PodWorker, container: str, *, previous: bool) -> Path:
    task = worker.container(container)
    if task is None:
        raise Refusal(404, f'container "{container}" not found in pod')
    record, pod = task.record, name_of(worker.pod)
    latest = [worker.sandbox.log_path(container, run) for run in (record.restarts, record.restarts - 1)]
    if previous:
        # while a container backs off, its latest run is the previous one too, as upstream
        backing_off = isinstance(record.state, Waiting)
        found = [path for path in latest[0 if backing_off else 1 :] if path.exists()]
        if record.last is None or not found:
            raise Refusal(400, f'previous terminated container "{container}" in pod "{pod}" not found')
        return found[0]
    for path in latest:
        if path.exists():
            return path
    reason = record.state.reason if isinstance(record.state, Waiting) else "ContainerCreating"
    raise Refusal(400, f'container "{container}" in pod "{pod}" is waiting to start: {reason}')


def _query(options: dict[str, str]) -> LogQuery:
    since = parse_time(options.get("sinceTime"))
    if "sinceSeconds" in options:
        since = datetime.now(UTC) - timedelta(seconds=_number(options, "sinceSeconds") or 0)
    return LogQuery(
        tail_lines=_number(options, "tailLines"),
        since=since,
        timestamps=options.get("timestamps") == "true",
        limit_bytes=_number(options, "limitBytes"),
        follow=options.get("follow") == "true",
    )


def _number(options: dict[str, str], name: str) -> int | None:
    if name not in options:
        return None
    if not options[name].isdigit():
        raise Refusal(400, f"{name} is not a number")
    return int(options[name])
