"""What people record of an incident by key is what the command of that name does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from maestro_cli.changes.model import Consent, Gate, GateDecision, Plan
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.facts.alerts import Silence
from maestro_cli.core.matchers import Matcher
from maestro_cli.core.progress import Quiet
from maestro_cli.incidents.model import Severity
from maestro_cli.tui.acting.dispatcher import Agreed, Dispatcher
from maestro_cli.tui.acting.model import Action, Answers, Danger, Target
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.screens.incident_actions import ACTIONS
from maestro_cli.tui.screens.incidents import incident_target, incidents_listing, read_incidents
from maestro_cli.tui.screens.model import Moment, Place
from maestro_cli.tui.store.events import ContextArmed, ContextDisarmed
from tests.tui.cases import NOW
from tests.tui.facts_of_changes import plan
from tests.tui.journal_room import JournalRoom, room, until

__all__ = ["room"]

BY_ID = {action.id: action for action in ACTIONS}


class Words:
    """Answers with the given words, and with the default to every other question."""

    def __init__(self, given: Mapping[str, str], says_yes: bool = True) -> None:
        self._given, self._says_yes = given, says_yes
        self.shown: list[str] = []

    def words(self, action: Action, targets: Sequence[Target]) -> Answers | None:
        return {ask.name: self._given.get(ask.name, ask.default(targets[0])) for ask in action.asks}

    def agree(self, *shown: object) -> Agreed | None:
        raise AssertionError("a record needs no agreement")

    def see(self, target: Target, title: str, view: Any, word: str, name: str) -> Agreed | None:
        assert word == "End the silence", "nothing else that is recorded is shown first"
        self.shown.append(view.schema)
        return Agreed() if self._says_yes else None

    def agree_all(self, action: Action, planned: Any, news: str) -> None:
        raise AssertionError("nothing here is a change")


def act(room: JournalRoom, action_id: str, *, asker: Words | None = None, **given: str) -> tuple[str, str]:
    """How it ended and the line in the log."""
    incident = room.services.desk.get("latest")
    console = room.console
    words = asker or Words(given)
    dispatcher = Dispatcher(console.store, console.clock, words, console.reading, console.acting)
    targets = (incident_target(incident, "x"),)
    assert dispatcher.refusal(BY_ID[action_id], targets) is None
    ((_, ending),) = dispatcher.perform(BY_ID[action_id], targets, Quiet(), Cancellation())
    return ending.outcome, console.store.snapshot.log[-1].line


def test_an_incident_is_walked_from_alert_to_close_while_the_console_is_read_only(room: JournalRoom) -> None:
    room.fires()
    assert "owned by" in act(room, "incident.ack")[0]
    assert act(room, "incident.mitigate", how="rolled back")[0].startswith("#1 is monitoring")
    assert "still firing" in act(room, "incident.resolve")[0]
    room.fires(firing=False)
    assert act(room, "incident.resolve")[0].startswith("#1 is resolved")
    assert act(room, "incident.reopen", reason="it came back")[0].startswith("#1 is triaging")
    assert act(room, "incident.dismiss", reason="the probe")[0].startswith("#1 is dismissed")


class Alertmanager:
    """Has one silence, that a change made."""

    def __init__(self, change: str) -> None:
        matchers, until = (Matcher("alertname", "ErrorBudgetBurn"),), NOW + timedelta(hours=2)
        self.one = Silence("s1", "active", matchers, NOW, until, "ana", f"a while [maestro {change}]")

    def silences(self) -> tuple[Silence, ...]:
        return (self.one,)


class Changes:
    """Keeps what it is told to do."""

    def __init__(self) -> None:
        self.done: list[tuple[str, object]] = []

    def plan(self, kind: str, ref: object, parameters: Mapping[str, str]) -> Plan:
        return replace(plan(), kind=kind, digest="d1", parameters=parameters)

    def decide(self, plan: object, consent: Consent) -> GateDecision:
        return GateDecision(Gate.ALLOWED, (), ())

    def execute(self, plan: Plan, consent: Consent, **how: object) -> None:
        self.done.append((plan.kind, plan.parameters["id"]))


@pytest.mark.parametrize("action", ["incident.resolve", "incident.dismiss"])
def test_what_is_over_ends_its_silences_while_its_context_is_armed(room: JournalRoom, action: str) -> None:
    silenced(room)
    room.console.store.dispatch(ContextArmed("x", room.console.clock.now() + timedelta(minutes=5)))
    changes, acting = Changes(), room.console.acting("x")
    acting.__dict__.update(alertmanager=Alertmanager("chg-1"), changes=changes)
    yes = Words({"force": "yes", "reason": "the rule is wrong"})
    outcome, _ = act(room, action, asker=yes)
    assert changes.done == [("unsilence", "s1")]
    assert len(yes.shown) == 1, "what ends a silence is a change, and its plan is shown"
    assert "holds until" not in outcome
    assert room.services.desk.overdue_silences() == ()


def test_no_silence_is_ended_without_a_yes_or_once_its_context_is_not_armed_any_more(
    room: JournalRoom,
) -> None:
    silenced(room)
    store = room.console.store
    store.dispatch(ContextArmed("x", room.console.clock.now() + timedelta(minutes=5)))
    changes, acting = Changes(), room.console.acting("x")
    acting.__dict__.update(alertmanager=Alertmanager("chg-1"), changes=changes)
    words = {"force": "yes", "reason": "the rule is wrong"}
    outcome, _ = act(room, "incident.resolve", asker=Words(words, says_yes=False))
    assert outcome.startswith("#1 is resolved, ")
    assert outcome.split(" UTC: ")[1].startswith("you said no")

    class Late(Words):
        def see(self, *shown: Any) -> Agreed | None:
            store.dispatch(ContextDisarmed("x"))
            return super().see(*shown)

    room.services.desk.reopen("1", "again")
    outcome, _ = act(room, "incident.resolve", asker=Late(words))
    assert "x is not armed any more" in outcome
    assert not changes.done


def test_what_could_not_be_ended_of_its_silences_is_said(room: JournalRoom) -> None:
    silenced(room)
    outcome, _ = act(room, "incident.resolve", force="yes", reason="the rule is wrong")
    assert outcome.startswith("#1 is resolved, ")
    assert "the silence alertname=ErrorBudgetBurn of #1 holds until" in outcome
    assert outcome.endswith("once it is, :silences ends it")
    assert not room.services.list_changes(10)
    room.services.desk.reopen("1", "again")
    room.console.store.dispatch(ContextArmed("x", room.console.clock.now() + timedelta(minutes=5)))
    outcome, _ = act(room, "incident.dismiss", reason="the probe")
    assert "the context 'x' has no alertmanager" in outcome


def silenced(room: JournalRoom) -> None:
    room.fires()
    until = room.console.clock.now() + timedelta(hours=2)
    room.services.desk.silenced(
        "latest", change="chg-1", matchers="alertname=ErrorBudgetBurn", until=until.isoformat()
    )


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
    outcome, logged = act(room, action, asker=Words(given))
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
