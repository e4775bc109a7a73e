"""The metrics around an incident are read once, kept, and shown with their age."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from maestro_cli.core.errors import Unreachable
from maestro_cli.core.facts.metrics import Instant, Sample, Series
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.model import Incident
from maestro_cli.incidents.ports import Metrics
from maestro_cli.incidents.report.postmortem import PostMortem
from maestro_cli.incidents.report.surroundings import (
    MAX_POINTS,
    latest_surroundings,
    measure_surroundings,
    needs_measuring,
)
from maestro_cli.incidents.triage.queries import INFERENCE
from maestro_cli.journal.verification import verify
from maestro_cli.services.reporting import pictures_of
from tests.unit.incidents.world import T0, Room, alert


class Recording:
    """A Prometheus that scrapes every second; errors are 30 % from T0 to a minute later."""

    down = False
    empty = False

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        if self.down:
            raise Unreachable("Prometheus does not answer")
        moment = at or T0
        return Instant(promql, moment, (Sample({}, 60.0, moment),))

    def query_range(
        self, promql: str, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Series, ...]:
        points = []
        moment = end + timedelta(seconds=1) if self.empty else start
        while moment <= end:
            bad = T0 <= moment < T0 + timedelta(seconds=60)
            value = 50.0 if promql.startswith("sum") else (0.3 if bad else 0.0)
            points.append((moment, float("nan") if promql.startswith("histogram") else value))
            moment += timedelta(seconds=step_seconds)
        return (Series({}, tuple(points)),)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    made.detector.reconcile([alert()], source="alertmanager-api")
    made.clock.advance(60)
    made.detector.reconcile([], source="alertmanager-api")
    IncidentDesk(made.journal, made.clock, "ana").resolve("latest")
    made.clock.advance(600)
    yield made
    assert verify(made.journal.path).intact
    made.journal.close()


def measured(room: Room, metrics: Metrics | None) -> Incident:
    desk = IncidentDesk(room.journal, room.clock, "ana")
    incident = desk.get("latest")
    desk.record_evidence("latest", [measure_surroundings(metrics, INFERENCE, incident, room.clock.now())])
    return incident


def test_what_was_read_comes_back_from_the_journal(room: Room) -> None:
    desk = IncidentDesk(room.journal, room.clock, "ana")
    assert needs_measuring(desk.get("latest"), desk.timeline("latest"), room.clock.now())
    incident = measured(room, Recording())
    read = latest_surroundings(desk.timeline("latest"))
    assert read is not None
    assert (read.start, read.end) == (T0 - timedelta(seconds=60), T0 + timedelta(seconds=120))
    errors, latency, requests = read.readings
    assert max(value for _, value in errors.points) == 30.0
    assert errors.unit == "%"
    assert latency.points == ()
    assert 1 < len(requests.points) <= MAX_POINTS
    assert not needs_measuring(incident, desk.timeline("latest"), room.clock.now())


def test_the_document_shows_figures_pictures_and_queries(room: Room) -> None:
    incident = measured(room, Recording())
    postmortem = PostMortem(room.journal, room.clock, "ana")
    text = postmortem.render("latest")
    assert "| Failed requests | 0 % | 30 % | 30 % | 0 % |" in text
    assert "| Latency, 95th percentile | no data | no data | no data | no data |" in text
    assert f"![Failed requests]({incident.id}.pictures/error-ratio.svg)" in text
    assert "latency.svg" not in text
    assert "evidence surroundings" in text, "its event stands in the timeline"
    assert text.count("### Evidence") == 0
    pictures = pictures_of(postmortem.story("latest"))
    assert set(pictures) == {"error-ratio.svg", "request-rate.svg"}
    assert "resolved" in pictures["error-ratio.svg"]


def test_what_is_old_says_its_age_and_why(room: Room) -> None:
    metrics = Recording()
    measured(room, metrics)
    room.clock.advance(7200)
    metrics.down = True
    measured(room, metrics)
    text = PostMortem(room.journal, room.clock, "ana").render("latest")
    assert "They are 2h00m old: at 2026-11-23 11:11:00 UTC they could not be read again" in text
    assert "Prometheus does not answer" in text
    assert "error-ratio.svg" in text


def test_what_was_never_read_says_why(room: Room) -> None:
    measured(room, None)
    text = PostMortem(room.journal, room.clock, "ana").render("latest")
    assert "Not read: the context has no Prometheus." in text
    assert pictures_of(PostMortem(room.journal, room.clock, "ana").story("latest")) == {}


def test_what_was_read_at_the_resolve_is_read_again_while_there_is_more_to_show(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.detector.reconcile([alert()], source="alertmanager-api")
    room.clock.advance(60)
    room.detector.reconcile([], source="alertmanager-api")
    desk = IncidentDesk(room.journal, room.clock, "ana")
    desk.resolve("latest")
    incident = measured(room, Recording())

    def needed() -> bool:
        return needs_measuring(desk.get("latest"), desk.timeline("latest"), room.clock.now())

    assert not needed()
    room.clock.advance(30)
    assert needed()
    room.clock.advance(600)
    measured(room, Recording())
    read = latest_surroundings(desk.timeline("latest"))
    assert read is not None
    assert read.end == T0 + timedelta(seconds=120)
    room.clock.advance(600)
    assert not needed()
    assert incident.times.resolved_at is not None
    room.journal.close()


def test_a_prometheus_that_forgot_replaces_nothing(room: Room) -> None:
    measured(room, Recording())
    metrics = Recording()
    metrics.empty = True
    measured(room, metrics)
    read = latest_surroundings(IncidentDesk(room.journal, room.clock, "ana").timeline("latest"))
    assert read is not None
    assert read.readings[0].points
    assert read.error == "Prometheus holds no sample of that time"
