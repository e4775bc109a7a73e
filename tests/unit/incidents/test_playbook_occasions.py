"""What starts playbooks besides alerts, when, and once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from maestro_cli.core.cron import parse_cron
from maestro_cli.core.errors import Interrupted
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.model import Severity
from maestro_cli.incidents.register import list_incidents
from maestro_cli.incidents.response.errands import Errands
from maestro_cli.incidents.response.lookout import Lookouts
from maestro_cli.incidents.response.occasions import due_events, due_ticks
from maestro_cli.incidents.response.response import Crew, Response
from maestro_cli.runbooks.model import RunStatus
from maestro_cli.runbooks.playbooks.matchers import parse_matcher
from maestro_cli.runbooks.playbooks.model import (
    IncidentTrigger,
    Playbook,
    Schedule,
)
from maestro_cli.runbooks.playbooks.spec import IncidentEvent, Mode
from maestro_cli.runbooks.plays import PlayStatus, list_plays
from tests.unit.incidents.errand_room import STEPS, Room, bound
from tests.unit.incidents.world import alert


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    room.journal.close()


def look(errands: Errands) -> None:
    errands.look()
    errands.stop()


def scheduled(mode: Mode = "auto", cron: str = "0 9 * * *", zone: str = "UTC") -> Playbook:
    schedule = Schedule(parse_cron(cron), ZoneInfo(zone), 900)
    return Playbook("nightly", STEPS, schedules=(schedule,), mode=mode)


def on(event: IncidentEvent, *, mode: Mode = "auto", **more: Any) -> Playbook:
    return Playbook("escalate", STEPS, events=(IncidentTrigger(event, **more),), mode=mode)


def test_a_tick_is_due_for_a_while_and_has_one_key_in_every_zone() -> None:
    berlin = scheduled(cron="30 10 * * *", zone="Europe/Berlin")
    at = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    keys = {
        seconds: [occasion.key for _, occasion in due_ticks([berlin], at + timedelta(seconds=seconds))]
        for seconds in (-1, 0, 60, 899, 900)
    }
    key = "schedule/nightly/2026-11-23T09:30:00.000000Z"
    assert keys == {-1: [], 0: [key], 60: [key], 899: [key], 900: []}


def test_a_tick_is_taken_once_whoever_sees_it_and_however_often(room: Room) -> None:
    for actor in ("watch, a", "watch, b", "watch, a"):
        look(room.errands(scheduled(), actor=actor))
        room.clock.advance(60)
    assert len(room.started) == 1
    (record,) = list_plays(room.journal)
    assert (record.status, record.actor, record.trigger) == (PlayStatus.SUCCEEDED, "watch, a", "schedule")
    length = len(room.journal.events())
    look(room.errands(scheduled()))
    assert len(room.journal.events()) == length, "at rest nothing is written"
    room.clock.advance(86_400)
    look(room.errands(scheduled()))
    assert len(room.started) == 2


def test_what_was_begun_and_not_ended_is_gone_on_with_by_any_watcher(room: Room) -> None:
    errands = room.errands(scheduled())
    (due,) = due_ticks([scheduled()], room.clock.now())
    errands._plays.begin(*due)  # and was killed then
    room.clock.advance(3600)  # past the time in which the tick may start anything
    look(room.errands(scheduled(), actor="watch, b"))
    assert len(room.started) == 1
    (record,) = list_plays(room.journal)
    assert record.status is PlayStatus.SUCCEEDED


def test_a_file_that_is_another_one_since_is_given_up(room: Room) -> None:
    (due,) = due_ticks([scheduled()], room.clock.now())
    room.errands(scheduled())._plays.begin(*due)
    newer = room.errands(replace(scheduled(), digest="other"))
    for seconds in (0, 599):
        room.clock.advance(seconds)
        look(newer)
        (record,) = list_plays(room.journal)
        assert record.status is PlayStatus.BEGUN, "a watcher that has its file may go on with it"
    room.clock.advance(30)
    look(newer)
    (record,) = list_plays(room.journal)
    assert (room.started, record.status) == ([], PlayStatus.FAILED)
    assert "another one now" in record.reason
    assert "tell whoever is on call" in room.notes.lines[-1]


def test_one_that_may_not_run_any_more_before_it_began_is_only_suggested(room: Room) -> None:
    (due,) = due_ticks([scheduled()], room.clock.now())
    room.errands(scheduled())._plays.begin(*due)  # and was killed then
    held = lambda one: replace(one, mode="suggest", held_back="its rehearsal failed")  # noqa: E731
    look(room.errands(scheduled(), judged=held))
    (record,) = list_plays(room.journal)
    assert (room.started, record.status) == ([], PlayStatus.SUGGESTED)
    assert "its rehearsal failed" in record.reason


@pytest.mark.parametrize(("mode", "status"), [("suggest", "suggested"), ("observe", "observed")])
def test_only_auto_runs_anything(room: Room, mode: Mode, status: str) -> None:
    for _ in range(2):
        look(room.errands(scheduled(mode)))
    (record,) = list_plays(room.journal)
    assert (room.started, record.status.value) == ([], status)
    assert room.notes.lines == [f"playbook nightly: schedule 0 9 * * * UTC, at 2026-11-23T09:00:00.000000Z: "
                                f"the mode of playbook nightly is {mode}, not auto"]  # fmt: skip


def test_auto_that_may_not_be_only_suggests(room: Room) -> None:
    held = lambda one: replace(one, mode="suggest", held_back="it has no rehearsal")  # noqa: E731
    look(room.errands(scheduled(), judged=held))
    (record,) = list_plays(room.journal)
    assert (room.started, record.status) == ([], PlayStatus.SUGGESTED)
    assert "it has no rehearsal" in record.reason


def test_nothing_is_begun_while_a_drill_runs_or_for_its_incidents(room: Room) -> None:
    look(room.errands(scheduled(), on("opened"), drilling=True))
    Detector(room.journal, room.clock, "watch", drill=lambda: True).ingest(
        [alert()], source="alertmanager-api"
    )
    look(room.errands(on("opened")))
    assert (room.started, list_plays(room.journal)) == ([], [])


def test_an_incident_that_opens_starts_a_playbook_once(room: Room) -> None:
    room.fires()
    for actor in ("watch, a", "watch, b"):
        look(room.errands(on("opened"), actor=actor))
    (record,) = list_plays(room.journal)
    assert (len(room.started), record.words) == (1, "incident #1 opened")
    assert record.facts["labels"]["deployment"] == "fraud"
    assert record.facts["incident"]["number"] == "1"
    room.clock.advance(60)
    room.detector.ingest([alert(pod="another")], source="alertmanager-api")
    look(room.errands(on("opened")))
    assert len(room.started) == 1, "a signal that joins opens nothing"


def test_what_is_long_past_starts_nothing(room: Room) -> None:
    room.fires()
    room.clock.advance(901)
    look(room.errands(on("opened")))
    assert room.started == []


def test_nothing_that_has_resolved_starts_a_playbook(room: Room) -> None:
    room.fires()
    room.fires(firing=False)
    look(room.errands(on("opened"), on("not-acknowledged", after_seconds=0.0)))
    assert (room.started, list_plays(room.journal)) == ([], [])


def test_one_that_was_taken_and_resolved_before_anything_ran_runs_nothing(room: Room) -> None:
    room.fires()
    (due,) = due_events([on("opened")], room.journal, room.clock.now())
    room.errands(on("opened"))._plays.begin(*due)  # and was killed then
    room.fires(firing=False)
    look(room.errands(on("opened")))
    (record,) = list_plays(room.journal)
    assert (room.started, record.status) == ([], PlayStatus.FAILED)
    assert "cleared" in record.reason


def test_each_return_and_each_raise_is_an_occasion_of_its_own(room: Room) -> None:
    room.fires()
    playbooks = (on("reopened"), replace(on("severity-raised"), id="raised"))
    look(room.errands(*playbooks))
    assert room.started == []
    room.desk.set_severity("1", Severity.SEV4, reason="few users")
    look(room.errands(*playbooks))
    assert room.started == []
    for severity in (Severity.SEV3, Severity.SEV1):
        room.desk.set_severity("1", severity)
        look(room.errands(*playbooks))
    assert [record.playbook for record in list_plays(room.journal)] == ["raised", "raised"]
    room.fires(firing=False)
    room.desk.resolve("1")
    room.clock.advance(60)
    room.detector.ingest([alert(starts_at=room.clock.now())], source="alertmanager-api")
    look(room.errands(*playbooks))
    assert next(record.playbook for record in list_plays(room.journal)) == "escalate"


def test_an_incident_that_nobody_acknowledges_is_an_occasion_after_its_time(room: Room) -> None:
    play = on("not-acknowledged", after_seconds=600.0, severities=("sev1", "sev2"))
    room.fires()
    room.clock.advance(599)
    look(room.errands(play))
    assert room.started == []
    room.clock.advance(1)
    for _ in range(2):
        look(room.errands(play))
    assert len(room.started) == 1
    room.fires(deployment="other", service="")
    room.desk.ack("2")
    room.clock.advance(700)
    look(room.errands(play))
    assert len(room.started) == 1


def test_severity_and_labels_say_which_incidents(room: Room) -> None:
    room.fires()
    matchers = (parse_matcher("namespace=other"),)
    look(room.errands(on("opened", severities=("sev1",)), replace(on("opened", matchers=matchers), id="b")))
    assert room.started == []
    look(room.errands(on("opened", severities=("sev2",), matchers=(parse_matcher("namespace=ml"),))))
    assert len(room.started) == 1


def test_several_duties_are_started_woken_and_stopped_as_one() -> None:
    said: list[str] = []

    class Duty:
        def start(self) -> None:
            said.append("start")

        def wake(self) -> None:
            said.append("wake")

        def stop(self) -> None:
            said.append("stop")

    both = Lookouts(Duty(), Duty())
    both.start()
    both.wake()
    both.stop()
    assert said == ["start"] * 2 + ["wake"] * 2 + ["stop"] * 2


def test_a_watch_that_is_stopped_leaves_the_run_to_the_next(room: Room) -> None:
    def stopped(*_: Any, **__: Any) -> Any:
        raise Interrupted

    errands = room.errands(scheduled())
    errands._plays._runner = cast("Any", type("Runner", (), {"start": staticmethod(stopped)}))
    look(errands)
    assert "any watcher goes on" in room.notes.lines[-1]
    look(room.errands(scheduled()))
    assert [one.status for one in list_plays(room.journal)] == [PlayStatus.SUCCEEDED]


def test_what_an_alert_would_have_started_is_recorded_where_it_is_only_suggested(room: Room) -> None:
    room.fires()
    (incident,) = list_incidents(room.journal)
    (signal,) = room.desk.signals(incident.id)
    none = cast("Any", None)
    response = Response(Crew(room.desk, none, none, none, none, none), room.journal, room.clock, "watch, a")
    for mode in ("observe", "suggest"):  # the first word counts: an occasion has one record
        with room.journal.transaction() as transaction:
            response.suggest(transaction, incident, replace(bound(), mode=cast("Any", mode)), signal)
    (record,) = list_plays(room.journal)
    assert (record.status, record.words) == (PlayStatus.OBSERVED, "alert ErrorBudgetBurn")
    assert record.key == f"incident/{incident.id}/burn/0"


def test_one_whose_step_another_holds_is_left_alone_for_a_while(room: Room) -> None:
    room.status = RunStatus.INTERRUPTED
    errands = room.errands(scheduled())
    for _ in range(3):
        look(errands)
    assert len(room.started) == 1
    room.clock.advance(30)
    look(errands)
    assert len(room.started) == 2
