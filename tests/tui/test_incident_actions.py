"""What people record of an incident by key is what the command of that name does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.progress import Quiet
from maestro_cli.incidents.model import Severity
from maestro_cli.tui.acting.dispatcher import Agreed, Dispatcher
from maestro_cli.tui.acting.model import Action, Answers, Danger, Target
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.screens.incident_actions import ACTIONS
from maestro_cli.tui.screens.incidents import incident_target, incidents_listing, read_incidents
from maestro_cli.tui.screens.model import Moment, Place
from tests.tui.journal_room import JournalRoom, room, until

__all__ = ["room"]

BY_ID = {action.id: action for action in ACTIONS}


class Words:
    """Answers with the given words, and with the default to every other question."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given

    def words(self, action: Action, targets: Sequence[Target]) -> Answers | None:
        return {ask.name: self._given.get(ask.name, ask.default(targets[0])) for ask in action.asks}

    def agree(self, *shown: object) -> Agreed | None:
        raise AssertionError("a record needs no agreement")

    def see(self, *shown: object) -> Agreed | None:
        raise AssertionError("a record shows nothing first")

    def agree_all(self, action: Action, planned: Any, news: str) -> None:
        raise AssertionError("nothing here is a change")


def act(room: JournalRoom, action_id: str, **given: str) -> tuple[str, str]:
    """How it ended and the line in the log."""
    incident = room.services.desk.get("latest")
    console = room.console
    dispatcher = Dispatcher(console.store, console.clock, Words(given), console.reading, console.acting)
    targets = (incident_target(incident, "x"),)
    assert dispatcher.refusal(BY_ID[action_id], targets) is None
    ((_, ending),) = dispatcher.perform(BY_ID[action_id], targets, Quiet(), Cancellation())
    return ending.outcome, console.store.snapshot.log[-1].line


def test_an_incident_is_walked_from_alert_to_close_while_the_console_is_read_only(room: JournalRoom) -> None:
    room.fires()
    assert "owned by" in act(room, "incident.ack")[0]
    assert act(room, "incident.mitigate", how="rolled back")[0].startswith("#1 is monitoring")
    assert "still fire" in act(room, "incident.resolve")[0]
    room.fires(firing=False)
    assert act(room, "incident.resolve")[0].startswith("#1 is resolved")
    assert act(room, "incident.reopen", reason="it came back")[0].startswith("#1 is triaging")
    assert act(room, "incident.dismiss", reason="the probe")[0].startswith("#1 is dismissed")


@pytest.mark.parametrize(
    ("action", "given", "line"),
    [
        ("incident.ack", {}, "incident ack 1"),
        ("incident.assign", {"owner": "nobody"}, "incident assign 1 --nobody"),
        ("incident.role", {"person": "ana"}, "incident role 1 commander ana"),
        ("incident.severity", {"severity": "sev1"}, "incident severity 1 sev1"),
        ("incident.note", {"text": "it is late"}, "incident note 1 'it is late'"),
        ("incident.update", {"conditions": "4% fail"}, "incident update 1 '4% fail' --status internal"),
        ("incident.task", {"text": "a rule", "later": "yes"}, "incident task add 1 'a rule' --action"),
        ("incident.link", {"with": "https://a.example"}, "incident link 1 https://a.example --kind related"),
        ("incident.dismiss", {"reason": "the probe"}, "incident dismiss 1 --reason 'the probe'"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("incident.") else "",
)  # fmt: skip
def test_the_log_has_the_command_that_does_the_same(
    room: JournalRoom, action: str, given: dict[str, str], line: str
) -> None:
    room.fires()
    outcome, logged = act(room, action, **given)
    assert not outcome.startswith("failed"), outcome
    assert logged == f"maestro --context x {line}"


def test_a_record_of_a_screen_that_is_old_is_refused_with_what_happened_since(room: JournalRoom) -> None:
    room.fires()
    seen = incident_target(room.services.desk.get("latest"), "x")
    room.services.desk.assign("latest", "bo")
    console = room.console
    asker = Words({"owner": "ana"})
    dispatcher = Dispatcher(console.store, console.clock, asker, console.reading, console.acting)
    ((_, ending),) = dispatcher.perform(BY_ID["incident.assign"], (seen,), Quiet(), Cancellation())
    assert not ending.is_done
    assert room.services.desk.get("latest").owner == "bo"


def test_every_record_is_allowed_while_read_only_and_has_a_key_of_its_own() -> None:
    assert {action.danger for action in ACTIONS} == {Danger.RECORD}
    keys = [action.key for action in ACTIONS]
    assert len(set(keys)) == len(keys)


def test_open_incidents_come_first_and_the_gravest_of_them_before_all(room: JournalRoom) -> None:
    room.fires("quiet")
    room.services.desk.dismiss("latest", "the probe was wrong")
    room.fires("slow")
    room.fires("broken")
    room.services.desk.set_severity("latest", Severity.SEV1)
    rows = read_incidents(room.services, "")
    assert [row.incident.number for row in rows] == [3, 2, 1]
    moment = Moment(room.services.clock.now(), room.console.store.snapshot.scope, "x")
    listing = incidents_listing(rows, moment)
    first = {column.title: str(column.cell(listing.items[0])) for column in listing.columns}
    assert (first["no"], first["severity"]) == ("#3", "sev1")


def test_a_key_on_the_list_acknowledges_what_another_process_opened(room: JournalRoom) -> None:
    async def walk(pilot: Any, app: ConsoleApp) -> None:
        incident = room.fires()
        await until(pilot, lambda: app.view is not None and app.view.targets())
        await pilot.press("a")
        await until(pilot, lambda: room.services.desk.get(incident.id).times.acked_at is not None)

    room.run(walk, Place("incidents"))
