"""A Prometheus that never answers is told once, and soon; one heavy query silences no other objective."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from requests import Response

from maestro_cli.config.settings import Endpoint
from maestro_cli.core.errors import Unreachable
from maestro_cli.services import measuring
from maestro_cli.services.measuring import MeasureWanted, read_kept
from maestro_cli.slo.objectives import Counters, Objective
from maestro_cli.sources.prometheus_raw import RawPrometheus
from tests.unit.slo.measuring.told import objective

NOW = datetime(2026, 10, 5, tzinfo=UTC)
ANSWER_SECONDS, PROBE_SECONDS = 1.0, 0.3
OBJECTIVES = {f"o{number}": replace(objective(), name=f"o{number}") for number in range(20)}


@contextmanager
def silent() -> Iterator[str]:
    """Takes every connection (the kernel does), and reads nothing of it."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=128)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


class Counting(RawPrometheus):
    """Also knows how often samples, or how to ask for them, were asked for on the wire."""

    asked = 0

    def __init__(self, endpoint: Endpoint, **how: Any) -> None:
        super().__init__(endpoint, **how)
        request = self._session.request

        def counted(method: str, url: str, **more: Any) -> Response:
            self.asked += url.endswith(("/config", "/read", "/query", "/query_range"))
            return request(method, url, **more)

        self._session.request = counted  # type: ignore[method-assign,assignment]


@contextmanager
def lively() -> Iterator[str]:
    """Answers at once that it has nothing, but for what names `heavy`: that hangs until the end."""
    over = threading.Event()

    class Answers(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Says nothing."""

        def do_GET(self) -> None:
            where = urlsplit(self.path)
            query = parse_qs(where.query).get("query", [""])[0]
            if "heavy" in query:
                over.wait(60)
                return
            one = [{"metric": {}, "value": [1, "1"]}]
            kind, found = ("vector", one) if query == "vector(1)" else ("matrix", [])
            data: Any = [] if where.path.endswith("/values") else {"resultType": kind, "result": found}
            body = json.dumps({"status": "success", "data": data}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            over.set()
            server.shutdown()


def _services(source: RawPrometheus, objectives: dict[str, Objective] = OBJECTIVES) -> Any:
    return SimpleNamespace(
        clock=SimpleNamespace(now=lambda: NOW),
        raw_prometheus_of=lambda endpoint: source,
        objectives=objectives,
        context_name="here",
    )


@pytest.mark.parametrize("fresh", [True, False], ids=["asked afresh", "kept"])
def test_of_twenty_objectives_as_many_wait_as_are_asked_at_once(fresh: bool) -> None:
    with silent() as url:
        source = Counting(Endpoint(url=url), timeout_seconds=ANSWER_SECONDS, probe_seconds=PROBE_SECONDS)
        with pytest.raises(Unreachable):
            read_kept(_services(source), MeasureWanted(prometheus=url, fresh=fresh))
    assert source.asked == (measuring.AT_ONCE if fresh else 0)


def test_one_heavy_query_of_a_prometheus_that_lives_silences_no_other_objective(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(measuring, "AT_ONCE", 1)  # all others come after the heavy one
    heavy = Counters(total="heavy_total", bad='heavy_total{code="500"}')
    objectives = {**OBJECTIVES, "a": replace(objective(), name="a", indicator=heavy)}
    with lively() as url:
        source = RawPrometheus(Endpoint(url=url), timeout_seconds=ANSWER_SECONDS)
        found = read_kept(_services(source, objectives), MeasureWanted(prometheus=url, fresh=True))
    assert [one.objective.name for one in found if one.error is not None] == ["a"]
    assert isinstance(found[0].error, Unreachable)
