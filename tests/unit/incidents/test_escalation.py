"""Who is told of what nobody acknowledges: in time, by the policy of its opening, and once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Unreachable
from maestro_cli.core.facts.oncall import PagedTurn
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.model import Severity
from maestro_cli.incidents.people.escalating import Escalations
from maestro_cli.incidents.people.model import Role
from maestro_cli.incidents.people.oncall_file import read_oncall
from maestro_cli.incidents.people.reading import roles_of
from maestro_cli.journal.messages import Delivery
from maestro_cli.journal.outbox import Outbox
from maestro_cli.journal.store import Journal
from maestro_cli.journal.verification import verify
from tests.unit.incidents.people_room import PROJECTIONS, PeopleRoom
from tests.unit.incidents.watchers import Notes
from tests.unit.incidents.world import alert

FILE = """maestro: oncall/v1
people:
  ana: {channels: ["env:ANA"]}
  ben: {email: ben@example.org, channels: ["env:BEN", "env:ANA"]}
  mute: {}
schedules:
  primary:
    zone: Europe/Berlin
    layers: [{people: [ana], start: 2026-11-02 09:00}]
    overrides: [{person: ben, from: 2026-11-23 10:10, until: 2026-11-23 12:00}]
  pager: {pagerduty: P1}
policies:
  all:
    steps:
      - {tell: [schedule:primary]}
      - {after: 15m, tell: [schedule:primary, schedule:pager]}
    repeat: {times: 1, every: 1h}
"""


class Pager:
    """Knows nobody; says so with an error while it is `down`."""

    def __init__(self) -> None:
        self.down = False

    def turns(self, schedule_id: str, begin: object, end: object) -> tuple[PagedTurn, ...]:
        if self.down:
            raise Unreachable("PagerDuty does not answer")
        return (PagedTurn("Ben", "ben@example.org", None, None),)


class Room(PeopleRoom):
    """A room with an on-call file, and watchers on its journal."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.file = folder / "oncall.yaml"
        self.file.write_text(FILE, encoding="utf-8")
        self.pager, self.notes = Pager(), Notes()
        self.first = self.watcher("a")

    def watcher(self, name: str, journal: Journal | None = None) -> Escalations:
        own = journal or self.journal
        outbox = Outbox(own, cast("Any", None), clock=self.clock, actor=f"watch, {name}")
        return Escalations(
            own, outbox, lambda: read_oncall(self.file), lambda: self.pager, f"watch, {name}",
            clock=self.clock, cancellation=Cancellation(), progress=self.notes,
        )  # fmt: skip

    def look(self, *watchers: Escalations) -> None:
        for one in watchers or (self.first,):
            one.look()
        for one in watchers or (self.first,):
            one.stop()

    def later(self, minutes: float) -> None:
        self.clock.advance(60 * minutes)
        self.look()

    @property
    def messages(self) -> list[Delivery]:
        outbox = Outbox(self.journal, cast("Any", None), clock=self.clock, actor="test")
        return list(reversed(outbox.messages(limit=-1)))

    @property
    def whom(self) -> list[str]:
        return [f"{one.content['who']} {one.channel}" for one in self.messages]

    def steps(self) -> list[Mapping[str, Any]]:
        return [one.data for one in self.journal.events(kinds=("incident.escalated",))]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    made.fires()
    yield made
    assert verify(made.journal.path, PROJECTIONS).intact
    made.journal.close()


def test_each_step_is_raised_at_its_time_to_who_is_on_call_then(room: Room) -> None:
    room.look()
    assert room.whom == ["ana env:ANA"]
    room.later(14)
    assert room.whom == ["ana env:ANA"]
    room.later(1)  # the override has begun: ben, whom the pager names too, on each channel once
    assert room.whom == ["ana env:ANA", "ben env:BEN", "ben env:ANA"]
    text = room.messages[1].content["text"]
    assert "incident #1 is not acknowledged for 15m00s" in text
    assert "maestro incident ack 1" in text
    assert room.told()[-3:] == [
        "escalation begun, by policy all",
        "escalated: ana told, by step 1",
        "escalated: ben told, by step 2",
    ]


def test_it_is_repeated_and_ends_once_everybody_was_told(room: Room) -> None:
    for _ in range(10):
        room.later(15)
    assert [(one["round"], one["step"]) for one in room.steps()] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert room.told()[-1] == "everybody of policy all was told"
    assert len([text for text in room.told() if text.startswith("everybody")]) == 1


def test_an_acknowledgement_ends_it(room: Room) -> None:
    room.look()
    room.desk.ack("latest")
    room.later(120)
    assert len(room.steps()) == 1


def test_what_has_cleared_or_ended_tells_nobody(room: Room) -> None:
    room.look()
    room.clock.advance(1)
    room.detector.reconcile([], source="alertmanager-api")
    room.later(20)
    assert len(room.steps()) == 1
    room.detector.ingest([alert()], source="alertmanager-api")
    room.look()
    assert len(room.steps()) == 2  # it fires again, and nobody has acknowledged it yet
    room.desk.dismiss("latest", "nothing")
    room.later(200)
    assert len(room.steps()) == 2


def test_a_file_that_is_edited_changes_nothing_that_runs(room: Room) -> None:
    room.look()
    room.file.write_text(FILE.replace("schedule:primary, schedule:pager", "person:mute"), encoding="utf-8")
    room.later(15)
    assert [one["who"] for one in room.steps()[1]["told"]] == ["ben", "ben"]
    room.fires("other")
    room.look()
    room.later(15)
    assert room.steps()[-1]["untold"] == ["mute has no channel"]


def test_a_broken_file_leaves_the_last_one_in_force_and_is_told_once(room: Room) -> None:
    room.look()
    room.file.write_text("maestro: oncall/v2", encoding="utf-8")
    room.fires("other")
    room.look()
    room.look()
    assert len(room.steps()) == 2
    assert len([line for line in room.notes.lines if "oncall.yaml" in line]) == 1


def test_a_step_that_reaches_nobody_is_followed_at_once(room: Room) -> None:
    room.file.write_text(FILE.replace("[schedule:primary]", "[person:mute]"), encoding="utf-8")
    room.look()
    first, second = room.steps()
    assert (first["told"], first["untold"]) == ([], ["mute has no channel"])
    assert second["step"] == 2
    assert "nobody told" in room.told()[-2]


def test_a_pager_that_is_down_keeps_nobody_else_from_being_told(room: Room) -> None:
    room.pager.down = True
    room.look()
    room.later(15)
    step = room.steps()[-1]
    assert {one["who"] for one in step["told"]} == {"ben"}
    assert step["untold"] == ["schedule pager: PagerDuty does not answer"]


def test_of_several_watchers_one_raises_a_step(room: Room, tmp_path: Path) -> None:
    others = [Journal(room.journal.path, projections=PROJECTIONS, clock=room.clock) for _ in range(3)]
    watchers = [room.watcher(str(number), journal) for number, journal in enumerate(others)]
    room.look(*watchers)
    room.clock.advance(16 * 60)
    room.look(*watchers)
    assert [(one["round"], one["step"]) for one in room.steps()] == [(1, 1), (1, 2)]
    assert len({one.key for one in room.messages}) == len(room.messages) == 3
    assert len(room.journal.events(kinds=("incident.escalation_begun",))) == 1
    for journal in others:
        journal.close()


def test_what_a_watcher_acknowledged_and_left_to_people_is_told_to_people(room: Room) -> None:
    own = IncidentDesk(room.journal, room.clock, "watch, a")
    incident = own.ack("latest")
    room.later(5)
    assert room.steps() == []
    data = {"incident": incident.id, "reason": "it could not be mended", "playbook": "burn"}
    room.journal.append("incident.handed_over", incident.subject, "watch, a", data)
    room.look()
    assert [(one["step"], one["since"]) for one in room.steps()] == [(1, "2026-11-23T09:05:00.000000Z")]
    room.desk.ack("latest")
    room.journal.append("incident.handed_over", incident.subject, "watch, a", data)
    room.later(60)
    assert len(room.steps()) == 1


def test_what_is_reopened_is_nobodys_again(room: Room) -> None:
    room.look()
    room.desk.ack("latest")
    room.desk.resolve("latest", force=True, reason="mended")
    room.clock.advance(60)
    room.desk.reopen("latest", "it is back")
    room.look()
    assert [one["step"] for one in room.steps()] == [1, 1]


def test_a_severity_that_rises_counts_from_then(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.file.write_text(FILE.replace("    steps:", "    severities: [sev1]\n    steps:"), encoding="utf-8")
    room.fires()
    assert room.desk.get("latest").severity is not Severity.SEV1
    room.later(60)
    assert room.steps() == []
    room.desk.set_severity("latest", Severity.SEV1)
    room.look()
    assert [one["step"] for one in room.steps()] == [1]
    room.journal.close()


def test_an_old_incident_pages_nobody_when_the_first_file_is_written(room: Room) -> None:
    room.later(2 * 24 * 60)
    assert room.steps() == []


def test_what_runs_late_is_told_by_the_same_watcher_once(room: Room) -> None:
    room.desk.ack("latest")
    room.people.update("latest", "as before")
    room.later(24 * 60 + 1)
    room.look()
    late = [text for text in room.told() if text.startswith("a status update was due")]
    assert len(late) == 1


def test_a_role_that_a_schedule_has_is_given_to_who_is_on_call(room: Room) -> None:
    room.desk.ack("latest")
    room.people.set_role("latest", Role.COMMANDER, "schedule:primary")
    room.people.set_role("latest", Role.OPS, "schedule:pager")
    room.people.set_role("latest", Role.SCRIBE, "schedule:gone")
    room.pager.down = True
    room.look()
    room.look()
    incident = room.desk.get("latest").id
    held = {role.value: turn.person for role, turn in roles_of(room.journal, incident).items()}
    assert held == {"commander": "ana", "ops": "schedule:pager", "scribe": "schedule:gone"}
    assert room.notes.lines.count("role: PagerDuty does not answer") == 1
    room.pager.down = False
    room.people.set_role("latest", Role.SCRIBE, "chi")
    room.later(1)
    held = {role.value: turn.person for role, turn in roles_of(room.journal, incident).items()}
    assert held == {"commander": "ana", "ops": "ben", "scribe": "chi"}
    assert "commander is ana, after schedule:primary" in room.told()


def test_a_hostile_title_is_never_markup_in_a_message(room: Room) -> None:
    room.desk.open("<!channel> [x](http://evil) \u202e\x1b[2J")
    room.look()
    text = room.messages[-1].content["text"]
    assert not any(bad in text for bad in ("<!channel>", "\u202e", "\x1b"))
