"""What is unusual is recorded once, told beside incidents, and opens one only where it is trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Unreachable
from maestro_cli.core.facts.metrics import Instant, Sample, Series
from maestro_cli.incidents.intake.anomalies.judging import ROLLING
from maestro_cli.incidents.intake.anomalies.model import Measure
from maestro_cli.incidents.intake.anomalies.patrol import (
    HISTORY_DAYS,
    HOLD,
    LONGEST,
    OVERLAP,
    SOURCE,
    Patrol,
)
from maestro_cli.incidents.intake.anomalies.projection import AnomalyProjection, current_anomalies
from maestro_cli.incidents.intake.anomalies.queries import METRICS, QUERIES, SIZES
from maestro_cli.incidents.intake.blindness import read_sight
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.intake.watch import Eye, Watch
from maestro_cli.incidents.model import Severity
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.incidents.register import list_incidents
from maestro_cli.incidents.timeline import timeline
from maestro_cli.journal.model import Projection
from maestro_cli.journal.store import Journal
from maestro_cli.journal.verification import verify
from tests.unit.incidents.world import T0, SetClock, alert

PROJECTIONS: tuple[Projection, ...] = (IncidentProjection(), AnomalyProjection())
WOBBLE = (0.97, 1.0, 1.03)


class Recorded:
    """A steady service whose p95 is what `latency` says of an instant; None leaves the point out."""

    def __init__(self) -> None:
        self.latency: Callable[[datetime], float | None] = lambda at: 0.1
        self.down = self.forgets = False
        self.asked = 0
        self.series: dict[str, float] = {}  # how many there are of a metric
        self.spans: list[tuple[datetime, datetime]] = []  # of earlier days
        self.recent: list[timedelta] = []

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        assert (promql, at is not None) == (SIZES, True), "ranges are enough for the rest"
        if self.down:
            raise Unreachable("Prometheus does not answer")
        named = {name: {"__name__": name} for name in self.series}
        samples = tuple(Sample(named[name], self.series[name], at or T0) for name in self.series)
        return Instant(promql, at or T0, samples)

    def query_range(
        self, promql: str, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Series, ...]:
        self.asked += 1
        if step_seconds > 60:
            self.spans.append((start, end))
        else:
            self.recent.append(end - start)
        if self.down or (self.forgets and step_seconds > 60):
            raise Unreachable("Prometheus does not answer")
        if promql not in (QUERIES[Measure.LATENCY], QUERIES[Measure.REQUEST_RATE]):
            return ()
        points, at = [], start
        while at <= end:
            value = self.latency(at) if promql == QUERIES[Measure.LATENCY] else 50.0
            if value is not None:
                points.append((at, value * WOBBLE[int(at.timestamp() / step_seconds) % 3]))
            at += timedelta(seconds=step_seconds)
        of_nobody = Series({"namespace": "ml", "deployment": ""}, tuple(points))
        return of_nobody, Series({"namespace": "ml", "deployment": "fraud"}, tuple(points))


class Guard:
    """A journal, a patrol in it, and the watch that reads it."""

    def __init__(self, folder: Path, *trusted: Measure) -> None:
        self.clock, self.metrics, self.path = SetClock(), Recorded(), folder / "journal.db"
        self.journal = Journal(self.path, projections=PROJECTIONS, clock=self.clock)
        self.patrol = Patrol(self.metrics, self.journal, self.clock, "watch", trusted=trusted)
        self.detector = Detector(self.journal, self.clock, "watch")
        self.eye = Eye(SOURCE, self.patrol, 60, waits=True)
        self.watch = Watch(
            self.detector, None, poll_seconds=10, webhook=None, clock=self.clock,
            cancellation=Cancellation(), others=(self.eye,),
        )  # fmt: skip

    def minutes(self, count: int) -> None:
        for _ in range(count):
            self.clock.advance(60)
            self.watch.poll_eye(self.eye)

    def slow_from_now(self, value: float = 0.5) -> None:
        since, before = self.clock.now(), self.metrics.latency
        self.metrics.latency = lambda at: value if at > since else before(at)

    def kinds(self) -> list[str]:
        return [event.kind for event in self.journal.events()]


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[Guard]:
    made = Guard(tmp_path)
    yield made
    made.journal.close()


@pytest.fixture
def trusting(tmp_path: Path) -> Iterator[Guard]:
    made = Guard(tmp_path, Measure.LATENCY)
    yield made
    made.journal.close()


def test_it_is_recorded_once_when_it_begins_and_once_when_it_ends_and_opens_nothing(guard: Guard) -> None:
    guard.minutes(5)
    assert guard.kinds() == []
    guard.slow_from_now()
    guard.minutes(2)
    assert guard.kinds() == []
    other = Patrol(guard.metrics, guard.journal, guard.clock, "another watch")
    guard.minutes(10)
    other.look()
    assert guard.kinds() == ["anomaly.begun"]
    (anomaly,) = current_anomalies(guard.journal)
    assert (str(anomaly.service), anomaly.measure) == ("ml/fraud", Measure.LATENCY)
    assert "usually 97 ms to 103 ms" in anomaly.text
    guard.slow_from_now(0.1)
    guard.minutes(4)
    assert guard.kinds() == ["anomaly.begun", "anomaly.ended"]
    assert current_anomalies(guard.journal) == ()
    assert list_incidents(guard.journal) == ()
    assert verify(guard.path, PROJECTIONS).intact


def test_it_is_evidence_of_an_incident_of_its_workload(guard: Guard) -> None:
    guard.slow_from_now()
    guard.minutes(4)
    guard.detector.ingest([alert(), alert(deployment="other", service="")], source="alertmanager-api")
    guard.minutes(3)
    first = next(one for one in list_incidents(guard.journal) if one.key == "ml/fraud")
    told = [entry for entry in timeline(guard.journal, first.id) if entry.kind == "incident.evidence"]
    (evidence,) = told
    assert evidence.text.startswith("evidence anomaly: p95 latency ")
    assert evidence.data["query"] == QUERIES[Measure.LATENCY]
    assert evidence.data["facts"]["baseline"]["basis"] in evidence.data["summary"]
    guard.slow_from_now(0.1)
    guard.minutes(4)
    last = [entry.text for entry in timeline(guard.journal, first.id)][-1]
    assert last == "latency of ml/fraud is no anomaly any more: it is usual again"
    assert first.signals == 1, "beside the signals, never one of them"


def test_a_trusted_measure_opens_an_incident_of_sev3_that_clears_with_it(trusting: Guard) -> None:
    trusting.slow_from_now()
    trusting.minutes(4)
    (incident,) = list_incidents(trusting.journal)
    assert (incident.severity, incident.key, incident.firing) == (Severity.SEV3, "ml/fraud", 1)
    assert incident.title == "AnomalyLatency on ml/fraud"
    trusting.slow_from_now(0.1)
    trusting.minutes(4)
    assert list_incidents(trusting.journal)[0].firing == 0


def test_what_cannot_be_judged_any_more_is_held_for_a_while_and_given_up(guard: Guard) -> None:
    guard.slow_from_now()
    guard.minutes(4)
    gone = guard.clock.now()
    slow = guard.metrics.latency
    guard.metrics.latency = lambda at: None if at > gone else slow(at)
    guard.minutes(int(HOLD.total_seconds() / 60) - 1)
    assert guard.kinds() == ["anomaly.begun"]
    guard.minutes(3)
    assert guard.kinds() == ["anomaly.begun", "anomaly.ended"]
    assert guard.journal.events()[-1].data["reason"] == "it cannot be judged: samples are missing"


def test_what_lasts_for_a_day_is_what_is_usual(guard: Guard) -> None:
    guard.slow_from_now()
    guard.minutes(4)
    guard.clock.advance(LONGEST.total_seconds())
    guard.minutes(1)
    assert guard.journal.events()[-1].data["reason"] == "it lasted for a day, and is what is usual now"


def test_earlier_days_that_cannot_be_read_leave_the_hours_before(guard: Guard) -> None:
    guard.metrics.forgets = True
    guard.slow_from_now()
    guard.minutes(4)
    (anomaly,) = current_anomalies(guard.journal)
    assert anomaly.baseline.basis == "over the hours before"


def test_metrics_that_cannot_be_read_end_nothing_and_queries_are_few(guard: Guard) -> None:
    guard.slow_from_now()
    guard.minutes(4)
    asked = guard.metrics.asked
    guard.minutes(10)
    assert guard.metrics.asked - asked == 10 * (len(QUERIES) + 1)
    guard.metrics.down = True
    guard.clock.advance(3600)
    guard.minutes(1)
    assert guard.kinds() == ["anomaly.begun", "watch.blind"]


def test_of_earlier_days_only_what_is_near_the_hour_to_come_is_read_once_an_hour(guard: Guard) -> None:
    guard.minutes(5)
    spans = guard.metrics.spans
    assert len(spans) == HISTORY_DAYS * len(QUERIES)
    assert max(end - start for start, end in spans) <= timedelta(hours=2.5)
    guard.minutes(54)
    assert len(guard.metrics.spans) == HISTORY_DAYS * len(QUERIES)
    guard.minutes(2)
    assert len(guard.metrics.spans) == 2 * HISTORY_DAYS * len(QUERIES)


def test_a_measure_of_more_series_than_allowed_is_not_read_and_that_is_told_once(guard: Guard) -> None:
    told: list[str] = []
    patrol = Patrol(guard.metrics, guard.journal, guard.clock, "watch", max_series=100, note=told.append)
    guard.metrics.series = {METRICS[Measure.LATENCY][0]: 60.0, METRICS[Measure.LATENCY][1]: 41.0}
    guard.slow_from_now()
    for _ in range(70):  # it is weighed again after an hour
        guard.clock.advance(60)
        patrol.look()
    assert guard.kinds() == []
    assert told == ["p95 latency is not judged: its metrics have 101 series, more than 100"]
    guard.metrics.series = {}
    guard.clock.advance(3600)
    patrol.look()
    assert Measure.LATENCY in {one.measure for one in patrol.current()}


def test_a_trusted_measure_that_is_not_read_is_told_as_blind_and_silences_no_other(tmp_path: Path) -> None:
    guard = Guard(tmp_path, Measure.LATENCY, Measure.ACCURACY)
    guard.metrics.series = {METRICS[Measure.ACCURACY][0]: 10_001.0, METRICS[Measure.SATURATION][0]: 10_001.0}
    guard.slow_from_now()
    guard.minutes(4)
    assert [one.key for one in list_incidents(guard.journal)] == ["ml/fraud"]
    (blind,) = read_sight(guard.journal, others=[SOURCE]).others
    assert blind.source == "anomalies/accuracy"
    assert "10001 series, more than 10000" in blind.error
    assert guard.kinds().count("watch.blind") == 1
    guard.metrics.series = {}
    guard.clock.advance(3600)
    guard.minutes(1)
    assert read_sight(guard.journal, others=[SOURCE]).others == ()
    guard.journal.close()


def test_a_measure_that_is_trusted_no_more_is_not_told_as_blind(tmp_path: Path) -> None:
    guard = Guard(tmp_path, Measure.ACCURACY)
    guard.metrics.series = {METRICS[Measure.ACCURACY][0]: 10_001.0}
    guard.minutes(1)
    assert read_sight(guard.journal, others=[SOURCE]).others
    Patrol(guard.metrics, guard.journal, guard.clock, "watch").alerts()
    assert read_sight(guard.journal, others=[SOURCE]).others == ()
    guard.journal.close()


def test_the_hours_before_are_read_whole_once_an_hour_or_after_a_gap_and_then_only_their_end(
    guard: Guard,
) -> None:
    guard.minutes(60)
    whole = [span for span in guard.metrics.recent if span == ROLLING]
    assert len(whole) == len(QUERIES) + 1
    assert max(span for span in guard.metrics.recent if span != ROLLING) == OVERLAP
    guard.minutes(1)
    guard.clock.advance(OVERLAP.total_seconds())
    guard.minutes(1)
    assert len([span for span in guard.metrics.recent if span == ROLLING]) == 3 * (len(QUERIES) + 1)


def test_what_is_known_of_the_hours_before_is_what_reading_them_whole_would_say(guard: Guard) -> None:
    guard.metrics.forgets = True  # the hours before are all there is
    guard.minutes(50)
    guard.slow_from_now()
    guard.minutes(4)
    (found,) = current_anomalies(guard.journal)
    with TemporaryDirectory() as folder:
        other = Guard(Path(folder))
        other.metrics.forgets, other.metrics.latency = True, guard.metrics.latency
        other.clock.advance(54 * 60)
        other.watch.poll_eye(other.eye)
        (expected,) = current_anomalies(other.journal)
        other.journal.close()
    assert (found.measure, found.service) == (expected.measure, expected.service)
    assert (found.baseline.median, found.baseline.low) == pytest.approx(
        (expected.baseline.median, expected.baseline.low)
    )
