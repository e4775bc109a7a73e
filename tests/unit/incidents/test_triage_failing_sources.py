"""Investigations whose sources fail, lack or answer nonsense."""

from __future__ import annotations

from datetime import datetime
from threading import Event

import pytest

from maestro_cli.core.facts.cluster import ClusterEvent, Node
from maestro_cli.core.facts.metrics import Series
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.model import Severity
from maestro_cli.incidents.register import list_incidents, signals_of
from maestro_cli.incidents.triage.investigate import TIMEOUT_SECONDS, Triage, TriageSettings
from maestro_cli.incidents.triage.model import NO_CULPRIT, Lacking, SuspectKind
from tests.unit.incidents.platform import (
    Recorded,
    at,
)
from tests.unit.incidents.triage_cases import SETTINGS, bad_release, first, investigate, quiet, room
from tests.unit.incidents.world import Room, SetClock

__all__ = ["room"]  # a fixture


@pytest.mark.parametrize(
    ("down", "failed"),
    [
        ({"list_workloads"}, {"rollouts", "pods", "logs"}),
        ({"list_pods"}, {"pods", "logs"}),
        ({"list_events"}, {"events"}),
        ({"list_written"}, {"config"}),
        ({"list_nodes"}, {"nodes"}),
        ({"pod_log"}, {"logs"}),
        ({"query_range"}, {"errors", "load"}),
        ({"query"}, {"errors", "split", "latency", "quality", "load", "saturation", "memory", "budget"}),
    ],
)
def test_a_failing_collector_is_marked_and_aborts_nothing(
    room: Room, down: set[str], failed: set[str]
) -> None:
    report = investigate(room, bad_release().but(down=frozenset(down)))
    assert {item.kind for item in report.evidence if not item.ok} == failed
    follows = {"load"} if "list_workloads" in down else {"pods", "logs", "load"}
    assert all("does not answer" in item.error or item.kind in follows
               for item in report.evidence if not item.ok)  # fmt: skip
    assert len(report.evidence) == 18 + ("quality" in failed)


def test_without_any_source_there_is_still_an_answer(room: Room) -> None:
    incident = list_incidents(room.journal)[0]
    report = Triage(None, None, SetClock(at(30))).investigate(incident, ())
    assert report.conclusion == NO_CULPRIT
    assert {item.kind for item in report.evidence if item.ok} == {"alerts", "traces"}


OF_CLUSTER = {"rollouts", "config", "pods", "nodes", "events", "logs"}
OF_METRICS = {"errors", "split", "latency", "load", "saturation", "memory", "budget", "around"}


@pytest.mark.parametrize(
    ("cluster", "metrics", "missing"),
    [
        (False, True, {"this context has no cluster": OF_CLUSTER}),
        (True, False, {"this context has no Prometheus": OF_METRICS}),
        (
            False,
            False,
            {"this context has no cluster": OF_CLUSTER, "this context has no Prometheus": OF_METRICS},
        ),
    ],
)
def test_a_source_that_the_context_lacks_is_told_of_each_collector(
    room: Room, cluster: bool, metrics: bool, missing: dict[str, set[str]]
) -> None:
    incident, sources = list_incidents(room.journal)[0], bad_release()
    triage = Triage(
        sources if cluster else None,
        sources if metrics else None,
        SetClock(at(sources.now)),
        settings=SETTINGS,
        journal=room.journal,
    )
    report = triage.investigate(incident, signals_of(room.journal, incident.id))
    told: dict[str, set[str]] = {}
    for item in report.evidence:
        if not item.ok:
            told.setdefault(item.error, set()).add(item.kind)
    assert told == missing
    assert len(report.evidence) == 18
    assert {"alerts", "changes", "past"} <= {item.kind for item in report.evidence if item.ok}


def test_why_a_source_could_not_be_made_is_told(room: Room) -> None:
    incident = list_incidents(room.journal)[0]
    lacking = Lacking("the kubeconfig cannot be read", "its token is not set")
    report = Triage(None, None, SetClock(at(30)), lacking=lacking).investigate(incident, ())
    errors = {item.kind: item.error for item in report.evidence if not item.ok}
    assert (errors["pods"], errors["errors"]) == ("the kubeconfig cannot be read", "its token is not set")


def test_an_incident_that_names_nothing_is_not_blamed_on_the_context(room: Room) -> None:
    desk = IncidentDesk(room.journal, room.clock, "ana")
    incident, sources = desk.open("it is slow", severity=Severity.SEV3), quiet()
    report = Triage(sources, sources, SetClock(at(30))).investigate(incident, ())
    errors = {item.kind: item.error for item in report.evidence if not item.ok}
    assert errors["rollouts"] == "no namespace or workload to ask about"
    assert errors["logs"] == "there is no pod to read"
    assert errors["split"] == "the incident names no workload"


class Slow(Recorded):
    """Its list of nodes takes longer than a triage may."""

    clock: SetClock

    def list_nodes(self) -> tuple[Node, ...]:
        self.clock.advance(TIMEOUT_SECONDS + 1)
        return super().list_nodes()


def test_what_a_triage_had_no_time_for_is_told_as_missing(room: Room) -> None:
    case, incident = bad_release(), list_incidents(room.journal)[0]
    slow = Slow(case.workloads, case.revisions, case.pods, logs=case.logs, series=case.series)
    slow.clock = SetClock(at(case.now))
    report = Triage(slow, slow, slow.clock).investigate(incident, signals_of(room.journal, incident.id))
    errors = {item.kind: item.error for item in report.evidence if not item.ok}
    late = "no answer within the 15 s that triage may take"
    assert {kind for kind, error in errors.items() if error == late} >= {"split", "pods", "saturation"}
    assert not {"nodes", "errors", "events"} & errors.keys()  # of the first round, which had the time


def test_a_source_that_never_answers_is_told_as_missing_and_not_waited_for(room: Room) -> None:
    case, incident, over = bad_release(), list_incidents(room.journal)[0], Event()

    class Silent(Recorded):
        def query_range(self, *asked: object) -> tuple[Series, ...]:
            over.wait()
            return ()

    silent = Silent(case.workloads, case.revisions, case.pods, logs=case.logs, series=case.series)
    triage = Triage(silent, silent, SetClock(at(case.now)), settings=TriageSettings(threads=2))
    try:
        report = triage.investigate(incident, signals_of(room.journal, incident.id), timeout_seconds=0.5)
    finally:
        over.set()
    errors = {item.kind: item.error for item in report.evidence if not item.ok}
    assert errors["errors"] == "no answer within the 0.5 s that triage may take"


class Garbled(Recorded):
    def list_nodes(self) -> tuple[Node, ...]:
        raise KeyError("metadata")

    def list_events(self, namespace: str, *, since: datetime | None = None) -> tuple[ClusterEvent, ...]:
        raise TypeError("'int' object is not iterable")


def test_unreadable_answers_are_failed_evidence(room: Room) -> None:
    case = bad_release()
    report = investigate(
        room, Garbled(case.workloads, case.revisions, case.pods, logs=case.logs, series=case.series)
    )
    failed = {item.kind: item.error for item in report.evidence if not item.ok}
    assert set(failed) == {"nodes", "events"}
    assert "could not be read (KeyError" in failed["nodes"]
    assert first(report).kind is SuspectKind.RELEASE
