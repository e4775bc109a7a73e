"""What a person asks for of roles and updates is done, or refused where it says too little or too much."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.core.errors import GateNotMet, UsageError
from maestro_cli.incidents.people.model import Role, Said
from maestro_cli.incidents.people.reading import last_update, roles_of
from tests.unit.incidents.people_room import PeopleRoom
from tests.unit.incidents.world import T0


@pytest.fixture
def room(tmp_path: Path) -> Iterator[PeopleRoom]:
    made = PeopleRoom(tmp_path)
    made.fires()
    yield made
    made.journal.close()


def holder(room: PeopleRoom) -> str | None:
    turn = roles_of(room.journal, room.desk.get("latest").id).get(Role.OPS)
    return turn.person if turn is not None else None


def test_a_role_is_given_handed_over_and_taken(room: PeopleRoom) -> None:
    room.people.change_role("latest", Role.OPS, "ana")
    assert holder(room) == "ana"
    with pytest.raises(GateNotMet):
        room.people.change_role("latest", Role.OPS, "chi", held_by="ben")
    room.people.change_role("latest", Role.OPS, "ben", held_by="ana")
    assert holder(room) == "ben"
    room.people.change_role("latest", Role.OPS, "", clear=True)
    assert not holder(room)


@pytest.mark.parametrize(
    ("role", "person", "more"),
    [
        (None, "ana", {}),
        (None, "", {"clear": True}),
        (None, "", {"held_by": "ana"}),
        (Role.OPS, "", {}),
        (Role.OPS, "ana", {"clear": True}),
    ],
    ids=["which-role", "clear-which", "from-which", "whom", "give-and-take"],
)
def test_what_does_not_say_which_role_or_who_is_refused(
    room: PeopleRoom, role: Role | None, person: str, more: dict[str, Any]
) -> None:
    before = room.journal.head()
    with pytest.raises(UsageError):
        room.people.change_role("latest", role, person, **more)
    assert room.journal.head() == before


def test_where_nothing_is_asked_for_nothing_is_done(room: PeopleRoom) -> None:
    before = room.journal.head()
    room.people.change_role("latest", None, "")
    room.people.tell("latest", Said())
    assert room.journal.head() == before


def test_an_update_is_told_or_put_off(room: PeopleRoom) -> None:
    later = T0 + timedelta(hours=1)
    room.people.tell("latest", Said(), snooze_until=later)
    assert last_update(room.journal, room.desk.get("latest").id) is None
    room.people.tell("latest", Said("4% fail", "rolling back"), snooze_until=later)
    told = last_update(room.journal, room.desk.get("latest").id)
    assert told is not None
    assert (told.conditions, told.actions) == ("4% fail", "rolling back")
    kinds = [event.kind for event in room.journal.events()][-3:]
    assert kinds == ["incident.update_snoozed", "incident.updated", "incident.update_snoozed"]


@pytest.mark.parametrize("said", [Said(actions="x"), Said(needs="x")], ids=["actions", "needs"])
def test_an_update_without_a_text_is_none(room: PeopleRoom, said: Said) -> None:
    with pytest.raises(UsageError, match="needs a text"):
        room.people.tell("latest", said, snooze_until=T0 + timedelta(hours=1))
