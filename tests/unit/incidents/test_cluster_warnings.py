"""Warnings of a cluster become signals by a table: from how many on, of what, and until when."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Refused
from maestro_cli.core.facts.alerts import Alert
from maestro_cli.core.facts.cluster import ClusterEvent, Pod
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.incidents.intake.blindness import read_sight
from maestro_cli.incidents.intake.correlation import IntakePolicy, opening_severity
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.intake.warnings import (
    SOURCE,
    TABLE,
    WarningSignals,
    signals_of_warnings,
    times_within,
)
from maestro_cli.incidents.intake.watch import Eye, Watch
from maestro_cli.incidents.model import Severity
from maestro_cli.incidents.register import list_incidents, signals_of, standing_signals, vanished_signals
from tests.unit.incidents.world import T0, Room, alert

HOSTILE = "Back-off \x1b[31m$(reboot) <b>"
POD = "fraud-5d8f9c7b6d-x7k2p"


def event(
    reason: str = "BackOff", *, count: int = 3, first: float = 0, last: float = 60, name: str = POD,
    kind: str = "Pod", message: str = HOSTILE, type: str = "Warning",
) -> ClusterEvent:  # fmt: skip
    return ClusterEvent(
        "ml", f"{name}.1", type, Untrusted(reason), Untrusted(message), kind, name,
        T0 + timedelta(seconds=first), T0 + timedelta(seconds=last), count,
    )  # fmt: skip


def pod(name: str, owner_kind: str, owner: str) -> dict[tuple[str, str], Pod]:
    return {
        ("ml", name): Pod(
            "ml", name, "uid", "Running", True, "a", "", T0, False, owner, {}, (), owner_kind=owner_kind
        )
    }


def firing(*events: ClusterEvent) -> tuple[Alert, ...]:
    return signals_of_warnings(events, {}, TABLE, {}, T0 + timedelta(seconds=61))


class Cluster:
    def __init__(self) -> None:
        self.events: Sequence[ClusterEvent] = ()
        self.down = False

    def list_warnings(self, namespace: str | None) -> tuple[ClusterEvent, ...]:
        if self.down:
            raise Refused("the cluster refuses", why="forbidden")
        return tuple(self.events)

    def list_pods(self, namespace: str | None, *, selector: str = "") -> tuple[Pod, ...]:
        return ()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.journal.close()


def watching(room: Room, cluster: Cluster) -> tuple[Watch, Eye]:
    signals = WarningSignals(cluster, room.journal, room.clock, namespace="ml")
    eye = Eye(SOURCE, signals, 30)
    watch = Watch(
        Detector(room.journal, room.clock, "watch"), None, poll_seconds=10, webhook=None, clock=room.clock,
        cancellation=Cancellation(), others=(eye,),
    )  # fmt: skip
    return watch, eye


@pytest.mark.parametrize("reason", sorted(TABLE))
def test_one_fewer_than_the_threshold_is_no_signal_and_none_is_above_sev3(reason: str) -> None:
    rule = TABLE[reason]
    (signal,) = firing(event(reason, count=rule.threshold))
    assert opening_severity(signal, IntakePolicy()) is rule.severity
    assert rule.severity in (Severity.SEV3, Severity.SEV4)
    assert firing(event(reason, count=rule.threshold - 1)) == ()


def test_no_severity_word_opens_above_sev3() -> None:
    (signal,) = firing(event())
    shouting = replace(signal, labels={**signal.labels, "severity": "sev1"})
    assert opening_severity(shouting, IntakePolicy()) is Severity.SEV3
    assert opening_severity(alert(severity="sev1"), IntakePolicy()) is Severity.SEV1


def test_what_the_table_does_not_know_and_what_is_normal_is_no_signal() -> None:
    assert firing(event("Sneezed", count=99), event(type="Normal", count=99)) == ()


def test_what_happened_before_the_window_does_not_count() -> None:
    day = 86_400.0
    assert firing(event(count=100, first=-100 * day, last=60)) == ()
    assert times_within(event(count=3, first=0, last=60), T0 + timedelta(seconds=5000), 600) == 0
    assert times_within(event(count=11, first=0, last=1000), T0 + timedelta(seconds=1000), 500) == 6


@given(st.integers(1, 1000), st.floats(0, 1e6), st.floats(1, 1e5))
def test_never_more_than_there_were_and_at_least_the_last(count: int, span: float, window: float) -> None:
    one = event(count=count, first=0, last=span)
    assert 1 <= times_within(one, one.last_seen_at, window) <= count


def test_an_object_and_reason_is_one_signal_whatever_its_messages() -> None:
    one, other = event(count=2), replace(event(count=1, message="another"), name="2")
    (signal,) = firing(one, other)
    assert signal.labels["pod"] == POD
    assert isinstance(signal.annotations["summary"], Untrusted)
    assert len(firing(event(), event("Evicted"), event(name="fraud-5d8f9c7b6d-aaaaa"))) == 3


@pytest.mark.parametrize(
    ("kind", "name", "pods", "labels"),
    [
        ("Pod", POD, {}, {"deployment": "fraud"}),  # it is gone: its name still tells
        ("Pod", "odd", pod("odd", "ReplicaSet", "fraud-5d8f9c7b6d"), {"deployment": "fraud"}),
        ("Pod", "db-0", pod("db-0", "StatefulSet", "db"), {"statefulset": "db"}),
        ("Pod", "log-x7k2p", pod("log-x7k2p", "DaemonSet", "log"), {"daemonset": "log"}),
        ("Pod", "alone", pod("alone", "", ""), {"pod": "alone"}),
        ("ReplicaSet", "fraud-5d8f9c7b6d", {}, {"deployment": "fraud"}),
        ("Deployment", "fraud", {}, {"deployment": "fraud"}),
        ("Node", "node-a", {}, {"node": "node-a", "namespace": ""}),
        ("Evil{x=\"", "y", {}, {"object": "y"}),
    ],
)  # fmt: skip
def test_labels_name_the_workload_as_alerts_do(
    kind: str, name: str, pods: dict[tuple[str, str], Pod], labels: dict[str, str]
) -> None:
    events = [event("Evicted", kind=kind, name=name)]
    (signal,) = signals_of_warnings(events, pods, TABLE, {}, T0 + timedelta(seconds=61))
    assert {key: signal.labels.get(key, "") for key in labels} == labels


def test_a_warning_joins_the_incident_of_its_workload_and_ends_when_it_is_quiet(room: Room) -> None:
    cluster = Cluster()
    watch, eye = watching(room, cluster)
    room.detector.ingest([alert()], source="alertmanager-api")
    cluster.events = [event()]
    room.clock.advance(61)
    watch.poll_eye(eye)
    (incident,) = list_incidents(room.journal)
    assert (incident.signals, incident.firing, incident.severity) == (2, 2, Severity.SEV2)
    length = room.length
    for last in (120, 600, 1100):  # ever rarer, as back-off makes it, and never quiet for long
        room.clock.advance(T0.timestamp() + last - room.clock.monotonic())
        cluster.events = [event(count=4, last=last)]
        watch.poll_eye(eye)
    assert room.length == length, "a signal that goes on says nothing new"
    room.clock.advance(TABLE["BackOff"].quiet_seconds)
    watch.poll_eye(eye)
    assert list_incidents(room.journal)[0].firing == 1


def test_alone_it_opens_an_incident_which_starts_when_it_began(room: Room) -> None:
    cluster = Cluster()
    watch, eye = watching(room, cluster)
    cluster.events = [event(count=1000, first=-500_000, last=0)]
    watch.poll_eye(eye)
    assert list_incidents(room.journal) == ()
    cluster.events = [event(count=9000, first=-500_000, last=0)]  # the rate is high enough now
    watch.poll_eye(eye)
    (incident,) = list_incidents(room.journal)
    assert (incident.severity, incident.key) == (Severity.SEV3, "ml/fraud")
    assert incident.times.started_at == T0 - timedelta(seconds=TABLE["BackOff"].window_seconds)
    (signal,) = signals_of(room.journal, incident.id)
    assert signal.source == SOURCE


def test_a_cluster_that_does_not_tell_resolves_nothing(room: Room) -> None:
    cluster = Cluster()
    watch, eye = watching(room, cluster)
    cluster.events = [event(last=0)]
    watch.poll_eye(eye)
    cluster.down = True
    room.clock.advance(3600)
    watch.poll_eye(eye)
    assert list_incidents(room.journal)[0].firing == 1
    assert [one.error for one in read_sight(room.journal, others=(SOURCE,)).others] == [
        "the cluster refuses: forbidden"
    ]


def test_what_fires_of_a_source_is_found_without_reading_what_ever_came(room: Room) -> None:
    class Plans:
        """Answers no query, and keeps how each would be read."""

        def __init__(self) -> None:
            self.steps: list[str] = []

        def query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[sqlite3.Row]:
            rows = room.journal.query(f"EXPLAIN QUERY PLAN {sql}", parameters)
            self.steps += [row["detail"] for row in rows]
            return []

    plans = Plans()
    vanished_signals(plans, "alertmanager", (), T0)
    standing_signals(plans, SOURCE)
    assert sum("USING INDEX incident_signals_firing" in step for step in plans.steps) == 2, plans.steps
