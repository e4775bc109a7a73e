"""What nothing in the samples hints at, asked of a real Prometheus: who was cut off before, whose process is
old, and which selectors can take nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.core.archives import read_archive
from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.measuring.keeping import KeptOnDisk
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.model import Measured
from maestro_cli.slo.measuring.window import Span
from maestro_cli.slo.objectives import Counters, Objective
from maestro_cli.slo.report.build import build_report
from maestro_cli.slo.report.bundle import pack_bundle, recompute, verify_bundle
from maestro_cli.slo.report.document import report_document
from maestro_cli.slo.report.model import Inputs, SlaReport
from maestro_cli.slo.report.pieces import Piece, packed_pieces
from maestro_cli.slo.report.recording import RecordingMetrics, RecordingStore
from maestro_cli.sources.prometheus_raw import RawPrometheus
from tests.contract.recorded_prometheus import recorded_prometheus
from tests.unit.slo.report.month import inputs

pytestmark = pytest.mark.contract
START = datetime(2026, 10, 1, tzinfo=UTC)
MINUTES = 12 * 60
SPAN = Span(START, START + timedelta(minutes=MINUTES))
LEAD, CUT, COMES = 180, 120, 360  # minutes: of life before, from the cut to the span, until a target is found
EVENTS, OLD_FAILURES = 60, 12_000
SIDE = ("process_start_time_seconds", "up")  # asked beside the counters


def _samples() -> Iterator[tuple[str, str, range, int, int]]:
    """Metric, labels, minutes, the first value, and what it goes up a minute."""
    whole = range(-LEAD, MINUTES + 1)
    for service, instance, minutes, first in (
        ("alone", "a:1", whole, 0), ("cut", "a:1", whole, 0), ("cut", "b:1", range(-LEAD, -CUT), 0),
        ("gone", "a:1", whole, 0), ("gone", "c:1", range(-LEAD, -CUT), 0),
        ("old", "a:1", whole, 0), ("old", "d:1", range(COMES, MINUTES + 1), 10**6),
    ):  # fmt: skip
        labels = f'job="api",service="{service}",instance="{instance}"'
        yield "r_total", f'{labels},code="200"', minutes, first, EVENTS
    failed = 'job="api",service="old",instance="d:1",code="503"'
    yield "r_total", failed, range(COMES + 1, MINUTES + 1), OLD_FAILURES, 0
    began = round(START.timestamp()) - 5 * 86400
    starts = 'job="api",instance="d:1"'
    yield "process_start_time_seconds", starts, range(COMES, MINUTES + 1), began, 0
    for instance, minutes, value in (
        ("a:1", whole, 1), ("b:1", range(-LEAD, -CUT), 1), ("b:1", range(-CUT, MINUTES + 1), 0),
        ("c:1", range(-LEAD, -CUT), 1), ("d:1", range(COMES, MINUTES + 1), 1),
    ):  # fmt: skip
        yield "up", f'job="api",instance="{instance}"', minutes, value, 0


def _openmetrics() -> str:
    found: dict[str, list[str]] = {}
    for metric, labels, minutes, first, step in _samples():
        for number, minute in enumerate(minutes):
            told = f"{metric}{{{labels}}} {first + step * number} {START.timestamp() + 60 * minute:.0f}"
            found.setdefault(metric, []).append(told)
    kinds = {"r_total": "# TYPE r counter", "up": "# TYPE up gauge"}
    kinds["process_start_time_seconds"] = "# TYPE process_start_time_seconds gauge"
    return "\n".join((*(line for metric in found for line in (kinds[metric], *found[metric])), "# EOF", ""))


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawPrometheus]:
    with recorded_prometheus(tmp_path_factory.mktemp("targets"), _openmetrics()) as url:
        source = RawPrometheus(Endpoint(url=url))
        yield source
        source.close()


def _objective(service: str, bad: str = 'code=~"5.."', name: str = "r_total") -> Objective:
    counters = Counters(f'r_total{{service="{service}"}}', bad=f'{name}{{service="{service}",{bad}}}')
    return Objective(service, service, service, 0.999, SPAN.seconds, counters, {})


def _measured(
    prometheus: RawPrometheus, service: str, bad: str = 'code=~"5.."', name: str = "r_total"
) -> Measured:
    return measure(_objective(service, bad, name), SPAN, Outside(prometheus, SPAN.end + timedelta(hours=1)))


def test_a_target_that_was_cut_off_before_the_span_is_not_covered(prometheus: RawPrometheus) -> None:
    cut = _measured(prometheus, "cut")
    assert (cut.coverage, cut.judgement.verdict) == (0, Verdict.INDETERMINATE)
    assert cut.bounds is not None
    assert cut.bounds.low < 0.55
    for service in ("gone", "alone"):
        found = _measured(prometheus, service)
        assert (found.coverage, found.judgement.verdict) == (1, Verdict.PASS), service


def test_what_an_old_process_counted_before_it_was_found_is_a_doubt(prometheus: RawPrometheus) -> None:
    found = _measured(prometheus, "old")
    assert found.bounds is not None
    assert found.ratio == 1
    assert found.bounds.high == 1
    assert found.bounds.low < 1 - OLD_FAILURES / (2 * EVENTS * MINUTES + OLD_FAILURES)
    assert found.judgement.verdict is Verdict.INDETERMINATE
    assert any("process_start_time_seconds" in one.promql for one in found.queries)


def _reported(wanted: Inputs, prometheus: RawPrometheus, cache: Path) -> tuple[SlaReport, list[Piece]]:
    store, metrics = RecordingStore(KeptOnDisk(cache, "here")), RecordingMetrics(prometheus)
    report = build_report(wanted, Outside(metrics, wanted.asked_at, store))
    asked = replace(report.inputs, label_values=tuple(metrics.label_answers))
    return replace(report, inputs=asked), packed_pieces(store.pieces.values())


def _digests(report: SlaReport) -> dict[tuple[str, datetime], str]:
    return {(one.promql, one.start): one.digest for line in report.lines for one in line.measured.queries}


def test_a_bundle_of_targets_that_came_and_went_is_verified_and_gives_the_same_bytes(
    prometheus: RawPrometheus, tmp_path: Path
) -> None:
    objectives = [_objective(service) for service in ("alone", "cut", "gone", "old")]
    day = Span(START, START + timedelta(days=1), label="2026-10-01")
    wanted = replace(
        inputs(objectives, ()), span=day, unit=None, recovered=(), url=prometheus.url,
        retention_seconds=prometheus.retention_seconds(),
    )  # fmt: skip
    report, pieces = _reported(wanted, prometheus, tmp_path / "cache")
    queries = {one.promql for line in report.lines for one in line.measured.queries}
    assert all(any(f'"{name}"' in one or f"{name}{{" in one for one in queries) for name in SIDE)
    path = tmp_path / "b.tar.gz"
    path.write_bytes(pack_bundle(report, pieces, ".tar.gz"))
    files = read_archive(path)
    found = verify_bundle(files, "b")
    assert found.problems == ()
    assert found.verdict is Verdict.PASS
    again = recompute(files, "b")
    assert report_document(again) == report_document(report)
    assert pack_bundle(again, pieces, ".tar.gz") == path.read_bytes()
    cached, _ = _reported(wanted, prometheus, tmp_path / "cache")
    assert any(one.is_kept for line in cached.lines for one in line.measured.queries)
    assert _digests(cached) == _digests(report) == _digests(again)


@pytest.mark.parametrize(
    ("bad", "name", "why"),
    [
        ('code=~"5xx"', "r_total", "no code such as 200, 503 is taken"),
        ('status=~"5.."', "r_total", "no series of r_total has the label status"),
        ('code=~"5.."', "errors_total", "errors_total has no series"),
    ],
    ids=["value", "label", "metric"],
)
def test_a_selector_that_takes_nothing_passes_nothing(
    bad: str, name: str, why: str, prometheus: RawPrometheus
) -> None:
    found = _measured(prometheus, "alone", bad, name)
    assert found.judgement.verdict is Verdict.INDETERMINATE
    assert found.judgement.reason.startswith(why)
    assert found.ratio is None
