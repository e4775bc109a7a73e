"""What responders may do, and when they are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from maestro_cli.core.errors import ExitCode, GateNotMet, NotFound, UsageError
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.incidents.desk import DeskPolicy, IncidentDesk
from maestro_cli.incidents.model import Incident, Severity, State
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.journal.verification import verify
from tests.unit.incidents.world import Room, alert


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    made.detector.reconcile([alert()], source="alertmanager-api")
    yield made
    assert verify(made.journal.path, [IncidentProjection()]).intact
    made.journal.close()


@pytest.fixture
def desk(room: Room) -> IncidentDesk:
    return IncidentDesk(room.journal, room.clock, "ana")


def clear(room: Room) -> None:
    room.clock.advance(5)
    room.detector.reconcile([], source="alertmanager-api")
    room.clock.advance(5)


def to_monitoring(desk: IncidentDesk) -> Incident:
    desk.ack("latest")
    desk.start_triage("latest")
    desk.triaged("latest", severity=Severity.SEV1)
    return desk.mitigated("latest", run="run-1")


def test_the_whole_life(room: Room, desk: IncidentDesk) -> None:
    incident = to_monitoring(desk)
    assert (incident.state, incident.owner, incident.severity) == (State.MONITORING, "ana", Severity.SEV1)
    clear(room)
    assert desk.resolve("latest").state is State.RESOLVED
    with pytest.raises(GateNotMet, match="post-mortem"):
        desk.close("latest")
    assert desk.publish_postmortem("latest", path="pm.md", sha256="0" * 64).state is State.POSTMORTEM
    assert desk.close("latest").state is State.CLOSED
    kinds = [entry.kind for entry in desk.timeline("latest")]
    assert kinds == [
        "incident.opened",
        "incident.signal",
        "incident.acked",
        "incident.owner_set",
        "incident.triage_started",
        "incident.severity_set",
        "incident.triaged",
        "incident.mitigated",
        "incident.signal",
        "incident.signals_cleared",
        "incident.resolved",
        "incident.postmortem_published",
        "incident.closed",
    ]


def test_resolving_while_it_fires_needs_force_and_a_reason(room: Room, desk: IncidentDesk) -> None:
    to_monitoring(desk)
    length = room.length
    with pytest.raises(GateNotMet, match="1 signal still firing") as refused:
        desk.resolve("latest")
    assert refused.value.exit_code is ExitCode.GATE_NOT_MET
    with pytest.raises(UsageError, match="reason"):
        desk.resolve("latest", force=True)
    assert room.length == length
    assert desk.resolve("latest", force=True, reason="rule is wrong").state is State.RESOLVED


def test_a_settle_time_holds_back_a_resolve(room: Room) -> None:
    desk = IncidentDesk(room.journal, room.clock, "ana", policy=DeskPolicy(settle_seconds=300))
    to_monitoring(desk)
    clear(room)
    with pytest.raises(GateNotMet, match="yet"):
        desk.resolve("latest")
    room.clock.advance(300)
    assert desk.resolve("latest").state is State.RESOLVED


def test_a_late_ack_does_not_unresolve(room: Room, desk: IncidentDesk) -> None:
    to_monitoring(desk)
    clear(room)
    resolved = desk.resolve("latest")
    after = IncidentDesk(room.journal, room.clock, "bo").ack("latest")
    assert after == resolved
    assert desk.timeline("latest")[-1].text == "acknowledged, late"


def test_the_first_ack_counts(room: Room, desk: IncidentDesk) -> None:
    first = desk.ack("latest")
    room.clock.advance(60)
    second = IncidentDesk(room.journal, room.clock, "bo").ack("latest")
    assert second.times.acked_at == first.times.acked_at
    assert second.owner == "ana"


def test_who_acknowledged_is_told_and_nothing_is_added(room: Room, desk: IncidentDesk) -> None:
    assert desk.acknowledge("latest").remark == ""
    first, length = room.clock.now(), room.length
    room.clock.advance(60)
    for actor in ("ana", "bo"):
        again = IncidentDesk(room.journal, room.clock, actor).acknowledge("latest")
        assert (again.by, again.at, again.is_new) == ("ana", first, False)
        assert "acknowledged already: by ana, " in again.remark
    assert room.length == length
    assert desk.assign("latest", None).owner is None
    taken = IncidentDesk(room.journal, room.clock, "bo").ack("latest")
    assert taken.owner == "bo"
    assert desk.timeline("latest")[-1].kind == "incident.owner_set"


def test_after_the_end_a_late_ack_is_kept_once_and_after_a_reopening_anew(
    room: Room, desk: IncidentDesk
) -> None:
    desk.resolve("latest", force=True, reason="rule is wrong")
    late = desk.acknowledge("latest")
    assert (late.is_late, late.is_new) == (True, True)
    assert "is resolved: the acknowledgement is late" in late.remark
    length = room.length
    assert not desk.acknowledge("latest").is_new
    assert room.length == length
    desk.reopen("latest", "it came back")
    anew = desk.acknowledge("latest")
    assert (anew.is_late, anew.is_new) == (False, True)
    assert [entry.text for entry in desk.timeline("latest")].count("acknowledged") == 1


def test_a_person_acknowledges_after_the_watcher_that_responds(room: Room, desk: IncidentDesk) -> None:
    watch = IncidentDesk(room.journal, room.clock, "watch")
    incident = watch.ack("latest")
    begun = {"incident": incident.id, "playbook": "p"}
    with room.journal.transaction() as transaction:
        transaction.append("incident.response_begun", incident.subject, "watch", begun)
    assert desk.acknowledge("latest").is_new
    assert not IncidentDesk(room.journal, room.clock, "bo").acknowledge("latest").is_new
    with room.journal.transaction() as transaction:
        transaction.append("incident.handed_over", incident.subject, "watch", begun)
    assert IncidentDesk(room.journal, room.clock, "bo").acknowledge("latest").by == "ana"


def test_what_a_watcher_left_to_people_is_acknowledged_by_nobody(room: Room, desk: IncidentDesk) -> None:
    incident = IncidentDesk(room.journal, room.clock, "watch").ack("latest")
    with room.journal.transaction() as transaction:
        left = {"incident": incident.id, "playbook": ""}
        transaction.append("incident.handed_over", incident.subject, "watch", left)
    assert desk.acknowledge("latest").is_new


def test_a_sequence_that_was_never_written_is_a_mistake(room: Room, desk: IncidentDesk) -> None:
    last = room.journal.head().seq
    with pytest.raises(UsageError, match=f"no event {last + 1} was ever written"):
        desk.ack("latest", expected_seq=last + 1)
    assert room.journal.head().seq == last
    assert desk.ack("latest", expected_seq=last).owner == "ana"


def test_notes_obey_the_sequence_and_do_not_move_it(desk: IncidentDesk) -> None:
    seen = desk.get("latest").seq
    assert desk.note("latest", "one", expected_seq=seen).seq == seen
    desk.note("latest", "two", expected_seq=seen)
    desk.ack("latest")
    with pytest.raises(GateNotMet, match="changed since you looked"):
        desk.note("latest", "three", expected_seq=seen)


def test_a_stale_command_is_refused_with_what_is_newer(room: Room, desk: IncidentDesk) -> None:
    seen = desk.get("latest").seq
    IncidentDesk(room.journal, room.clock, "bo").start_triage("latest", expected_seq=seen)
    with pytest.raises(GateNotMet, match="changed since you looked") as refused:
        desk.dismiss("latest", "noise", expected_seq=seen)
    assert "bo: triage started" in refused.value.why
    assert desk.get("latest").state is State.TRIAGING


def test_a_storm_does_not_make_a_command_stale(room: Room, desk: IncidentDesk) -> None:
    seen = desk.get("latest").seq
    room.detector.ingest([alert(pod=f"p{n}") for n in range(20)], source="alertmanager-api")
    assert desk.ack("latest", expected_seq=seen).owner == "ana"


def test_what_cleared_before_anybody_came_can_be_resolved(room: Room, desk: IncidentDesk) -> None:
    with pytest.raises(GateNotMet, match="still firing"):
        desk.resolve("latest")
    room.clock.advance(10)
    room.detector.reconcile([], source="alertmanager-api")
    assert desk.resolve("latest").state is State.RESOLVED


@pytest.mark.parametrize(
    "command",
    [
        lambda desk: desk.triaged("latest", owner="ana"),
        lambda desk: desk.reopen("latest", "x"),
        lambda desk: desk.close("latest"),
        lambda desk: desk.publish_postmortem("latest", path="x", sha256=""),
    ],
)
def test_a_transition_not_in_the_table_is_refused(
    room: Room, desk: IncidentDesk, command: Callable[[IncidentDesk], Incident]
) -> None:
    length = room.length
    with pytest.raises(GateNotMet, match="is detected"):
        command(desk)
    assert room.length == length


def test_who_mitigates_in_triage_has_judged_it(desk: IncidentDesk) -> None:
    desk.start_triage("latest")
    incident = desk.mitigated("latest", note="rolled back by hand")
    assert (incident.state, incident.owner) == (State.MONITORING, "ana")
    assert incident.times.triaged_at == incident.times.mitigated_at is not None
    kinds = [entry.kind for entry in desk.timeline("latest")]
    assert kinds[-3:] == ["incident.owner_set", "incident.triaged", "incident.mitigated"]


def test_nobody_mitigates_what_was_not_looked_at(desk: IncidentDesk) -> None:
    with pytest.raises(GateNotMet, match="is detected") as raised:
        desk.mitigated("latest", note="x")
    assert raised.value.fix == "maestro incident ack 1, or maestro incident triage 1"
    desk.ack("latest")
    incident = desk.mitigated("latest", note="x")
    assert (incident.state, incident.times.triaged_at) == (State.MONITORING, incident.times.mitigated_at)


def test_triaged_needs_an_owner(desk: IncidentDesk) -> None:
    desk.start_triage("latest")
    with pytest.raises(GateNotMet, match="no owner"):
        desk.triaged("latest")
    assert desk.triaged("latest", owner="bo").owner == "bo"


def test_a_user_report_opens_and_a_second_one_joins(desk: IncidentDesk) -> None:
    risk = WorkloadRef("Deployment", "ml", "risk")
    first = desk.open("payments hang", workload=risk, severity=Severity.SEV2)
    second = desk.open("still hanging", workload=risk)
    assert first.id == second.id
    assert (second.signals, second.firing) == (2, 0)
    assert desk.open("something else").id != first.id


def test_a_report_on_a_workload_with_an_incident_joins_it(room: Room, desk: IncidentDesk) -> None:
    known = desk.get("latest")
    joined = desk.open("users see 500", workload=WorkloadRef("Deployment", "ml", "fraud"))
    assert joined.id == known.id
    report = room.detector.ingest([alert(pod="z")], source="alertmanager-api")
    assert report.opened == ()


def test_reopening_by_hand_is_refused_when_a_newer_one_is_open(room: Room, desk: IncidentDesk) -> None:
    desk.resolve("latest", force=True, reason="done")
    clear(room)
    room.clock.advance(1000)
    room.detector.reconcile([alert(starts_at=room.clock.now())], source="alertmanager-api")
    with pytest.raises(GateNotMet) as refused:
        desk.reopen("1", "look again")
    assert "incident #2 is open" in refused.value.why


def test_finding(room: Room, desk: IncidentDesk) -> None:
    incident = desk.get("latest")
    for reference in ("1", "#1", incident.id, incident.id[:-2], incident.id[-5:], f"incident/{incident.id}"):
        assert desk.get(reference).id == incident.id, reference
    for wrong in ("2", "nothing", "", "*", "inc-%", "latest2", "٣"):
        with pytest.raises(NotFound):
            desk.get(wrong)
    room.detector.ingest([alert(deployment="risk", service="")], source="alertmanager-api")
    with pytest.raises(UsageError, match="names 2 incidents"):
        desk.get(incident.id[:7])


def test_a_part_of_an_id_may_be_all_digits_but_a_number_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "maestro_cli.incidents.intake.routing.new_id", lambda prefix, now: "inc-01k9x3e7q71900"
    )
    room = Room(tmp_path)
    room.detector.ingest([alert()], source="alertmanager-api")
    desk = IncidentDesk(room.journal, room.clock, "ana")
    assert desk.get("71900").number == 1
    for wrong in ("#71900", "1900", "900"):
        with pytest.raises(NotFound):
            desk.get(wrong)


def test_notes_and_severity_reach_the_timeline(desk: IncidentDesk) -> None:
    desk.note("latest", "looking at it")
    desk.set_severity("latest", Severity.SEV1, reason="all users")
    desk.assign("latest", "bo")
    texts = [entry.text for entry in desk.timeline("latest")][-3:]
    assert texts == ["looking at it", "severity sev2 → sev1: all users", "owner is bo"]


def test_events_of_other_rooms_join_by_name_cause_or_step(room: Room, desk: IncidentDesk) -> None:
    incident = desk.get("latest").id
    journal = room.journal
    journal.append("run.started", "run/run-0123456789abcd", "ana", {"incident": incident, "runbook": "high"})
    journal.append(
        "step.intended", "run/run-0123456789abcd", "ana", {"step": "rollback", "title": "Roll back"}
    )
    plan = {"plan": {"summary": "roll back"}, "cause": f"runbook high ({incident})"}
    journal.append("change.planned", "change/chg-0123456789abcd", "ana", plan)
    journal.append("change.verified", "change/chg-0123456789abcd", "ana", {"observed": "3 of 3 ready"})
    journal.append(
        "change.planned", "change/chg-zzzzzzzzzzzzzz", "bo", {"plan": {"summary": "other"}, "cause": ""}
    )
    journal.append(
        "change.planned",
        "change/chg-yyyyyyyyyyyyyy",
        "ana",
        {"plan": {"summary": "named by its step alone"}, "cause": ""},
    )
    journal.append(
        "step.finished",
        "run/run-0123456789abcd",
        "ana",
        {"step": "rollback", "state": "ok", "change": "chg-yyyyyyyyyyyyyy", "incident": incident},
    )
    texts = [entry.text for entry in desk.timeline("latest")]
    assert texts[2:] == [
        "run started, runbook high",
        "step rollback begins: Roll back",
        "change planned: roll back",
        "change verified: 3 of 3 ready",
        "change planned: named by its step alone",
        "step rollback ok",
    ]
