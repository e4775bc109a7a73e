"""Roles, tasks and status updates: what is kept, what is refused, what is late."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from maestro_cli.core.errors import GateNotMet, NotFound, UsageError
from maestro_cli.incidents.model import Severity
from maestro_cli.incidents.people.due import parse_due
from maestro_cli.incidents.people.model import UPDATE_EVERY, Audience, Role, TaskKind, TaskState
from maestro_cli.incidents.people.reading import list_tasks, people_seen, roles_of, standings, turns_of
from maestro_cli.incidents.people.reminders import record_late
from maestro_cli.journal.verification import verify
from tests.unit.incidents.people_room import PROJECTIONS, PeopleRoom
from tests.unit.incidents.world import T0


@pytest.fixture
def room(tmp_path: Path) -> Iterator[PeopleRoom]:
    made = PeopleRoom(tmp_path)
    made.fires()
    yield made
    assert verify(made.journal.path, PROJECTIONS).intact
    made.journal.close()


def test_a_role_has_one_holder_at_a_time_and_keeps_its_times(room: PeopleRoom) -> None:
    room.people.set_role("latest", Role.COMMANDER, "ana")
    room.clock.advance(600)
    incident = room.people.set_role("latest", Role.COMMANDER, "ben", held_by="ana")
    held = roles_of(room.journal, incident.id)
    assert {role: turn.person for role, turn in held.items()} == {Role.COMMANDER: "ben"}
    first, second = turns_of(room.journal, incident.id)
    assert (first.person, first.since, first.until) == ("ana", T0, T0 + timedelta(seconds=600))
    assert (second.person, second.until) == ("ben", None)
    room.people.clear_role("latest", Role.COMMANDER)
    assert roles_of(room.journal, incident.id) == {}
    assert room.told()[-3:] == [
        "commander is ana",
        "commander is ben, after ana",
        "nobody is commander any more",
    ]


def test_a_role_is_handed_over_only_by_who_has_it(room: PeopleRoom) -> None:
    room.people.set_role("latest", Role.SCRIBE, "ana")
    with pytest.raises(GateNotMet, match="ana is scribe"):
        room.people.set_role("latest", Role.SCRIBE, "chi", held_by="ben")
    with pytest.raises(GateNotMet, match="nobody is liaison"):
        room.people.clear_role("latest", Role.LIAISON)


def test_a_role_that_changed_refuses_who_did_not_see_it(room: PeopleRoom) -> None:
    seen = room.desk.get("latest").seq
    after = room.people.set_role("latest", Role.OPS, "ana", expected_seq=seen)
    assert after.seq > seen
    with pytest.raises(GateNotMet, match="changed since you looked") as refused:
        room.people.set_role("latest", Role.OPS, "ben", expected_seq=seen)
    assert "ops is ana" in refused.value.why
    room.people.add_task("latest", "look", expected_seq=after.seq)
    room.people.update("latest", "we look", expected_seq=after.seq)  # a task refuses nobody


def test_a_task_outlives_its_incident_until_somebody_ends_it(room: PeopleRoom) -> None:
    late = room.people.add_task("latest", "fix it", owner="ben", due_at=T0 + timedelta(days=1))
    item = room.people.add_task("latest", "alert earlier", kind=TaskKind.ACTION)
    room.desk.dismiss("latest", "a false alarm")
    room.clock.advance(2 * 86400)
    assert [task.number for task in list_tasks(room.journal)] == [late.number, item.number]
    assert [task.is_overdue(room.clock.now()) for task in list_tasks(room.journal)] == [True, False]
    ended = room.people.end_task(str(late.number), TaskState.DONE)
    assert (ended.state, ended.ended_by, ended.ended_at) == (TaskState.DONE, "ana", room.clock.now())
    with pytest.raises(GateNotMet, match=r"task 1 is done"):
        room.people.end_task("#1", TaskState.DROPPED)
    assert [task.number for task in list_tasks(room.journal)] == [item.number]
    assert [task.number for task in list_tasks(room.journal, ended=True)] == [item.number, late.number]


def test_a_task_is_due_ahead(room: PeopleRoom) -> None:
    for over in (T0, T0 - timedelta(days=1)):
        with pytest.raises(UsageError, match="which is over"):
            room.people.add_task("latest", "look", due_at=over)
    assert list_tasks(room.journal) == ()
    soon = T0 + timedelta(seconds=1)
    assert room.people.add_task("latest", "look", due_at=soon).due_at == soon


def test_what_is_no_task_is_not_guessed(room: PeopleRoom) -> None:
    with pytest.raises(NotFound, match="no task 7"):
        room.people.end_task("7", TaskState.DONE)
    with pytest.raises(UsageError, match="not the number"):
        room.people.end_task("seven", TaskState.DONE)
    with pytest.raises(UsageError, match="needs a text"):
        room.people.add_task("latest", "  ")
    with pytest.raises(UsageError, match="needs a name"):
        room.people.add_task("latest", "x", owner=" ")


def test_the_next_update_is_due_by_the_severity_and_told_late_once(room: PeopleRoom) -> None:
    every = UPDATE_EVERY[Severity.SEV1]
    incident = room.desk.set_severity("latest", Severity.SEV1)

    def due() -> datetime | None:
        now = room.clock.now()
        return standings(room.journal, [room.desk.get("latest")], now)[incident.id].clock.due_at

    assert due() == T0 + every
    room.clock.advance(every.total_seconds())
    assert record_late(room.journal, room.clock, "watch") == ()
    room.clock.advance(1)
    (late,) = record_late(room.journal, room.clock, "watch")
    assert late.kind == "incident.update_overdue"
    assert record_late(room.journal, room.clock, "another watch") == ()
    room.people.update("latest", "4% fail", actions="rolling back", needs="a DBA", audience=Audience.PUBLIC)
    assert due() == room.clock.now() + every
    assert room.told()[-1] == "status (public): 4% fail; actions: rolling back; needs: a DBA"
    room.clock.advance(every.total_seconds() + 1)
    assert len(record_late(room.journal, room.clock, "watch")) == 1


def test_a_snooze_puts_the_reminder_off_until_the_next_update(room: PeopleRoom) -> None:
    incident = room.desk.set_severity("latest", Severity.SEV1)
    until = T0 + timedelta(hours=3)
    room.people.snooze_update("latest", until)
    clock = standings(room.journal, [incident], T0)[incident.id].clock
    assert (clock.due_at, clock.snoozed) == (until, True)
    room.people.update("latest", "as before", snooze_until=T0 + timedelta(hours=2))
    clock = standings(room.journal, [incident], T0)[incident.id].clock
    assert (clock.due_at, clock.snoozed) == (T0 + timedelta(hours=2), True)
    room.people.update("latest", "as before")
    clock = standings(room.journal, [incident], T0)[incident.id].clock
    assert (clock.due_at, clock.snoozed) == (T0 + UPDATE_EVERY[Severity.SEV1], False)
    with pytest.raises(UsageError, match="later"):
        room.people.snooze_update("latest", T0)


def test_an_incident_that_is_over_wants_no_update(room: PeopleRoom) -> None:
    incident = room.desk.dismiss("latest", "nothing")
    assert standings(room.journal, [incident], T0)[incident.id].clock.due_at is None
    room.clock.advance(30 * 86400)
    assert record_late(room.journal, room.clock, "watch") == ()
    with pytest.raises(GateNotMet, match="no update is due"):
        room.people.snooze_update("latest", room.clock.now() + timedelta(hours=1))


def test_a_task_that_is_late_is_told_once(room: PeopleRoom) -> None:
    room.people.add_task("latest", "fix it", owner="ben", due_at=T0 + timedelta(minutes=5))
    room.clock.advance(301)
    assert [late.words for late in record_late(room.journal, room.clock, "watch")] == [
        "task 1 of incident #1 was due at 2026-11-23T09:05:00.000000Z"
    ]
    assert record_late(room.journal, room.clock, "watch") == ()
    assert room.told()[-1] == "task 1 is overdue: fix it"


def test_names_are_offered_by_how_often_they_were_given(room: PeopleRoom) -> None:
    room.people.set_role("latest", Role.OPS, "chi")
    room.people.add_task("latest", "look", owner="ben")
    room.people.add_task("latest", "look again", owner="ben")
    room.desk.assign("latest", "watch, ana@host")  # a watcher is nobody to give a role to
    assert people_seen(room.journal) == ("ben", "chi")


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("3d", datetime(2026, 11, 26, 9, 0, tzinfo=UTC)),
        ("90m", datetime(2026, 11, 23, 10, 30, tzinfo=UTC)),
        ("2026-12-01", datetime(2026, 12, 1, 22, 59, 59, tzinfo=UTC)),
        ("2026-12-01 17:00", datetime(2026, 12, 1, 16, 0, tzinfo=UTC)),
        ("2026-12-01T17:00Z", datetime(2026, 12, 1, 17, 0, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 7, 1, 21, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_as_people_write_it(text: str, due: datetime) -> None:
    assert parse_due(text, T0, ZoneInfo("Europe/Berlin")) == due


@pytest.mark.parametrize("text", ["", "soon", "tomorrow", "2026-13-01", "9999-12-31", "100000000d", "-3d"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no time|ten years"):
        parse_due(text, T0)


def test_the_last_day_of_all_is_refused_in_every_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        with monkeypatch.context() as west:
            west.setenv("TZ", "America/New_York")
            time.tzset()
            with pytest.raises(ValueError, match="ten years"):
                parse_due("9999-12-31", T0)
    finally:
        time.tzset()
