"""A command tells each channel what it made happen, in order, and waits for none that does not take it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from maestro_cli.config.channels import Bell, Channel, Route, Slack
from maestro_cli.incidents.notify.herald import TIMEOUT_SECONDS, Herald
from maestro_cli.journal.messages import Attempt, Delivery, Outcome
from maestro_cli.journal.outbox import FIRST_PAUSE_SECONDS, Outbox
from tests.unit.incidents.people_room import PeopleRoom

CHANNELS: Mapping[str, Channel] = {"chat": Slack("env:CHAT"), "bell": Bell()}
ROUTE = Route(to=["chat", "bell"], on=["opened", "acknowledged", "resolved"])
EVERY = [
    "chat opened", "bell opened", "chat acknowledged", "bell acknowledged", "chat resolved", "bell resolved",
]  # fmt: skip


class Ears:
    """Channels that answer as is said, after so many seconds; DELIVERED at once where nothing is."""

    def __init__(self, room: PeopleRoom, answers: Mapping[str, Outcome], seconds: float = 0.0) -> None:
        self.room, self.answers, self.seconds = room, answers, seconds
        self.heard: list[str] = []

    def send(self, message: Delivery) -> Attempt:
        name = message.channel.removeprefix("channel:")
        self.heard.append(f"{name} {message.content['moment']}")
        if name == "chat":
            self.room.clock.advance(self.seconds)
        return Attempt(self.answers.get(name, Outcome.DELIVERED), "as is said")


@pytest.fixture
def room(tmp_path: Path) -> PeopleRoom:
    """One command made three things happen."""
    made = PeopleRoom(tmp_path)
    made.fires()
    made.desk.ack("latest")
    made.desk.resolve("latest", force=True, reason="the rule was wrong")
    return made


def command_ends(room: PeopleRoom, ears: Ears) -> list[str]:
    """What channels hear at the end of one command."""
    ears.heard.clear()
    outbox = Outbox(room.journal, ears, clock=room.clock, actor="ana")
    Herald(room.journal, outbox, CHANNELS, (ROUTE,), clock=room.clock).tell()
    return list(ears.heard)


def test_one_command_tells_all_that_it_made_happen_in_order(room: PeopleRoom) -> None:
    ears = Ears(room, {})
    assert command_ends(room, ears) == EVERY
    assert command_ends(room, ears) == []


@pytest.mark.parametrize(
    "outcome", [Outcome.LATER, Outcome.REFUSED, Outcome.ELSEWHERE], ids=["down", "refused", "elsewhere"]
)
def test_a_channel_that_does_not_take_one_is_tried_no_more_by_this_command(
    room: PeopleRoom, outcome: Outcome
) -> None:
    heard = command_ends(room, Ears(room, {"chat": outcome}))
    assert heard == ["chat opened", *(one for one in EVERY if one.startswith("bell"))]


def test_the_next_command_goes_on_after_what_was_refused(room: PeopleRoom) -> None:
    ears = Ears(room, {"chat": Outcome.REFUSED})
    command_ends(room, ears)
    assert command_ends(room, ears) == ["chat acknowledged"]


def test_a_channel_that_is_down_is_left_alone_until_its_pause_is_over(room: PeopleRoom) -> None:
    ears = Ears(room, {"chat": Outcome.LATER})
    command_ends(room, ears)
    assert command_ends(room, ears) == []
    room.clock.advance(FIRST_PAUSE_SECONDS + 1)
    ears.answers = {}
    assert command_ends(room, ears) == ["chat opened", "chat acknowledged", "chat resolved"]


def test_a_slow_channel_begins_none_after_its_time(room: PeopleRoom) -> None:
    heard = command_ends(room, Ears(room, {}, seconds=TIMEOUT_SECONDS * 0.6))
    assert [one for one in heard if one.startswith("chat")] == ["chat opened", "chat acknowledged"]
    assert [one for one in heard if one.startswith("bell")] == [
        "bell opened",
        "bell acknowledged",
        "bell resolved",
    ]


def test_without_a_route_or_a_pager_nothing_is_looked_for(room: PeopleRoom) -> None:
    ears = Ears(room, {})
    outbox = Outbox(room.journal, ears, clock=room.clock, actor="ana")
    herald = Herald(room.journal, outbox, CHANNELS, (), clock=room.clock)
    assert herald.look() == ()
    assert ears.heard == []


def test_what_is_no_moment_is_told_to_nobody(room: PeopleRoom) -> None:
    outbox = Outbox(room.journal, Ears(room, {}), clock=room.clock, actor="ana")
    herald = Herald(room.journal, outbox, CHANNELS, (ROUTE,), clock=room.clock)
    room.desk.note("latest", "it was the cache")
    note = room.journal.events(kinds=("incident.note",))[-1]
    assert herald.messages(note, room.clock.now()) == ()
