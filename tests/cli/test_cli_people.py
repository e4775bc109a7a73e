"""Roles, tasks and status updates as a person or a script meets them."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maestro_cli.config.locations import state_dir
from maestro_cli.incidents.people.model import Audience, Role, TaskKind, TaskState
from maestro_cli.incidents.people.reading import list_tasks, turns_of, updates_of
from maestro_cli.output.formats import parse_format
from maestro_cli.output.renderers.people import roles_view, tasks_view, updates_view
from maestro_cli.output.views import View
from maestro_cli.output.writer import OutputOptions, emit
from tests.cli.program import check_golden, maestro
from tests.unit.incidents.people_room import PeopleRoom
from tests.unit.incidents.world import T0

FORMATS = ("table", "wide", "json", "yaml", "csv", "md", "jsonpath={.items[*].incident}")
HOSTILE = "\x1b[31mmallory\u202e | =1+1"


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PeopleRoom]:
    """An incident with people, of which one has a hostile name."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    made = PeopleRoom(tmp_path)
    made.fires()
    made.people.set_role("latest", Role.COMMANDER, "ana")
    made.clock.advance(600)
    made.people.set_role("latest", Role.COMMANDER, "ben")
    made.people.set_role("latest", Role.SCRIBE, HOSTILE)
    made.people.add_task("latest", "look at the queue", owner=HOSTILE, due_at=T0 + timedelta(minutes=20))
    due = datetime(2026, 12, 1, 17, 0, tzinfo=UTC)
    made.people.add_task("latest", "alert earlier", kind=TaskKind.ACTION, owner="ben", due_at=due)
    made.people.add_task("latest", "call")
    made.people.end_task("3", TaskState.DONE)
    made.people.update("latest", "4% of calls fail", actions="rolling back", audience=Audience.PUBLIC)
    made.clock.advance(1200)
    yield made
    made.journal.close()
    monkeypatch.undo()
    time.tzset()


def written(view: View, form: str) -> str:
    """What is shown, with ids of incidents that do not depend on when the test runs."""
    out = io.StringIO()
    emit(view, OutputOptions(parse_format(form), is_plain=True), out)
    numbers: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        return numbers.setdefault(found.group(), f"inc-01k9x3e7qhm4{len(numbers):02d}")

    return re.sub(r"inc-[0-9a-z]{14}", named, out.getvalue())


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("what", ["roles", "tasks", "updates"])
def test_each_list_is_the_same_in_every_format(room: PeopleRoom, what: str, form: str) -> None:
    incident = room.desk.get("latest").id
    now = room.clock.now()
    views: dict[str, View] = {
        "roles": roles_view(turns_of(room.journal, incident)),
        "tasks": tasks_view(list_tasks(room.journal, ended=True), now),
        "updates": updates_view(updates_of(room.journal, incident)),
    }
    text = written(views[what], form)
    assert "\x1b" not in text
    assert "\u202e" not in text
    check_golden(f"incident-{what}.{form.partition('=')[0]}", text)


def test_what_people_do_is_said_in_one_line_each(configured: Path) -> None:
    state_dir().joinpath("journal").mkdir(parents=True)
    room = PeopleRoom(state_dir() / "journal", "prod.sqlite")
    room.fires()
    seen = str(room.desk.get("latest").seq)
    room.journal.close()
    given = maestro("incident", "role", "latest", "commander", "ana", "--expected-seq", seen, "-o", "json")
    assert (given.code, given.err) == (0, "")
    (turn,) = json.loads(given.out)["items"]
    assert (turn["role"], turn["person"], turn["until"]) == ("commander", "ana", None)
    stale = maestro("incident", "role", "1", "commander", "ben", "--expected-seq", seen)
    assert (stale.code, "commander is ana" in stale.error_lines[1]) == (11, True)
    assert maestro("incident", "role", "1", "commander", "ben", "--from", "chi").code == 11
    assert maestro("incident", "role", "1", "commander").code == 2
    number = ("-o", "jsonpath={.items[0].number}")
    add = maestro("incident", "task", "add", "1", "fix", "--owner", "chi", "--due", "3d", *number)
    assert (add.code, add.out) == (0, "1\n"), add.err
    assert maestro("incident", "task", "add", "1", "fix", "--due", "soon").code == 2
    (listed,) = json.loads(maestro("incident", "list", "-o", "json").out)["items"]
    assert (listed["people"]["roles"], listed["people"]["open_tasks"]) == ({"commander": "ana"}, 1)
    assert json.loads(maestro("status", "-o", "json").out)["tasks"][0]["owner"] == "chi"
    shown = maestro("incident", "show", "1").out
    assert re.search(r"commander +ana\n.*next update +\w+", shown, re.DOTALL), shown
    assert maestro("incident", "dismiss", "1", "--reason", "a false alarm").code == 0
    after = maestro("incident", "list")
    assert "1 task of other incidents open; see: maestro incident task list all\n" in after.err
    assert maestro("incident", "task", "done", "1").code == 0
    assert maestro("incident", "task", "drop", "1").code == 11
    assert maestro("incident", "task", "drop", "9").code == 6
    words = ("-o", "jsonpath={.items[*].conditions}")
    snoozed = maestro("incident", "update", "1", "we look", "--snooze", "30m", *words)
    assert (snoozed.code, snoozed.out) == (11, "")  # it is over, so that nothing is told either
    told = maestro("incident", "update", "1", "we look", *words)
    assert (told.code, told.out) == (0, "we look\n"), told.err
    assert maestro("incident", "update", "1", "--needs", "a DBA").code == 2
    offered = maestro(
        env={"_MAESTRO_COMPLETE": "complete_fish", "_TYPER_COMPLETE_ARGS": "maestro incident role 1 ops ",
             "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    )  # fmt: skip
    assert {"ana", "chi"} <= set(offered.out.split()), offered.err
    assert maestro("journal", "verify").code == 0
