"""`python -m tests.bench.event_server PODS RATE`: an API server of nothing but pods, which change.

It stands for the real one where that would take the machine from what is measured: five hundred writes a
second for an hour are etcd's work. The objects are those of `population`; each change is another count of
restarts of a pod that is chosen by a seed. It prints its address, then serves until its input ends.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.bench.population import AT, NAMESPACES, pod, running

TICK_SECONDS = 0.1


class World:
    """The pods as text, each in two halves around its count of restarts and its version."""

    def __init__(self, pods: int, rate: float) -> None:
        self.rate, self.version = rate, pods
        self._lock = threading.Lock()
        self._halves = [_halves(number) for number in range(pods)]
        self._counts = [0] * pods

    def listed(self, start: int, limit: int) -> bytes:
        """A page, with where the next one begins."""
        with self._lock:
            end = min(start + limit, len(self._halves))
            items = b",".join(self._text(number, number) for number in range(start, end))
            rest = b',"continue":"%d"' % end if end < len(self._halves) else b""
            meta = b'{"resourceVersion":"%d"%s}' % (self.version, rest)
        return b'{"kind":"PodList","apiVersion":"v1","metadata":%s,"items":[%s]}' % (meta, items)

    def changes(self, chance: random.Random, count: int) -> bytes:
        """So many events, each a line."""
        lines = []
        with self._lock:
            for number in chance.sample(range(len(self._halves)), count):
                self.version += 1
                self._counts[number] += 1
                lines.append(b'{"type":"MODIFIED","object":%s}\n' % self._text(number, self.version))
        return b"".join(lines)

    def _text(self, number: int, version: int) -> bytes:
        before, between, after = self._halves[number]
        return b"%s%d%s%d%s" % (before, version, between, self._counts[number], after)


def _halves(number: int) -> tuple[bytes, bytes, bytes]:
    name = f"model-{number:05d}"
    body = {**pod(name, number), "status": running(number)}
    body["metadata"] |= {
        "namespace": f"team-{number % NAMESPACES}",
        "uid": f"00000000-0000-4000-9000-{number:012d}",
        "creationTimestamp": AT,
        "resourceVersion": "@version@",
    }
    body["status"]["containerStatuses"][0]["restartCount"] = "@restarts@"
    text = json.dumps(body, separators=(",", ":")).encode()
    before, _, rest = text.partition(b"@version@")
    between, _, after = rest.partition(b'"@restarts@"')
    return before, between, after


class Handler(BaseHTTPRequestHandler):
    """Lists and watches of pods, and no nodes; of all other kinds there is nothing."""

    protocol_version = "HTTP/1.1"
    world: World

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        if asked.path == "/api/v1/nodes" and "watch" not in parse_qs(asked.query):
            self._answer(200, b'{"kind":"NodeList","metadata":{"resourceVersion":"1"},"items":[]}')
        elif asked.path != "/api/v1/pods":
            self._answer(404, json.dumps({"kind": "Status", "code": 404, "reason": "NotFound"}).encode())
        elif "watch" in parse_qs(asked.query):
            self._watch()
        else:
            page = parse_qs(asked.query)
            start, limit = (int(page.get(word, ["0"])[0]) for word in ("continue", "limit"))
            self._answer(200, self.world.listed(start, limit or sys.maxsize))

    def _answer(self, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _watch(self) -> None:
        """An open loop: what is late is sent at once, so that the rate is what it says."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        chance, started, sent = random.Random(7), time.monotonic(), 0
        while True:
            due = int((time.monotonic() - started) * self.world.rate)
            if due > sent:
                body = self.world.changes(chance, min(due - sent, 500))
                sent += min(due - sent, 500)
                self.wfile.write(b"%x\r\n%s\r\n" % (len(body), body))
            time.sleep(TICK_SECONDS)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who was served has gone."""


if __name__ == "__main__":
    Handler.world = World(int(sys.argv[1]), float(sys.argv[2]))
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()
