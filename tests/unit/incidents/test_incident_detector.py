"""Deliveries become incidents, once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_cli.core.facts.alerts import Alert
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.model import Incident, Severity, State
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.incidents.register import find_incident, list_incidents, signals_of
from maestro_cli.journal.store import Transaction
from maestro_cli.journal.verification import verify
from tests.unit.growth import grows_linearly
from tests.unit.incidents.world import T0, Room, alert


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    assert verify(made.journal.path, [IncidentProjection()]).intact
    made.journal.close()


def only(room: Room) -> Incident:
    (incident,) = list_incidents(room.journal)
    return incident


def test_a_firing_alert_opens_an_incident(room: Room) -> None:
    room.clock.advance(8)
    report = room.detector.ingest([alert()], source="alertmanager-api")
    incident = only(room)
    assert report.opened == (incident.id,)
    assert (incident.number, incident.key, incident.state) == (1, "ml/fraud", State.DETECTED)
    assert incident.severity is Severity.SEV2
    assert str(incident.workload) == "ml/deploy/fraud"
    assert incident.times.started_at == T0
    assert incident.times.opened_at == T0 + timedelta(seconds=8)
    assert (incident.signals, incident.firing) == (1, 1)


def test_polling_at_rest_writes_nothing(room: Room) -> None:
    room.detector.reconcile([alert()], source="alertmanager-api")
    length = room.length
    for second in range(50):
        room.clock.advance(10)
        later = alert(annotations={"summary": "too many errors"})
        report = room.detector.reconcile([later], source="alertmanager-api")
        assert report.duplicates == 1, second
    assert room.length == length


def test_a_number_in_an_annotation_is_no_change_but_a_word_is(room: Room) -> None:
    room.detector.ingest([alert(annotations={"summary": "8.13 % errors"})], source="alertmanager-api")
    length = room.length
    room.detector.ingest([alert(annotations={"summary": "8.64 % errors"})], source="alertmanager-api")
    assert room.length == length
    report = room.detector.ingest([alert(annotations={"summary": "all down"})], source="alertmanager-api")
    assert report.changed == 1
    assert only(room).signals == 1


def test_a_resolved_alert_never_opens(room: Room) -> None:
    report = room.detector.ingest([alert(firing=False)], source="alertmanager-webhook")
    assert report.ignored == {"resolved and unknown": 1}
    assert list_incidents(room.journal) == ()
    assert room.length == 0


@pytest.mark.parametrize(
    ("ignored", "why"),
    [
        (alert(alertname="Watchdog"), "heartbeat"),
        (alert(severity="none"), "severity none"),
        (alert(suppressed_by=("silence-1",)), "suppressed"),
    ],
)
def test_what_must_not_open_does_not(room: Room, ignored: Alert, why: str) -> None:
    assert room.detector.reconcile([ignored], source="alertmanager-api").ignored == {why: 1}
    assert room.length == 0


def test_an_unknown_severity_is_not_the_lowest(room: Room) -> None:
    room.detector.ingest([alert(severity="whatever")], source="alertmanager-api")
    assert only(room).severity is Severity.SEV3


def test_a_storm_is_one_incident(room: Room) -> None:
    storm = [alert(pod=f"fraud-{n}", alertname=f"Alert{n % 40}") for n in range(800)]
    report = room.detector.reconcile(storm, source="alertmanager-api")
    assert len(report.opened) == 1
    assert report.attached == 800
    assert only(room).firing == 800
    length = room.length
    assert room.detector.reconcile(storm, source="alertmanager-api").duplicates == 800
    assert room.length == length


def test_pods_without_a_deployment_label_join_their_deployment(room: Room) -> None:
    named = alert()
    by_pod = alert(alertname="PodCrash", deployment="", service="", pod="fraud-7d9f8b6c54-x2x4z")
    assert len(room.detector.ingest([named, by_pod], source="alertmanager-api").opened) == 1


def test_a_thousand_alerts_are_one_transaction_of_two_events_each(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    transactions = []
    real = room.journal.transaction

    def counted() -> AbstractContextManager[Transaction]:
        transactions.append(room.length)
        return real()

    monkeypatch.setattr(room.journal, "transaction", counted)
    alerts = [alert(deployment=f"service-{n}", service="") for n in range(1000)]
    report = room.detector.ingest(alerts, source="alertmanager-api")
    assert len(report.opened) == 1000
    assert room.length == 2000
    assert transactions == [0]


def test_work_grows_with_the_number_of_alerts_not_with_its_square() -> None:
    def ingest(number: int) -> None:
        with TemporaryDirectory() as folder:
            fresh = Room(Path(folder))
            alerts = [alert(deployment=f"service-{n}", service="") for n in range(number)]
            fresh.detector.ingest(alerts, source="alertmanager-api")
            fresh.journal.close()

    assert grows_linearly(ingest, 100)


def test_a_vanished_alert_counts_as_resolved(room: Room) -> None:
    room.detector.reconcile([alert(), alert(pod="b")], source="alertmanager-api")
    room.clock.advance(10)
    report = room.detector.reconcile([alert()], source="alertmanager-api")
    assert (report.resolved, report.cleared) == (1, ())
    room.clock.advance(10)
    report = room.detector.reconcile([], source="alertmanager-api")
    incident = only(room)
    assert report.cleared == (incident.id,)
    assert incident.state is State.DETECTED  # people resolve, signals only clear
    assert incident.signals_cleared_at == room.clock.now()
    length = room.length
    room.clock.advance(10)
    room.detector.reconcile([], source="alertmanager-api")
    assert room.length == length


def test_an_answer_does_not_resolve_what_was_learnt_after_it_was_asked_for(room: Room) -> None:
    asked_at = room.clock.now()
    room.clock.advance(0.2)
    room.detector.ingest([alert(source="alertmanager-webhook")], source="alertmanager-webhook")
    room.clock.advance(0.2)
    room.detector.reconcile([], source="alertmanager-api", fetched_at=asked_at)
    assert only(room).firing == 1


def test_a_partial_delivery_resolves_nothing(room: Room) -> None:
    room.detector.ingest([alert(), alert(pod="b")], source="alertmanager-api")
    room.clock.advance(10)
    room.detector.ingest([alert()], source="alertmanager-webhook")
    assert only(room).firing == 2


def test_a_user_report_does_not_vanish(room: Room) -> None:
    IncidentDesk(room.journal, room.clock, "ana").open("customers cannot pay")
    room.clock.advance(10)
    room.detector.reconcile([], source="alertmanager-api")
    (signal,) = signals_of(room.journal, only(room).id)
    assert signal.firing


def test_flapping_is_counted_on_one_incident(room: Room) -> None:
    for _ in range(4):
        room.detector.reconcile([alert()], source="alertmanager-api")
        room.clock.advance(10)
        room.detector.reconcile([], source="alertmanager-api")
        room.clock.advance(10)
    (signal,) = signals_of(room.journal, only(room).id)
    assert signal.flaps == 3
    assert not signal.firing


def resolved_incident(room: Room) -> Incident:
    room.detector.reconcile([alert()], source="alertmanager-api")
    room.clock.advance(10)
    room.detector.reconcile([], source="alertmanager-api")
    room.clock.advance(10)
    desk = IncidentDesk(room.journal, room.clock, "ana")
    return desk.resolve("latest", force=True, reason="gone by itself")


def test_the_same_alert_soon_after_reopens(room: Room) -> None:
    incident = resolved_incident(room)
    room.clock.advance(800)
    again = alert(starts_at=room.clock.now())
    report = room.detector.reconcile([again], source="alertmanager-api")
    assert report.reopened == (incident.id,)
    reopened = only(room)
    assert (reopened.state, reopened.reopen_count) == (State.TRIAGING, 1)
    assert reopened.times.resolved_at is None


@pytest.mark.parametrize(("was", "now"), [(False, True), (True, False), (True, True)])
def test_a_drill_and_a_real_incident_never_reopen_each_other(room: Room, was: bool, now: bool) -> None:
    drill = was
    room.detector = Detector(room.journal, room.clock, "watch", drill=lambda: drill)
    old = resolved_incident(room)
    room.clock.advance(60)
    drill = now
    room.detector = Detector(room.journal, room.clock, "watch", drill=lambda: drill)
    report = room.detector.reconcile([alert(starts_at=room.clock.now())], source="alertmanager-api")
    if was is now:
        assert report.reopened == (old.id,)
    else:
        [opened] = report.opened
        new = find_incident(room.journal, opened)
        assert (new.drill, new.same_as) == (now, old.id)
        assert find_incident(room.journal, old.id).state is State.RESOLVED


def test_the_same_alert_later_is_a_new_incident_linked_to_the_old(room: Room) -> None:
    old = resolved_incident(room)
    room.clock.advance(901)
    report = room.detector.reconcile([alert(starts_at=room.clock.now())], source="alertmanager-api")
    new = find_incident(room.journal, report.opened[0])
    assert (new.number, new.same_as) == (2, old.id)
    assert find_incident(room.journal, old.id).state is State.RESOLVED


@pytest.mark.parametrize("end", ["resolve", "dismiss"])
def test_what_people_ended_stays_ended_while_it_fires_on(room: Room, end: str) -> None:
    room.detector.reconcile([alert()], source="alertmanager-api")
    desk = IncidentDesk(room.journal, room.clock, "ana")
    if end == "resolve":
        desk.resolve("latest", force=True, reason="known")
    else:
        desk.dismiss("latest", "false alarm")
    length = room.length
    for _ in range(5):
        room.clock.advance(10)
        room.detector.reconcile([alert()], source="alertmanager-api")
    assert room.length == length
    room.clock.advance(10)
    room.detector.reconcile([], source="alertmanager-api")
    room.clock.advance(10)
    room.detector.reconcile([alert(starts_at=room.clock.now())], source="alertmanager-api")
    expected = 1 if end == "resolve" else 2
    assert len(list_incidents(room.journal)) == expected
    assert list_incidents(room.journal)[0].state.is_open


def test_a_webhook_delivered_again_after_the_end_changes_nothing(room: Room) -> None:
    fire = alert(source="alertmanager-webhook")
    ended = alert(firing=False, ends_at=T0 + timedelta(seconds=30), source="alertmanager-webhook")
    room.clock.advance(1)
    for delivery in ([fire], [ended]):
        room.detector.ingest(delivery, source="alertmanager-webhook")
        room.clock.advance(60)
    length = room.length
    for delivery in ([fire], [ended], [fire, ended]):
        room.detector.ingest(delivery, source="alertmanager-webhook")
    assert room.length == length


def test_a_late_end_of_an_earlier_episode_does_not_end_the_new_one(room: Room) -> None:
    room.clock.advance(500)
    room.detector.ingest([alert(starts_at=T0 + timedelta(seconds=400))], source="alertmanager-api")
    old = alert(
        firing=False, starts_at=T0, ends_at=T0 + timedelta(seconds=100), source="alertmanager-webhook"
    )
    room.detector.ingest([old], source="alertmanager-webhook")
    assert only(room).firing == 1


def test_an_earlier_start_moves_t0_and_a_senseless_one_does_not(room: Room) -> None:
    room.clock.advance(100)
    room.detector.ingest([alert(starts_at=room.clock.now())], source="alertmanager-api")
    room.detector.ingest([alert(pod="b", starts_at=T0 + timedelta(seconds=40))], source="alertmanager-api")
    assert only(room).times.started_at == T0 + timedelta(seconds=40)
    zero = T0.replace(year=1, month=1, day=1)
    room.detector.ingest([alert(pod="c", starts_at=zero)], source="alertmanager-api")
    future = T0 + timedelta(days=900)
    room.detector.ingest([alert(pod="d", starts_at=future)], source="alertmanager-api")
    assert only(room).times.started_at == T0 + timedelta(seconds=40)
    assert all(signal.starts_at <= room.clock.now() for signal in signals_of(room.journal, only(room).id))


def test_alerts_without_a_workload_correlate_by_name(room: Room) -> None:
    def bare(name: str, instance: str) -> Alert:
        return alert(alertname=name, instance=instance, namespace="", deployment="", service="")

    alerts = [*(bare("DiskFull", f"h{n}") for n in range(9)), bare("ClockSkew", "")]
    room.detector.ingest(alerts, source="alertmanager-api")
    assert {incident.key for incident in list_incidents(room.journal)} == {
        "alert/-/DiskFull",
        "alert/-/ClockSkew",
    }


_alerts = st.builds(
    lambda pod, deployment, firing, start, source: replace(
        alert(
            pod=pod,
            deployment=deployment,
            firing=firing,
            starts_at=T0 + timedelta(seconds=start),
            source=source,
        )
    ),
    st.sampled_from(["a", "b"]),
    st.sampled_from(["fraud", "risk", ""]),
    st.booleans(),
    st.sampled_from([0, 0, 60, 3000]),
    st.sampled_from(["alertmanager-api", "alertmanager-webhook"]),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(_alerts, max_size=5), max_size=6))
def test_any_sequence_twice_gives_the_same_incidents(deliveries: list[list[Alert]]) -> None:
    with TemporaryDirectory() as folder:
        room = Room(Path(folder))
        room.clock.advance(4000)
        try:
            shapes = []
            for _ in range(2):
                for delivery in deliveries:
                    room.detector.ingest(delivery, source="alertmanager-api")
                    room.clock.advance(1)
                shapes.append(sorted((i.id, i.key, i.state, i.signals) for i in list_incidents(room.journal)))
            assert shapes[0] == shapes[1]
            open_keys = [i.key for i in list_incidents(room.journal) if i.state.is_open]
            assert len(open_keys) == len(set(open_keys))
        finally:
            room.journal.close()


def test_a_delivery_asks_once_whatever_it_holds(room: Room) -> None:
    """Of what is known, and whether a drill runs; only what is written grows with it."""
    asked: list[str] = []

    def is_drill() -> bool:
        asked.append("drill")
        return True

    detector = Detector(room.journal, room.clock, "watch", drill=is_drill)

    def reads(number: int, many: int) -> int:
        statements: list[str] = []
        room.journal._db.set_trace_callback(statements.append)
        alerts = [alert(deployment=f"s-{number}-{n}", service="") for n in range(many)]
        report = detector.ingest(alerts, source="alertmanager-api")
        room.journal._db.set_trace_callback(None)
        assert len(report.opened) == many
        return sum(1 for statement in statements if statement.lstrip().startswith("SELECT"))

    assert reads(1, 1) == reads(2, 100)
    assert asked == ["drill", "drill"]
    assert {incident.drill for incident in list_incidents(room.journal)} == {True}


def test_one_alert_twice_in_a_delivery_is_judged_by_what_the_first_did(room: Room) -> None:
    first = alert()
    later = alert(annotations={"summary": "far too many errors"})
    gone = alert(firing=False)
    report = room.detector.ingest([first, first, later, gone, gone], source="alertmanager-api")
    assert (report.attached, report.duplicates, report.changed, report.resolved) == (1, 2, 1, 1)
    assert report.cleared == (only(room).id,)


def test_one_key_twice_in_a_delivery_is_one_incident(room: Room) -> None:
    alerts = [alert(pod="a"), alert(deployment="other", service=""), alert(pod="b")]
    report = room.detector.ingest(alerts, source="alertmanager-api")
    assert (len(report.opened), report.attached) == (2, 3)
    assert [incident.number for incident in list_incidents(room.journal)] == [2, 1]
