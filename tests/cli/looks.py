"""An experiment that only looks: it asks a server of these tests for a status, over HTTP."""

from __future__ import annotations

import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOOKS = """title: It only looks
description: There is a server.
steady-state-hypothesis:
  title: it answers
  probes:
    - {type: probe, name: "true", tolerance: 200, provider: {type: http, url: "URL/200"}}
method: []
"""


def looks(text: str = LOOKS) -> str:
    """With the address of a server whose answer to /N has the status N, and nothing else."""
    return text.replace("URL", _served())


def misses() -> str:
    return looks(LOOKS.replace("tolerance: 200", "tolerance: 201"))


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response_only(int(self.path.removeprefix("/")))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@cache
def _served() -> str:
    """One for as long as the tests of this process run."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
