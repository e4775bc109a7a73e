"""Traces of a real server process at OTLP receivers: a sink on the wire, and Rotel, a real collector."""

from __future__ import annotations

import importlib.util
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from maestro_cli.local.ports import free_port
from tests.contract.serving.collector import Sink, attributes_of
from tests.contract.serving.process import GOOD, TRAFFIC, Server, body_of, until
from tests.patience import TRIES

pytestmark = pytest.mark.contract

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SAMPLED = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "tracestate": "rojo=1"}
UNSAMPLED = {"traceparent": f"00-{'ab' * 16}-00f067aa0ba902b7-00"}
INFER = "/v2/models/fraud/infer"


def counted(server: Server, result: str) -> float:
    return server.samples()[("maestro_trace_exports_total", frozenset({("result", result)}))]


def test_a_collector_gets_the_whole_trace_of_a_sampled_request(start: Callable[..., Server]) -> None:
    with Sink() as sink:
        server = start("--serve", "fraud=1", "--otlp-endpoint", sink.url)
        answer = server.http.post(INFER, json=GOOD, headers=SAMPLED)
        server.http.post(INFER, json=GOOD, headers=UNSAMPLED)
        until(lambda: len(sink.spans) >= 5)
    assert {span.trace_id.hex() for span in sink.spans} == {TRACE}
    names = [span.name for span in sink.spans]
    assert names == ["POST /v2/models/{model}/infer", "features", "route", "infer", "encode"]
    root, features, route, infer, encode = sink.spans
    assert (root.kind, root.parent_span_id.hex()) == (2, "00f067aa0ba902b7")  # SERVER
    assert answer.headers["traceparent"] == f"00-{TRACE}-{root.span_id.hex()}-01"
    assert {span.parent_span_id for span in (features, route, encode)} == {root.span_id}
    assert infer.parent_span_id == route.span_id
    assert attributes_of(root)["maestro.decision"] == answer.headers["x-maestro-decision"]
    assert attributes_of(infer)["maestro.model.served"] == answer.headers["x-maestro-served"]
    assert {resource["service.name"] for resource in sink.resources} == {"maestro-serving"}
    assert {span.trace_state for span in sink.spans} == {"rojo=1"}


def test_a_failure_arrives_although_nobody_sampled_it_and_the_last_spans_before_the_end(
    start: Callable[..., Server],
) -> None:
    with Sink() as sink:
        server = start("--serve", "fraud=2", "--drain-seconds", "0", "--otlp-endpoint", sink.url)
        codes = [
            server.http.post(INFER, json=body_of(row), headers=UNSAMPLED).status_code
            for row in TRAFFIC["rows"][:60]
        ]
        server.tell(signal.SIGTERM)
        assert server.process.wait(60) == 0
    roots = [span for span in sink.spans if span.kind == 2]
    assert len(roots) == codes.count(500) > 0
    assert {attributes_of(root)["error.type"] for root in roots} == {"500"}
    assert {root.status.code for root in roots} == {2}  # ERROR


def test_a_collector_that_refuses_costs_no_request(start: Callable[..., Server]) -> None:
    with Sink(status=400) as sink:
        server = start("--serve", "fraud=1", "--otlp-endpoint", sink.url)
        assert server.http.post(INFER, json=GOOD, headers=SAMPLED).status_code == 200
        until(lambda: counted(server, "failed") == 1)
        assert sink.posts >= 1
        assert server.http.post(INFER, json=GOOD).status_code == 200


@pytest.fixture
def rotel(tmp_path: Path) -> Iterator[tuple[str, Sink]]:
    """The Rotel collector, passing on what it understood to a sink; its receiver's address and the sink."""
    spec = importlib.util.find_spec("rotel")
    if spec is None or spec.origin is None:
        pytest.skip("rotel is not installed: it has no wheel for this platform")
    program = Path(spec.origin).parent / "rotel-agent"
    with Sink() as sink:
        for _ in range(TRIES):
            with listening(program, sink, tmp_path / "rotel.log") as url:
                if url:
                    yield url, sink
                    return
    raise AssertionError((tmp_path / "rotel.log").read_text())


@contextmanager
def listening(program: Path, sink: Sink, file: Path) -> Iterator[str]:
    """The collector's address; empty when it ended at once, as when somebody took its port meanwhile."""
    ports = {name: f"127.0.0.1:{free_port()}" for name in ("grpc", "http")}
    with file.open("wb") as log:
        process = subprocess.Popen(
            [program, "start", "--otlp-grpc-endpoint", ports["grpc"],
             "--otlp-http-endpoint", ports["http"], "--exporter", "otlp", "--otlp-exporter-protocol", "http",
             "--otlp-exporter-endpoint", sink.url, "--traces-batch-timeout", "50ms"],
            stdout=log, stderr=log,
        )  # fmt: skip
        try:
            host, port = ports["http"].split(":")
            until(lambda: process.poll() is not None or listens(host, int(port)))
            yield f"http://{ports['http']}" if process.poll() is None else ""
        finally:
            process.kill()
            process.wait(60)


def listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def test_a_real_collector_passes_our_traces_on(start: Callable[..., Server], rotel: tuple[str, Sink]) -> None:
    url, sink = rotel
    server = start("--serve", "fraud=1", "--otlp-endpoint", url)
    assert server.http.post(INFER, json=GOOD, headers=SAMPLED).status_code == 200
    until(lambda: len(sink.spans) >= 5)
    assert {span.trace_id.hex() for span in sink.spans} == {TRACE}
    assert counted(server, "failed") == 0
