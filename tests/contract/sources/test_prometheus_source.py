"""The Prometheus source against the real program."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from maestro_cli.config.settings import Endpoint
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import InvalidQuery, Unreachable
from maestro_cli.core.facts.alerts import Alert
from maestro_cli.core.promql import promql_string
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.incidents.register import list_incidents, signals_of
from maestro_cli.journal.store import Journal
from maestro_cli.sources.alertmanager import Alertmanager
from maestro_cli.sources.prometheus import Prometheus

from .conftest import RunningAlertmanager, until

pytestmark = pytest.mark.contract


@pytest.fixture
def prometheus(prometheus_endpoint: Endpoint) -> Iterator[Prometheus]:
    source = Prometheus(prometheus_endpoint)
    yield source
    source.close()


def test_it_tells_version_readiness_and_targets(prometheus: Prometheus) -> None:
    assert prometheus.version().startswith("2.") or prometheus.version().startswith("3.")
    assert prometheus.ready()
    check = prometheus.check()
    assert (check.ok, check.version, check.error) == (True, prometheus.version(), "")
    until(lambda: dict(prometheus.target_health()) == {"up": 1, "down": 1})


def test_instant_queries(prometheus: Prometheus) -> None:
    up = until(lambda: len((answer := prometheus.query("up")).samples) == 2 and answer)
    assert {sample.labels["instance"]: sample.value for sample in up.samples}["127.0.0.1:1"] == 0
    assert prometheus.query("no_such_metric").samples == ()
    assert prometheus.query("1 + 1").only == 2
    at = datetime(2026, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC)
    past = prometheus.query("time()", at=at)
    assert past.only == pytest.approx(at.timestamp(), abs=0.001)
    assert past.samples[0].at == at
    assert past.at == at


def test_what_is_no_number_stays_so(prometheus: Prometheus) -> None:
    assert math.isnan(prometheus.query("vector(0) / 0").samples[0].value)
    assert prometheus.query("vector(1) / 0").only == math.inf
    assert prometheus.query("-1 / vector(0)").only == -math.inf


def test_range_queries(prometheus: Prometheus) -> None:
    start = datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    (series,) = prometheus.query_range("vector(time())", start, start + timedelta(seconds=2), 0.5)
    assert [at for at, _ in series.points] == [start + timedelta(seconds=0.5 * step) for step in range(5)]
    assert series.points[0][1] == pytest.approx(start.timestamp(), abs=0.001)
    (longest,) = prometheus.query_range("vector(1)", start, start + timedelta(seconds=10_999), 1)
    assert len(longest.points) == 11_000


@pytest.mark.parametrize(
    ("promql", "words"),
    [
        ("up{", "unexpected end of input"),
        ("", "no expression"),
        ("up[5m]", "matrix"),
        ('"text"', "string"),
        ('label_replace(up, "x", "$1", "job", "(")', "invalid regular expression"),
    ],
)
def test_a_bad_query_says_what_prometheus_said(promql: str, words: str, prometheus: Prometheus) -> None:
    with pytest.raises(InvalidQuery) as caught:
        prometheus.query(promql)
    assert words in f"{caught.value.what} {caught.value.why}"
    assert caught.value.exit_code == 2


@given(value=st.text(st.characters(codec="utf-8")))
@example(value='"} or vector(666) #')
@example(value="\\")
@example(value="\x00\x1b[31m\r\n\t\x7f\u2028\U0010ffff")
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_hostile_value_stays_data_in_a_query(value: str, prometheus: Prometheus) -> None:
    literal = promql_string(value.replace("$", "$$"))  # label_replace expands $1
    answer = prometheus.query(f'label_replace(vector(1), "x", {literal}, "", "")')
    assert len(answer.samples) == 1
    assert answer.samples[0].labels.get("x", "") == value


def test_alerts_fire_with_their_labels(prometheus: Prometheus) -> None:
    (alert,) = until(lambda: [alert for alert in prometheus.alerts() if alert.firing])
    assert alert.labels["severity"] == "page"  # an external label takes no label's place
    assert (alert.labels["zone"], alert.labels["cluster"]) == ("1", "x: #'é")
    assert alert.name == "AlwaysFiring"
    assert alert.labels["hostile"] == "\x1b[31m1"
    assert alert.annotations["summary"] == "<b>always</b>"
    assert len(alert.fingerprint) == 16
    assert alert.starts_at.tzinfo is UTC


def test_an_alert_is_the_same_one_when_an_alertmanager_appears_later(
    prometheus: Prometheus, alertmanager: RunningAlertmanager, tmp_path: Path
) -> None:
    clock = SystemClock()
    journal = Journal(tmp_path / "journal.db", projections=[IncidentProjection()], clock=clock)
    detector = Detector(journal, clock, "watch")
    later = Alertmanager(alertmanager.endpoint)

    def mine(alerts: Iterable[Alert]) -> list[Alert]:
        return [one for one in alerts if one.name in ("AlwaysFiring", "AlwaysPending")]

    told = until(lambda: len(found := mine(prometheus.alerts())) == 2 and found)
    detector.reconcile(told, source="prometheus")
    (incident,) = list_incidents(journal)
    assert incident.title == "AlwaysFiring"  # the pending one opens nothing
    detector.reconcile(until(lambda: mine(later.alerts())), source="alertmanager-api")
    (same,) = list_incidents(journal)
    (signal,) = signals_of(journal, same.id)
    assert (same.id, same.firing, signal.source) == (incident.id, 1, "alertmanager-api")
    detector.reconcile([], source="alertmanager-api", fetched_at=clock.now())
    assert list_incidents(journal)[0].firing == 0  # whoever holds it now says when it is over
    later.close()
    journal.close()


def test_another_program_is_not_taken_for_prometheus(alertmanager: RunningAlertmanager) -> None:
    source = Prometheus(alertmanager.endpoint)
    with pytest.raises(Unreachable, match="does not answer like Prometheus"):
        source.query("up")
    assert not source.check().ok
    source.close()
