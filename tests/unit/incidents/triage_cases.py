"""Cases that triage is tried on: recorded facts of a platform, and an investigation of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.incidents.model import Incident
from maestro_cli.incidents.register import list_incidents, signals_of
from maestro_cli.incidents.triage.investigate import Triage, TriageSettings
from maestro_cli.incidents.triage.model import Suspect, TriageReport
from tests.unit.incidents.platform import (
    FRAUD,
    NEW,
    NOTHING,
    OLD,
    Recorded,
    at,
    objective,
    pod,
    revision,
    steady,
    workload,
)
from tests.unit.incidents.world import Room, SetClock, alert

BAD_LINE = '{"time": "%s", "level": "error", "message": "inference failed: shape [1,%d] is not [1,24]"}'
DOWN_LINE = '{"level": "error", "message": "connection to feature-store:6379 refused after %d ms"}'
PODS = {
    "old": [f"{OLD}-{name}" for name in ("aaaaa", "bbbbb", "ccccc")],
    "new": [f"{NEW}-{name}" for name in ("ddddd", "fffff", "ggggg")],
}
NODES = ("node-a", "node-b", "node-c")
SETTINGS = TriageSettings(objectives=(objective("fraud-availability"),))


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path, ChangesProjection())
    made.detector.reconcile([alert()], source="alertmanager-api")
    yield made
    made.journal.close()


def quiet() -> Recorded:
    """Three old pods that serve 20 requests a second each, without errors."""
    pods = tuple(pod(name, node, created=-86400) for name, node in zip(PODS["old"], NODES, strict=True))
    series = {
        (name, node, "1", "1"): (steady(20), NOTHING) for name, node in zip(PODS["old"], NODES, strict=True)
    }
    logs = {name: [(float(s), f'{{"level":"info","message":"served {s}"}}') for s in range(-60, 30, 5)]
            for name in PODS["old"]}  # fmt: skip
    return Recorded(pods=pods, series=dict(series), logs=logs)


def bad_release() -> Recorded:
    """Revision 2 took over 20 s before the alert; 30 % of its requests fail, and it says why."""
    pods = tuple(pod(name, node, created=-21) for name, node in zip(PODS["new"], NODES, strict=True))
    series = {(name, node, "1", "1"): (steady(20, end=-18), NOTHING)
              for name, node in zip(PODS["old"], NODES, strict=True)}  # fmt: skip
    series |= {(name, node, "2", "2"): (steady(14, start=-18), steady(6, start=-18))
               for name, node in zip(PODS["new"], NODES, strict=True)}  # fmt: skip
    logs = {name: [(float(s), BAD_LINE % (f"2026-11-23T08:59:{s % 60:02d}Z", s)) for s in range(-18, 30)]
            for name in PODS["new"]}  # fmt: skip
    revisions = {FRAUD: (revision(1, OLD, -86400, "fraud=1"), revision(2, NEW, -21, "fraud=2"))}
    return Recorded(
        workloads=(workload(revision=2),), revisions=revisions, pods=pods, series=dict(series), logs=logs
    )


def investigate(room: Room, sources: Recorded, settings: TriageSettings = SETTINGS) -> TriageReport:
    incident: Incident = list_incidents(room.journal)[0]
    clock = SetClock(at(sources.now))
    triage = Triage(sources, sources, clock, settings=settings, journal=room.journal)
    return triage.investigate(incident, signals_of(room.journal, incident.id))


def first(report: TriageReport) -> Suspect:
    assert report.culprit is not None, report.suspects
    return report.culprit


def failing_without_release() -> Recorded:
    case = quiet()
    series = {key: (steady(20), steady(5, start=-30)) for key in case.series}
    return case.but(series=series)
