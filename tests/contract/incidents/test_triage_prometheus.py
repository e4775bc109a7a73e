"""Triage against a real Prometheus that holds a recorded bad release."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.config.settings import Endpoint
from maestro_cli.incidents.register import list_incidents, signals_of
from maestro_cli.incidents.triage.investigate import Triage
from maestro_cli.incidents.triage.model import NO_CULPRIT, SuspectKind
from maestro_cli.incidents.triage.queries import INFERENCE, Queries
from maestro_cli.sources.prometheus import Prometheus
from tests.contract.recorded_prometheus import recorded_prometheus
from tests.unit.incidents.platform import FRAUD, Recorded, at
from tests.unit.incidents.triage_cases import SETTINGS, bad_release, failing_without_release
from tests.unit.incidents.world import T0, Room, SetClock, alert

pytestmark = pytest.mark.contract

MOST_QUERIES = 36
FIRST_SECOND, LAST_SECOND = -900, 31


def openmetrics(case: Recorded) -> str:
    """The case's counters, a sample a second, as a scrape would have stored them."""
    counters: list[str] = []
    buckets: list[str] = []
    for (pod, node, revision, version), (good, bad) in case.series.items():
        labels = (
            f'namespace="ml",deployment="fraud",pod="{pod}",node="{node}",revision="{revision}",'
            f'model="fraud",version="{version}"'
        )
        for code, counter in (("200", good), ("500", bad)):
            counters += _samples("maestro_inference_requests_total", f'{labels},code="{code}"', counter, 1.0)
        for le, share in (("0.05", 0.5), ("0.1", 1.0), ("+Inf", 1.0)):
            name = "maestro_inference_duration_seconds_bucket"
            buckets += _samples(name, f'{labels},le="{le}"', good, share)
    types = (
        "# TYPE maestro_inference_requests counter",
        "# TYPE maestro_inference_duration_seconds histogram",
    )
    return "\n".join([types[0], *counters, types[1], *buckets, "# EOF", ""])


def _samples(name: str, labels: str, counter: object, share: float) -> Iterator[str]:
    assert callable(counter)
    start = T0.timestamp()
    origin = counter(FIRST_SECOND)
    for second in range(FIRST_SECOND, LAST_SECOND):
        if labels.find('revision="2"') >= 0 and second < -20:
            continue  # the pods were not there yet
        yield f"{name}{{{labels}}} {share * (counter(second) - origin):.3f} {start + second:.0f}"


@pytest.fixture(scope="module", params=["bad release", "no release"])
def history(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """A Prometheus over the case's blocks; gives its URL and the case's name."""
    case = bad_release() if request.param == "bad release" else failing_without_release()
    with recorded_prometheus(tmp_path_factory.mktemp("prometheus"), openmetrics(case)) as url:
        yield url, request.param


def count_calls(prometheus: Prometheus, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queries asked from now on; they are answered as before."""
    asked: list[str] = []

    def counted(name: str) -> None:
        real = getattr(prometheus, name)

        def ask(promql: str, *arguments: Any, **options: Any) -> Any:
            asked.append(promql)
            return real(promql, *arguments, **options)

        monkeypatch.setattr(prometheus, name, ask)

    for name in ("query", "query_range"):
        counted(name)
    return asked


def test_the_verdict_on_real_series(
    history: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, name = history
    case = bad_release() if name == "bad release" else failing_without_release()
    room = Room(tmp_path, ChangesProjection())
    room.detector.reconcile([alert()], source="alertmanager-api")
    incident = list_incidents(room.journal)[0]
    prometheus = Prometheus(Endpoint(url))
    asked = count_calls(prometheus, monkeypatch)
    triage = Triage(case, prometheus, SetClock(at(30)), settings=SETTINGS, journal=room.journal)
    report = triage.investigate(incident, signals_of(room.journal, incident.id))
    assert len(asked) <= MOST_QUERIES
    assert [item.kind for item in report.evidence if not item.ok] == []
    split = next(item for item in report.evidence if item.kind == "split").facts
    if name == "bad release":
        assert report.culprit is not None
        assert report.culprit.kind is SuspectKind.RELEASE
        assert abs((report.onset.at - at(-18)).total_seconds()) <= 3
        assert split["version"]["2"]["error_ratio_since"] == pytest.approx(0.3, abs=0.02)
        impact = triage.measure_impact(incident, (), onset=report.onset.at)
        assert impact.facts["errors"] == pytest.approx(18 * 48, rel=0.1)
    else:
        assert report.conclusion == NO_CULPRIT
        assert abs((report.onset.at - at(-30)).total_seconds()) <= 3
        assert split["revision"]["1"]["errors_before"] < 10
    room.journal.close()


def test_a_workload_without_errors_or_series(history: tuple[str, str]) -> None:
    url, _ = history
    prometheus = Prometheus(Endpoint(url))
    queries = Queries(INFERENCE, FRAUD)
    assert prometheus.query(queries.error_ratio(5), at=at(-100)).only == 0
    assert prometheus.query(queries.error_ratio(5), at=at(-5000)).samples == ()


@pytest.mark.parametrize("text", ['"} or vector(1) #', "\\", "a\nb\r\t\x00\x7f", "é\u202e", "{{x}}", "'`"])
def test_prometheus_reads_a_hostile_name_as_one_literal(history: tuple[str, str], text: str) -> None:
    url, _ = history
    hostile = type(FRAUD)("Deployment", text, text)
    assert (
        Prometheus(Endpoint(url)).query(Queries(INFERENCE, hostile).requests_total(60), at=at(0)).samples
        == ()
    )
