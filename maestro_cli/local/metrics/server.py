"""HTTP: `/metrics`, `/sd/pods`, `/healthz`. Invariant: read-only, loopback only."""

from __future__ import annotations

import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

_LOG = logging.getLogger(__name__)


class Pages(Protocol):
    """What is served."""

    def metrics(self) -> str:
        """The exposition page."""

    def pods(self) -> object:
        """The HTTP service discovery document."""


class MetricsServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, pages: Pages, port: int) -> None:
        self.pages = pages
        super().__init__(("127.0.0.1", port), _Handler)
        self.port = int(self.server_address[1])

    def start(self) -> None:
        """Serve from a thread of its own."""
        threading.Thread(target=self.serve_forever, name="http", daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        _LOG.debug("request from %s failed", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: MetricsServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        return

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/metrics":
                self._answer(self.server.pages.metrics(), "text/plain; version=0.0.4; charset=utf-8")
            case "/sd/pods":
                self._answer(json.dumps(self.server.pages.pods()), "application/json")
            case "/healthz":
                self._answer("ok", "text/plain; charset=utf-8")
            case _:
                self._answer("404 page not found", "text/plain; charset=utf-8", 404)

    def _answer(self, text: str, kind: str, code: int = 200) -> None:
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
