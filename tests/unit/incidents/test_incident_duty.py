"""A watcher responds once to what a playbook lets it, leaves the rest to people, and never in the way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import (
    ActionFailed,
    Busy,
    ExitCode,
    Interrupted,
    MaestroError,
    PolicyRefused,
    TimedOut,
    Unreachable,
    WaitingForApproval,
)
from maestro_cli.core.progress import Quiet
from maestro_cli.core.refs import parse_workload_ref
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.model import Incident, Signal
from maestro_cli.incidents.register import find_incident, list_incidents, unattended
from maestro_cli.incidents.report.postmortem import PostMortem
from maestro_cli.incidents.response import hold as holding
from maestro_cli.incidents.response.hold import hold
from maestro_cli.incidents.response.response import Crew, Response
from maestro_cli.runbooks.model import nobody
from maestro_cli.runbooks.playbooks import Playbook
from tests.unit.incidents.test_incident_watch import Feed, watch_of
from tests.unit.incidents.watchers import Answers, Watchers, look
from tests.unit.incidents.world import Room, alert


@pytest.fixture
def watchers(tmp_path: Path) -> Iterator[Watchers]:
    room = Room(tmp_path)
    yield Watchers(room)
    room.journal.close()


def test_the_record_says_who_took_it_before_anything_is_done(watchers: Watchers) -> None:
    incident = watchers.fires()
    before: list[list[str]] = []

    def act(ref: str, cancellation: Cancellation) -> None:
        before.append(watchers.kinds(incident))
        watchers.resolve(ref, cancellation)

    duty, answers = watchers.duty(act=act)
    look(duty)
    look(duty)
    assert answers.asked == [incident.id]
    assert before == [["opened", "signal", "response_begun", "owner_set"]]
    begun = watchers.room.journal.events(subject=incident.subject, kinds=("incident.response_begun",))[0]
    assert (begun.actor, begun.data["playbook"]) == ("watch, me", "the-play")
    assert watchers.notes.lines == [
        "incident #1: triage: looking", "incident #1: postmortem; post-mortem pm"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "reason", "fix"),
    [
        ("suggest", "the mode of playbook the-play is suggest", "maestro runbook run the-book --incident 1"),
        ("observe", "the mode of playbook the-play is observe", "maestro runbook run the-book --incident 1"),
        (None, "no playbook binds it", "maestro incident triage 1"),
    ],
)
def test_what_no_playbook_allows_is_left_to_people_once(
    watchers: Watchers, mode: str | None, reason: str, fix: str
) -> None:
    incident = watchers.fires()
    suggested: list[str] = []
    for actor in ("watch, a", "watch, b", "watch, a"):
        duty, answers = watchers.duty(mode, actor=actor)
        look(duty)
        assert answers.asked == []
        suggested += answers.suggested
    assert suggested == [incident.id] * (mode is not None)
    assert watchers.kinds(incident) == ["opened", "signal", "handed_over"]
    told, what = watchers.notes.lines
    assert told.startswith("incident #1: left to people, tell whoever is on call: " + reason)
    assert fix in what
    assert find_incident(watchers.room.journal, incident.id).owner is None


def test_a_person_a_drill_and_silence_are_left_alone(watchers: Watchers) -> None:
    room = watchers.room
    owned, quiet = watchers.fires(1), watchers.fires(2)
    IncidentDesk(room.journal, room.clock, "alice").ack(owned.id)
    room.detector.ingest([alert(firing=False, deployment="service-2", service="")], source="alertmanager-api")
    watchers.fires(3, Detector(room.journal, room.clock, "watch", drill=lambda: True))
    report = IncidentDesk(room.journal, room.clock, "alice").open(
        "slow", workload=parse_workload_ref("ml/deploy/x")
    )
    assert report.firing == quiet.firing - 1 == 0
    before = room.length
    duty, answers = watchers.duty()
    look(duty)
    assert (answers.asked, room.length, watchers.notes.lines) == ([], before, [])


def test_what_somebody_responds_to_is_left_alone(watchers: Watchers) -> None:
    incident = watchers.fires()
    duty, answers = watchers.duty()
    with hold(watchers.room.journal, incident, Cancellation()):
        look(duty)
        assert answers.asked == []
    look(duty)
    assert answers.asked == [incident.id]


def test_one_that_became_somebodys_meanwhile_is_not_begun(watchers: Watchers) -> None:
    """Somebody acknowledges between the look and the lease."""
    room, incident = watchers.room, watchers.fires()
    desk = IncidentDesk(room.journal, room.clock, "alice")

    class Late(Answers):
        def match(self, incident: Incident) -> tuple[Playbook, Signal] | None:
            if incident.owner is None:
                desk.ack(incident.id)
            return super().match(incident)

    duty, _ = watchers.duty()
    late = Late(watchers.room.journal, "auto", watchers.resolve)
    duty._answers = late
    look(duty)
    assert late.asked == []
    assert watchers.kinds(incident) == ["opened", "signal", "acked", "owner_set"]


def test_what_another_watcher_takes_meanwhile_is_not_left_to_people(watchers: Watchers) -> None:
    """The one knows no playbook; the other begins between its look and its record."""
    incident = watchers.fires()
    other, answers = watchers.duty(act=stopped, actor="watch, other")

    class Late(Answers):
        def match(self, incident: Incident) -> tuple[Playbook, Signal] | None:
            look(other)
            return None

    duty, _ = watchers.duty(actor="watch, one")
    duty._answers = Late(watchers.room.journal, None, watchers.resolve)
    look(duty)
    assert answers.asked == [incident.id]
    assert "handed_over" not in watchers.kinds(incident)
    assert [found.responder for found in unattended(watchers.room.journal)] == ["watch, other"]


def test_nothing_is_begun_while_a_drill_runs(watchers: Watchers) -> None:
    incident = watchers.fires()
    drills = [True]
    duty, answers = watchers.duty(drilling=lambda: drills[0])
    look(duty)
    assert answers.asked == []
    drills[0] = False
    look(duty)
    assert answers.asked == [incident.id]


def stopped(ref: str, cancellation: Cancellation) -> None:
    raise Interrupted


def test_what_a_watcher_began_any_other_goes_on_with(watchers: Watchers) -> None:
    """Also when nothing fires any more: its run has to be seen through."""
    room, incident = watchers.room, watchers.fires()
    look(watchers.duty(act=stopped, actor="watch, a")[0])
    assert watchers.notes.lines[-1] == "incident #1: stopped; go on with: maestro incident respond 1"
    room.detector.ingest([alert(firing=False, deployment="service-0", service="")], source="alertmanager-api")
    duty, answers = watchers.duty("suggest", actor="watch, b")
    look(duty)
    assert answers.asked == [incident.id]
    begun = room.journal.events(subject=incident.subject, kinds=("incident.response_begun",))
    assert [(event.actor, event.data["playbook"]) for event in begun] == [
        ("watch, a", "the-play"), ("watch, b", "the-play")
    ]  # fmt: skip
    assert find_incident(room.journal, incident.id).owner == "watch, b"


def test_going_on_with_its_own_says_nothing_twice(watchers: Watchers) -> None:
    incident = watchers.fires()
    for _ in range(3):
        look(watchers.duty(act=stopped)[0])
    assert watchers.kinds(incident).count("response_begun") == 1


@pytest.mark.parametrize(
    "error",
    [
        ActionFailed("run run-1 ended failed", why="the check did not hold", fix="maestro incident timeline"),
        PolicyRefused("playbook p has started 2 runs within the hour"),
        WaitingForApproval("run run-1 waits for an answer"),
        TimedOut("3 signals still fire"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_a_watcher_cannot_finish_is_left_to_people(watchers: Watchers, error: MaestroError) -> None:
    room, incident = watchers.room, watchers.fires()

    def act(ref: str, cancellation: Cancellation) -> None:
        raise error

    for _ in range(3):
        duty, answers = watchers.duty(act=act)
        look(duty)
        room.clock.advance(3600)
    assert answers.asked == []
    assert watchers.kinds(incident).count("handed_over") == 1
    assert error.what in watchers.notes.lines[1]
    assert find_incident(room.journal, incident.id).owner is None
    acked = IncidentDesk(room.journal, room.clock, "alice").ack(incident.id)
    assert acked.owner == "alice"


def test_one_that_fires_again_is_responded_to_again(watchers: Watchers) -> None:
    room = watchers.room
    first = watchers.fires()
    look(watchers.duty()[0])
    room.clock.advance(60)
    again = alert(deployment="service-0", service="", starts_at=room.clock.now())
    room.detector.ingest([again], source="alertmanager-api")
    reopened = find_incident(room.journal, first.id)
    assert (reopened.reopen_count, reopened.owner) == (1, "watch, me")
    duty, answers = watchers.duty(actor="watch, me")
    look(duty)
    assert answers.asked == [first.id]


def test_one_that_a_person_reopens_in_silence_is_left_to_that_person(watchers: Watchers) -> None:
    room, incident = watchers.room, watchers.fires()
    look(watchers.duty()[0])
    room.detector.ingest([alert(firing=False, deployment="service-0", service="")], source="alertmanager-api")
    IncidentDesk(room.journal, room.clock, "alice").reopen(incident.id, "it is not mended")
    duty, answers = watchers.duty()
    look(duty)
    assert answers.asked == []


def interrupted_run() -> MaestroError:
    error = ActionFailed("run run-1 ended interrupted")
    error.exit_code = ExitCode.BUSY
    return error


@pytest.mark.parametrize(
    "error",
    [Busy("the run is held"), interrupted_run(), Unreachable("no cluster"), ZeroDivisionError("a defect")],
    ids=["busy", "interrupted run", "unreachable", "defect"],
)
def test_what_may_pass_is_tried_again_later_and_ever_more_rarely(
    watchers: Watchers, error: Exception
) -> None:
    incident = watchers.fires()
    failing = True

    def act(ref: str, cancellation: Cancellation) -> None:
        if failing:
            raise error
        watchers.resolve(ref, cancellation)

    duty, answers = watchers.duty(act=act)
    for seconds in (5, 10, 20, 40, 60, 60):
        look(duty)
        tries = len(answers.asked)
        assert watchers.notes.lines[-1].endswith(f"again in {seconds}s")
        watchers.room.clock.advance(seconds - 1)
        look(duty)
        assert len(answers.asked) == tries
        watchers.room.clock.advance(1)
    failing = False
    look(duty)
    assert watchers.kinds(incident)[-1] == "resolved"
    assert "handed_over" not in watchers.kinds(incident)


@pytest.mark.parametrize(
    ("error", "is_left"),
    [
        (Unreachable("no cluster"), True),
        (ZeroDivisionError("a defect"), True),
        (Busy("others are at it"), False),
    ],
)
def test_what_goes_on_failing_is_left_to_people_once(
    watchers: Watchers, error: Exception, is_left: bool
) -> None:
    incident = watchers.fires()

    def act(ref: str, cancellation: Cancellation) -> None:
        raise error

    duty, answers = watchers.duty(act=act)
    for _ in range(30):
        look(duty)
        watchers.room.clock.advance(60)
    assert watchers.kinds(incident).count("handed_over") == is_left
    assert (len(answers.asked) < 20) is is_left
    if is_left:
        owner = find_incident(watchers.room.journal, incident.id).owner
        assert owner is None or not owner.startswith("watch")


def test_only_so_many_at_a_time_the_gravest_first(watchers: Watchers) -> None:
    room = watchers.room
    room.detector.ingest(
        [alert(deployment=f"s-{n}", service="", severity="info") for n in range(3)], source="alertmanager-api"
    )
    grave = watchers.fires(9)
    go, begun = threading.Event(), threading.Semaphore(0)

    def act(ref: str, cancellation: Cancellation) -> None:
        begun.release()
        assert go.wait(60)
        watchers.resolve(ref, cancellation)

    duty, answers = watchers.duty(act=act, workers=2)
    for _ in range(3):
        duty.look()
    assert begun.acquire(timeout=60)
    assert begun.acquire(timeout=60)
    assert len(answers.asked) == 2
    assert grave.id in answers.asked
    go.set()
    duty.stop()
    look(duty)
    assert sorted(answers.asked) == sorted(incident.id for incident in list_incidents(room.journal))


def test_detection_goes_on_while_a_response_hangs_and_a_signal_ends_both(watchers: Watchers) -> None:
    room, hanging = watchers.room, threading.Event()

    def act(ref: str, cancellation: Cancellation) -> None:
        hanging.set()
        cancellation.pause(3600)

    duty, _ = watchers.duty(act=act)
    feed = Feed()
    watch = watch_of(room, feed)
    watch._duty = duty
    duty.start()
    feed.answer = (alert(),)
    watch.cycle()
    assert hanging.wait(60)
    feed.answer = (alert(), alert(deployment="other", service=""))
    watch.cycle()
    assert len(list_incidents(room.journal)) == 2
    watchers.cancellation.cancel(terminated=True)
    duty.stop()
    assert next(found.begun for found in unattended(room.journal))
    assert room.journal.lease(f"respond/{find_incident(room.journal, '1').id}") is None


def test_a_response_that_lost_its_lease_stops(watchers: Watchers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "RENEW_SECONDS", 0.01)
    room, incident = watchers.room, watchers.fires()
    cancellation = Cancellation()

    def respond() -> None:
        with hold(room.journal, incident, cancellation) as held:
            room.clock.advance(3600)
            held.cancellation.pause(60)

    with pytest.raises(Busy, match="given up"):
        respond()
    assert not cancellation.is_set


def test_a_person_may_not_respond_beside_a_watcher(watchers: Watchers) -> None:
    room, incident = watchers.room, watchers.fires()
    desk = IncidentDesk(room.journal, room.clock, "alice")
    none = cast("Any", None)
    response = Response(Crew(desk, none, none, none, none, none), room.journal, room.clock, "alice")
    with (
        hold(room.journal, incident, Cancellation()),
        pytest.raises(Busy, match="is being responded to by process"),
    ):
        response.respond("1", confirm=nobody, progress=Quiet(), cancellation=Cancellation())
    assert watchers.kinds(incident) == ["opened", "signal"]


def test_a_watcher_costs_no_persons_time(watchers: Watchers) -> None:
    room, incident = watchers.room, watchers.fires()
    look(watchers.duty()[0])
    story = PostMortem(room.journal, room.clock, "alice").story(incident.id)
    assert story.cost.lines[0].inputs["responders"] == 0
    assert [entry.text for entry in story.of_kind("incident.response_begun")] == [
        "automatic response begun, by playbook the-play"
    ]
