"""What a request leaves behind: its trace in headers, lines and exemplars, and its spans."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from maestro_cli.serving import options
from maestro_cli.serving.execution import inference
from maestro_cli.serving.routing.trail import Trail
from maestro_cli.serving.telemetry.export import SpanExport
from maestro_cli.serving.telemetry.spans import Finished, spans_of
from maestro_cli.serving.telemetry.trace_context import TraceContext
from tests.unit.serving.served import MODELS, Served, request

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SAMPLED = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
UNSAMPLED = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-00"}
INFER = "/v2/models/fraud/infer"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def exemplars(server: Served, accept: str = OPENMETRICS) -> list[str]:
    page = server.application.replica.metrics.exposition(accept)[0].decode()
    return [line for line in page.splitlines() if "trace_id" in line]


def exporting(server: Served) -> SpanExport:
    """Have its spans queued and never sent."""
    export = SpanExport("http://127.0.0.1:1")
    object.__setattr__(server.application.replica.tracing, "export", export)
    return export


def queued(export: SpanExport) -> list[Finished]:
    return list(export._queue)


def test_answers_and_errors_say_which_trace_they_belong_to() -> None:
    server = Served()
    for body, status in ((request(), 200), ({}, 400)):
        answer = server.post(INFER, json=body, headers=SAMPLED)
        assert answer.status_code == status
        version, trace, span, flags = answer.headers["traceparent"].split("-")
        assert (version, trace, flags) == ("00", TRACE, "01")
        assert span != "00f067aa0ba902b7"
    assert server.lines[-1]["trace_id"] == TRACE


def test_an_error_of_our_own_is_logged_with_its_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> bytes:
        raise KeyError("a bug")

    server = Served()
    export = exporting(server)
    monkeypatch.setattr(inference, "run", broken)
    assert server.post(INFER, json=request(), headers=UNSAMPLED).status_code == 500
    assert server.lines[-1]["trace_id"] == TRACE
    assert [one.status for one in queued(export)] == [500]


def test_exemplars_name_sampled_and_failed_traces_in_openmetrics_alone() -> None:
    server = Served()
    server.post(INFER, json=request(), headers=UNSAMPLED)
    assert exemplars(server) == []
    server.post(INFER, json=request(), headers=SAMPLED)
    [line] = exemplars(server)
    assert line.startswith('maestro_inference_duration_seconds_bucket{le="')
    assert f'# {{trace_id="{TRACE}"}} ' in line
    assert exemplars(server, "") == []


def test_successes_have_a_line_by_ratio_and_only_then() -> None:
    silent, loud = Served(), Served("--log-successes", "1")
    for server in (silent, loud):
        server.post(INFER, json=request(), headers=SAMPLED)
    assert [line["message"] for line in silent.lines] == ["model loaded"]
    last = loud.lines[-1]
    assert (last["message"], last["trace_id"], last["version"]) == ("inference answered", TRACE, "1")
    assert last["seconds"] > 0


@pytest.mark.parametrize(
    ("body", "headers", "kept"),
    [(request(), SAMPLED, 1), (request(), UNSAMPLED, 0), ({}, UNSAMPLED, 0), ({}, SAMPLED, 1)],
)
def test_the_callers_sampling_decides_for_what_the_server_did_not_fail(
    body: dict[str, Any], headers: dict[str, str], kept: int
) -> None:
    server = Served("--trace-ratio", "1")
    export = exporting(server)
    server.post(INFER, json=body, headers=headers)
    assert len(queued(export)) == kept


def test_a_new_trace_is_sampled_by_ratio() -> None:
    for ratio, kept in (("0", 0), ("1", 1)):
        server = Served("--trace-ratio", ratio)
        export = exporting(server)
        server.post(INFER, json=request())
        assert len(queued(export)) == kept


def test_spans_lie_inside_the_request_in_order_and_name_the_model() -> None:
    server = Served("--trace-ratio", "1")
    export = exporting(server)
    server.post("/v2/models/fraud/versions/1/infer", json=request(), headers=SAMPLED)
    [finished] = queued(export)
    spans = {span.name: span for span in spans_of(finished)}
    root = spans.pop("POST /v2/models/{model}/versions/{version}/infer")
    assert list(spans) == ["features", "route", "infer", "encode"]
    assert (root.parent_id, root.is_server, root.is_error) == ("00f067aa0ba902b7", True, False)
    assert root.attributes["http.response.status_code"] == 200
    assert (root.attributes["maestro.model.version"], root.attributes["url.path"]) == (
        "1",
        "/v2/models/fraud/versions/1/infer",
    )
    assert spans["infer"].parent_id == spans["route"].span_id
    assert {spans[name].parent_id for name in ("features", "route", "encode")} == {root.span_id}
    assert spans["route"].attributes["feature_flag.result.variant"] == "direct"
    features, route, infer = spans["features"], spans["route"], spans["infer"]
    edges = [root.begin_ns, features.begin_ns, features.end_ns, route.begin_ns, infer.begin_ns, infer.end_ns]
    edges += [spans["encode"].begin_ns, root.end_ns]
    assert edges == sorted(edges)


def test_a_refused_request_has_the_spans_that_it_came_to() -> None:
    server = Served()
    export = exporting(server)
    server.post(INFER, json={}, headers=SAMPLED)
    server.post("/v2/models/none/infer", json={}, headers=SAMPLED)
    first, second = ([span.name for span in spans_of(one)] for one in queued(export))
    assert first == ["POST /v2/models/{model}/infer", "features"]
    assert second == ["POST /v2/models/{model}/infer"]


def finished() -> Finished:
    return Finished(Trail(trace=TraceContext()), "POST", INFER, INFER, "http", 200, 1.0, 2.0, 10**18)


def test_a_full_queue_drops_and_counts() -> None:
    export = SpanExport("http://127.0.0.1:1", queue_length=2)
    for _ in range(5):
        export.offer(finished())
    assert (len(queued(export)), export.dropped) == (2, 3)


def test_the_collectors_path_is_added_once() -> None:
    for endpoint in ("http://c:4318", "http://c:4318/", "http://c:4318/v1/traces"):
        assert SpanExport(endpoint).url == "http://c:4318/v1/traces"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--otlp-endpoint", "ftp://x"],
        ["--otlp-endpoint", "http://"],
        ["--otlp-endpoint", "http://user:secret@x:1"],
        ["--otlp-endpoint", "http://x:99999"],
        ["--trace-ratio", "1.1"],
        ["--trace-ratio", "nan"],
        ["--log-successes", "-1"],
    ],
)
def test_refuses_a_wrong_command_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        options.parse(["--models", str(MODELS), "--serve", "fraud=1", *arguments])
    assert caught.value.code == 2
    assert "secret" not in capsys.readouterr().err


def test_opentelemetry_is_not_loaded_without_an_endpoint() -> None:
    code = (
        "import sys; from tests.unit.serving.served import Served, request; Served().infer(request());"
        "print([name for name in sys.modules if name.startswith(('opentelemetry', 'requests'))])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
