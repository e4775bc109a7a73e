"""What happens to incidents is told to each channel once, and to none that may not hear it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.config.channels import Bell, Channel, PagerDuty, Route, Slack
from maestro_cli.incidents.model import Severity
from maestro_cli.incidents.notify.herald import MAX_TEXT, Herald
from maestro_cli.incidents.notify.moments import KINDS, MOMENTS, PAGERDUTY_ACTIONS, moment_of
from maestro_cli.incidents.notify.reading import TEST_TEXT, channel_lines, trial
from maestro_cli.journal.messages import Attempt, Delivery, Message, Outcome
from maestro_cli.journal.model import Event
from maestro_cli.journal.outbox import Outbox
from tests.unit.incidents.people_room import PeopleRoom

CHANNELS: Mapping[str, Channel] = {
    "chat": Slack("env:CHAT"),
    "pager": PagerDuty("env:PAGER"),
    "bell": Bell(),
}


class Deaf:
    """A channel that is down."""

    def send(self, message: Delivery) -> Attempt:
        return Attempt(Outcome.LATER, "down")


@pytest.fixture
def room(tmp_path: Path) -> PeopleRoom:
    return PeopleRoom(tmp_path)


def a_herald(room: PeopleRoom, *routes: Route) -> Herald:
    outbox = Outbox(room.journal, Deaf(), clock=room.clock, actor="watch")
    return Herald(room.journal, outbox, CHANNELS, routes, clock=room.clock)


def told(messages: tuple[Delivery, ...]) -> list[tuple[str, str]]:
    return [(one.channel, str(one.content["moment"])) for one in messages]


def test_each_moment_is_told_to_each_channel_once_whoever_looks(room: PeopleRoom) -> None:
    route = Route(to=["chat", "pager"], on=["opened", "triaged", "mitigated", "resolved", "acknowledged"])
    watcher, other = a_herald(room, route), a_herald(room, route)
    room.fires()
    assert told(watcher.look()) == [("channel:chat", "opened"), ("channel:pager", "opened")]
    first = {one.id for one in other.look()}
    assert len(room.journal.events(kinds=("outbox.queued",))) == len(first) == 2
    room.desk.ack("latest")
    room.desk.resolve("latest", force=True, reason="the rule was wrong")
    assert told(watcher.look()) == [
        ("channel:chat", "acknowledged"),
        ("channel:pager", "acknowledged"),
        ("channel:chat", "resolved"),
        ("channel:pager", "resolved"),
    ]
    before = room.journal.head().seq
    assert watcher.look() == ()
    assert a_herald(room, route).look()  # a new process finds what is known, and accepts nothing twice
    assert room.journal.head().seq == before


def test_a_pager_is_told_only_what_its_events_can_say(room: PeopleRoom) -> None:
    room.fires()
    herald = a_herald(room, Route(to=["pager", "bell"], on=["triaged", "update", "opened"]))
    assert told(herald.look()) == [("channel:pager", "opened"), ("channel:bell", "opened")]
    room.desk.start_triage("latest")
    room.desk.triaged("latest", owner="ana")
    assert told(herald.look()) == [("channel:bell", "triaged")]
    assert set(PAGERDUTY_ACTIONS) - set(MOMENTS) == {"escalated"}


def escalate(room: PeopleRoom, key: str = "escalation/1") -> Delivery:
    """What an escalation through `channel:pager` puts into the outbox, without any route."""
    outbox = Outbox(room.journal, Deaf(), clock=room.clock, actor="watch")
    incident = room.desk.get("latest")
    return outbox.accept(Message(key, "channel:pager", {"moment": "escalated"}, incident=incident.id))


def test_an_alert_of_a_pager_is_acknowledged_and_ended_whatever_the_routes_say(room: PeopleRoom) -> None:
    route = Route(to=["pager"], on=["opened"], severity=["sev1", "sev2"])
    room.fires()
    herald = a_herald(room, route)
    assert told(herald.look()) == [("channel:pager", "opened")]
    room.desk.set_severity("latest", Severity.SEV4, reason="nobody is hurt")
    room.desk.ack("latest")
    room.desk.dismiss("latest", reason="false alarm")
    room.clock.advance(2 * 3600)
    assert told(herald.look()) == [("channel:pager", "acknowledged"), ("channel:pager", "dismissed")]
    assert herald.look() == ()


def test_an_alert_that_an_escalation_opened_is_ended_without_a_route_and_after_days(room: PeopleRoom) -> None:
    room.fires()
    escalate(room)
    room.clock.advance(60)
    room.desk.ack("latest")
    room.desk.resolve("latest", force=True, reason="the rule was wrong")
    for number in range(1100):  # so that a new process begins to read after the end
        room.journal.append("try.more", f"thing/{number}", "ana", {})
    room.clock.advance(30 * 3600)
    ends = [("channel:pager", "acknowledged"), ("channel:pager", "resolved")]
    assert told(a_herald(room).look()) == ends
    assert a_herald(room).look() == ()


def test_a_pager_without_an_alert_is_told_no_end_and_one_from_before_the_alert_is_none(
    room: PeopleRoom,
) -> None:
    room.fires()
    room.desk.ack("latest")
    room.clock.advance(60)
    kept = escalate(room)  # paged though it was acknowledged before: that must not silence the page
    assert a_herald(room).look() == ()
    Outbox(room.journal, Deaf(), clock=room.clock, actor="ana").drop(kept.id, "told by phone")
    room.desk.resolve("latest", force=True, reason="the rule was wrong")
    assert a_herald(room).look() == ()


def test_an_end_from_before_a_page_does_not_end_its_alert(room: PeopleRoom) -> None:
    room.fires()
    escalate(room, "escalation/1")
    room.clock.advance(60)
    room.desk.resolve("latest", force=True, reason="the rule was wrong")
    room.clock.advance(60)
    room.desk.reopen("latest", "it was right")
    escalate(room, "escalation/2")
    assert a_herald(room).look() == ()
    room.clock.advance(60)
    room.desk.ack("latest")
    assert told(a_herald(room).look()) == [("channel:pager", "acknowledged")]


@pytest.mark.parametrize(
    ("route", "heard"),
    [
        (Route(to=["chat"]), True),
        (Route(to=["chat"], severity=["sev1"]), False),
        (Route(to=["chat"], severity=["sev1", "sev2"]), True),
        (Route(to=["chat"], namespaces=["shop"]), False),
        (Route(to=["chat"], namespaces=["ml"]), True),
        (Route(to=["chat"], on=["resolved"]), False),
    ],
    ids=["any", "graver-only", "as-grave", "elsewhere", "here", "other-moment"],
)
def test_a_route_takes_what_it_names(room: PeopleRoom, route: Route, heard: bool) -> None:
    room.fires()
    assert bool(a_herald(room, route).look()) is heard


@pytest.mark.parametrize("drills", [True, False])
def test_drills_are_told_only_where_that_is_asked(room: PeopleRoom, drills: bool) -> None:
    room.desk.open("a rehearsal", drill=True)
    assert bool(a_herald(room, Route(to=["chat"], drills=drills)).look()) is drills


def test_what_is_old_is_no_news_but_that_an_open_incident_was_opened_is_for_a_day(room: PeopleRoom) -> None:
    route = Route(to=["chat"], on=["opened", "severity-raised"])
    room.fires()
    room.desk.set_severity("latest", Severity.SEV1, reason="users cannot pay")
    room.clock.advance(2 * 3600)
    assert told(a_herald(room, route).look()) == [("channel:chat", "opened")]


def test_what_is_older_than_a_day_is_found_by_nobody_even_behind_many_events(room: PeopleRoom) -> None:
    room.fires()
    room.clock.advance(30 * 3600)
    for number in range(2100):
        room.journal.append("try.more", f"thing/{number}", "ana", {})
    room.desk.open("another")
    route = Route(to=["chat"])
    assert [one.content["title"] for one in a_herald(room, route).look()] == ["another"]


@pytest.mark.parametrize(
    ("kind", "data", "moment"),
    [
        ("incident.acked", {"late": True}, None),
        ("incident.severity_set", {"severity": "sev1", "was": "sev2"}, "severity-raised"),
        ("incident.severity_set", {"severity": "sev3", "was": "sev2"}, "severity-lowered"),
        ("incident.severity_set", {"severity": "sev2", "was": "sev2"}, None),
        ("incident.note", {"text": "x"}, None),
    ],
    ids=["late-ack", "raised", "lowered", "same", "note"],
)
def test_a_moment_is_a_change(kind: str, data: Mapping[str, Any], moment: str | None) -> None:
    assert moment_of(Event(1, "2026-11-23T09:00:00Z", kind, "incident/x", "ana", data, "", "")) == moment


def test_every_moment_that_a_route_may_name_happens() -> None:
    facts: dict[str, Any] = {"late": False, "severity": "sev1", "was": "sev2"}
    events = [Event(1, "", kind, "incident/x", "ana", facts, "", "") for kind in KINDS]
    assert {moment_of(one) for one in events} | {"severity-lowered"} == set(MOMENTS)


def test_a_template_replaces_the_text_once_and_hostile_text_stays_text(room: PeopleRoom) -> None:
    room.desk.open("{{ incident.owner }} \x1b[31m" + "x" * 5000)
    route = Route(to=["chat"], template="{{ incident.moment }}: {{ incident.title }}")
    (message,) = a_herald(room, route).look()
    text = str(message.content["text"])
    assert text.startswith("opened: {{ incident.owner }} ")
    assert "\x1b" not in text
    assert len(text) <= MAX_TEXT


def test_the_list_of_channels_says_what_each_hears_and_what_waits(room: PeopleRoom) -> None:
    routes = [Route(to=["chat"], on=["opened"], severity=["sev2"], namespaces=["ml"], drills=True)]
    room.fires()
    herald = a_herald(room, *routes)
    herald.look()
    outbox = Outbox(room.journal, Deaf(), clock=room.clock, actor="ana")
    chat, pager, bell = channel_lines(outbox, CHANNELS, routes)
    assert (chat.kind, chat.told, chat.waiting) == ("slack", ("opened of sev2 in ml drills too",), 1)
    assert (pager.kind, pager.told, pager.waiting) == ("pagerduty", (), 0)
    assert bell.kind == "bell"
    tried = outbox.post(trial("chat", room.clock.now(), "ana"))
    assert (tried.content["text"], tried.reason) == (TEST_TEXT, "down")
    assert channel_lines(outbox, CHANNELS, routes)[0].failures == 1
