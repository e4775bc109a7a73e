"""What logs and traces cost over a real Prometheus that scraped Loki and collectors, as they name things."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from maestro_cli.config.locations import config_dir
from maestro_cli.cost.metering.model import GIB
from maestro_cli.cost.metering.telemetry import COUNTERS
from maestro_cli.local.ports import free_port
from tests.cli.program import maestro
from tests.contract.cost.test_metering_prometheus import EVIL, HOURS, MINUTES, SCRAPE, START, Lived, text
from tests.contract.recorded_prometheus import recorded_prometheus
from tests.contract.serving.collector import Sink
from tests.contract.serving.process import until
from tests.contract.serving.test_serving_traces import listens
from tests.patience import TRIES

pytestmark = pytest.mark.contract

PRICES = """
currency: EUR
CPU: 0.03
RAM: 0.004
overhead: {per_gib_logged: 0.50, per_million_spans: 0.30, control_plane_hourly: 0.10}
"""
UNTIL = ("--until", f"{START + timedelta(hours=HOURS):%Y-%m-%dT%H:%M:%SZ}")
OTEL = {"receiver": "otlp", "service_name": "otelcol-contrib", "service_version": "0.98.0"}
HOUR = 3600.0


def sent() -> Iterator[Lived]:
    """Loki, restarted after two hours; agents that pass all on to a gateway; the namespaces are their own."""
    loki = {"job": "loki", "namespace": "monitoring", "instance": "loki-0", "retention_hours": "744"}
    for tenant, gib in (("ml", 2.0), ("fake", 1.0), (EVIL, 0.5)):
        for first, last in ((1, 119), (120, MINUTES)):
            one = {**loki, "tenant": tenant}
            yield Lived("loki_distributor_bytes_received_total", one, 0, first, last, growth=gib * GIB / HOUR)
    for job, transport, millions in (
        ("agents", "grpc", 3.0),
        ("agents", "http", 1.0),
        ("gateway", "grpc", 5.0),
    ):
        labels = {**OTEL, "job": job, "namespace": "otel", "transport": transport, "instance": f"{job}-0"}
        growth = millions * 1e6 / HOUR
        yield Lived("otelcol_receiver_accepted_spans", labels, 0, growth=growth)
        records = {**labels, "prometheus_replica": "a"}
        for replica in ("a", "b"):
            records["prometheus_replica"] = replica
            yield Lived("otelcol_receiver_accepted_log_records_total", dict(records), 0, growth=growth)
    yield from mixed()
    # by namespace, as a connector that keeps it as a label tells it; of another cluster
    other = {"job": "tempo", "tenant": "ml", "cluster": "other"}
    yield Lived("tempo_distributor_spans_received_total", other, 0, growth=0.0)


def mixed() -> Iterator[Lived]:
    """Two agents and their gateway under one job; and a gateway that sends all that it has to two places."""
    for instance, exporter, growth in (
        ("agent-0", "otlp/gateway", 0.2),
        ("agent-1", "otlp/gateway", 0.2),
        ("gateway-0", "otlphttp/vendor", 0.4),
    ):
        app = instance.partition("-")[0]
        labels = {**OTEL, "job": "pods", "app": app, "env": "mixed", "instance": instance}
        yield Lived("otelcol_receiver_accepted_spans", labels, 0, growth=growth * 1e6 / HOUR)
        sends = {name: value for name, value in labels.items() if name != "receiver"}
        yield Lived("otelcol_exporter_sent_spans", {**sends, "exporter": exporter}, 0, growth=1.0)
    for exporter in ("otlp/archive", "otlphttp/vendor"):
        labels = {"job": "gateway", "instance": "grpc-0", "exporter": exporter}
        yield Lived("otelcol_exporter_sent_spans", labels, 0, growth=1.0)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    lines: dict[str, list[str]] = {}
    for one in sent():
        lines.setdefault(one.name, []).extend(one.lines())
    parts = [f"# TYPE {name} gauge\n" + "\n".join(found) for name, found in lines.items()]
    whole = text().replace("# EOF\n", "\n".join([*parts, "# EOF", ""]))
    folder = tmp_path_factory.mktemp("telemetry")
    with recorded_prometheus(folder, whole, f"--query.lookback-delta={SCRAPE - 1}s") as found:
        yield found


def lab(url: str, costs: str = "", prices: str = PRICES) -> None:
    config_dir().mkdir(parents=True, exist_ok=True)
    (config_dir() / "prices.yaml").write_text(prices, encoding="utf-8")
    (config_dir() / "config.yaml").write_text(
        f'current_context: lab\ncontexts: {{lab: {{prometheus: {{url: "{url}"}}, '
        f"costs: {{prices: prices.yaml{costs}}}}}}}",
        encoding="utf-8",
    )


def told(*arguments: str) -> dict[str, Any]:
    result = maestro("cost", "show", "--window", "3h", *UNTIL, "-o", "json", *arguments)
    assert result.code == 0, result.err
    found: dict[str, Any] = json.loads(result.out)
    return found


def costs(found: dict[str, Any], kind: str, **keys: str) -> dict[str, float]:
    (row,) = [row for row in found["rows"] if (row["kind"], row["keys"]) == (kind, keys)]
    of: dict[str, float] = row["costs"]
    return of


def test_logs_and_traces_are_parts_of_the_bill(url: str) -> None:
    lab(url)
    found = told()
    assert found["bill"]["logs"] == pytest.approx(3 * 3.5 * 0.50, rel=0.02)
    assert found["bill"]["traces"] == pytest.approx(
        3 * 5 * 0.30, rel=0.02
    )  # the gateway's: passed on, not twice
    assert sum(row["total"] for row in found["rows"]) == pytest.approx(found["total"], rel=1e-9)
    assert costs(found, "spender", namespace="ml")["logs"] == pytest.approx(3 * 2 * 0.50, rel=0.02)
    unknown = costs(found, "overhead", namespace="")
    assert unknown["logs"] == pytest.approx(2.25, rel=0.02)
    assert unknown["traces"] == pytest.approx(4.5, rel=0.02)
    notes = " ".join(found["notes"])
    assert (
        "spans are counted by OpenTelemetry collector (job gateway); OpenTelemetry collector (job agents)"
        in notes
    )
    assert re.search(
        r"no log records in the bill: 1[45][.\d]* million without a price", notes
    )  # once for two replicas
    assert not any("logs" in one or "spans" in one for one in found["unpriced"])


def test_what_nobody_is_told_to_have_sent_is_shared_and_the_sum_stays(url: str) -> None:
    lab(url)
    found = told("--share-overhead", "cost")
    assert [row for row in found["rows"] if row["kind"] == "overhead"] == []
    assert sum(row["total"] for row in found["rows"]) == pytest.approx(found["total"], rel=1e-9)


def test_who_is_paid_and_which_label_names_who_sent_can_be_said(url: str) -> None:
    lab(url, ", telemetry: {match: {job: agents}, senders: [namespace]}")
    found = told()
    assert "logs" not in found["bill"]  # Loki is another job
    assert "no logs in the bill: nobody counted them (per_gib_logged prices them)" in found["notes"]
    assert found["bill"]["traces"] == pytest.approx(3 * 4 * 0.30, rel=0.02)


def test_each_program_may_have_its_own_who_is_paid(url: str) -> None:
    lab(url, ", telemetry: {programs: {otelcol: {job: agents}}}")
    found = told()
    assert found["bill"]["traces"] == pytest.approx(3 * 4 * 0.30, rel=0.02)
    assert found["bill"]["logs"] == pytest.approx(3 * 3.5 * 0.50, rel=0.02)


def test_collectors_of_one_job_that_send_to_different_places_are_told_of_until_it_is_said_who_is_paid(
    url: str,
) -> None:
    lab(url)
    assert not any("only some send by" in note for note in told()["notes"])  # the job that is paid is one
    lab(url, ", telemetry: {programs: {otelcol: {env: mixed}}}")
    found = told()
    assert found["bill"]["traces"] == pytest.approx(3 * 0.8 * 0.30, rel=0.02)
    assert (
        "spans are added up of all in OpenTelemetry collector (job pods), of which only some send by "
        "otlp/gateway, otlphttp/vendor: where these pass on to others of the job each counts twice, "
        "costs.telemetry says who is paid"
    ) in found["notes"]
    lab(url, ", telemetry: {programs: {otelcol: {env: mixed, app: gateway}}}")
    found = told()
    assert found["bill"]["traces"] == pytest.approx(3 * 0.4 * 0.30, rel=0.02)
    assert not any("only some send by" in note for note in found["notes"])


def test_another_cluster_s_logs_are_not_ours(url: str) -> None:
    lab(url, ", match: {cluster: other}")
    result = maestro("cost", "show", "--window", "3h", *UNTIL)
    assert result.code == 15


@pytest.mark.parametrize("telemetry", ['senders: ["a} or b"]', 'programs: {loki: {"a} or b": x}}'])
def test_a_name_that_is_no_label_is_refused(url: str, telemetry: str) -> None:
    lab(url, f", telemetry: {{{telemetry}}}")
    result = maestro("cost", "show", "--window", "3h", *UNTIL)
    assert result.code == 2
    assert "costs.telemetry of the context" in result.err


def test_a_program_that_nobody_knows_is_refused_with_its_line(url: str) -> None:
    lab(url, ", telemetry: {programs: {lokki: {job: loki}}}")
    result = maestro("cost", "show", "--window", "3h", *UNTIL)
    assert result.code == 3
    assert "config.yaml:" in result.err
    assert "loki" in result.err.replace("lokki", "")


def test_a_record_keeps_what_was_logged(url: str, tmp_path: Path) -> None:
    lab(url)
    record = tmp_path / "three.zip"
    live = told("--record", str(record))
    (config_dir() / "config.yaml").write_text("contexts: {}\n", encoding="utf-8")
    again = json.loads(maestro("cost", "show", "--from", str(record), "-o", "json").out)
    assert again == {**live, "record": again["record"]}


class Counts(Sink):
    """Where a collector sends what it counts of itself."""

    def __init__(self) -> None:
        super().__init__()
        self.sums: dict[str, Any] = {}

    def _keep(self, content: bytes) -> None:
        for resource in ExportMetricsServiceRequest.FromString(content).resource_metrics:
            for scope in resource.scope_metrics:
                self.sums.update({one.name: one.sum for one in scope.metrics})


@contextmanager
def rotel(counts: Counts, traces: Sink, log: Path) -> Iterator[str]:
    """The address of a real collector; empty where somebody took its port meanwhile."""
    spec = importlib.util.find_spec("rotel")
    if spec is None or spec.origin is None:
        pytest.skip("rotel is not installed: it has no wheel for this platform")
    grpc, port = (f"127.0.0.1:{free_port()}" for _ in range(2))
    with log.open("wb") as file:
        process = subprocess.Popen(
            [Path(spec.origin).parent / "rotel-agent", "start", "--otlp-grpc-endpoint", grpc,
             "--otlp-http-endpoint", port, "--exporter", "otlp", "--otlp-exporter-protocol", "http",
             "--otlp-exporter-traces-endpoint", f"{traces.url}/v1/traces",
             "--otlp-exporter-metrics-endpoint", f"{counts.url}/v1/metrics",
             "--otlp-exporter-endpoint", traces.url, "--metrics-batch-timeout", "50ms",
             "--enable-internal-telemetry"],
            stdout=file, stderr=file, env={**os.environ, "OTEL_METRIC_EXPORT_INTERVAL": "500"},
        )  # fmt: skip
        try:
            host, number = port.split(":")
            until(lambda: process.poll() is not None or listens(host, int(number)))
            yield f"http://{port}" if process.poll() is None else ""
        finally:
            process.kill()
            process.wait(60)


def test_a_real_collector_counts_under_a_name_that_is_asked_for(tmp_path: Path) -> None:
    """Prometheus adds `_total` to a sum that only grows, and no unit that the name ends in."""
    message = ExportTraceServiceRequest()
    spans = message.resource_spans.add().scope_spans.add().spans
    for number in range(7):
        spans.add(trace_id=os.urandom(16), span_id=os.urandom(8), name=f"span {number}")
    name = "rotel_receiver_accepted_spans"
    counts = Counts()
    with counts, Sink() as traces:
        for _ in range(TRIES):
            with rotel(counts, traces, tmp_path / "rotel.log") as url:
                if url:
                    kind = {"content-type": "application/x-protobuf"}
                    httpx.post(
                        f"{url}/v1/traces", content=message.SerializeToString(), headers=kind, trust_env=False
                    )
                    until(lambda: name in counts.sums)
                    break
    found = counts.sums[name]
    assert (found.is_monotonic, found.aggregation_temporality) == (True, 2)  # cumulative
    assert sum(point.as_int for point in found.data_points) == 7
    assert {name, f"{name}_total"} <= {one.metric for one in COUNTERS}
