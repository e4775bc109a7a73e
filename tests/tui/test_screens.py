"""The table of screens: every one is found by its names, and does nothing by a slip of a finger."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest
from textual.pilot import Pilot

from maestro_cli.tui.acting.model import Action, Danger, Target
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.table import FIRST, every_feed, every_screen, screen_names
from maestro_cli.tui.store.events import FactRead
from tests.tui.cases import NOW, StillConsole, run_app, tell, until
from tests.tui.facts import FACTS, SITE

EVERY = tuple(every_screen().values())
ACTIONS = {action.id: action for screen in EVERY for action in screen.actions}


def test_every_name_and_alias_leads_to_one_screen() -> None:
    names = Counter(name for screen in EVERY for name in (screen.id, *screen.aliases))
    assert [name for name, count in names.items() if count > 1] == []
    assert screen_names()[FIRST] == FIRST


def test_every_digit_is_of_one_screen() -> None:
    digits = Counter(screen.digit for screen in EVERY if screen.digit)
    assert [digit for digit, count in digits.items() if count > 1] == []


def test_every_feed_names_its_backend_and_is_read_at_most_each_second() -> None:
    assert [feed.id for feed in every_feed().values() if not feed.needs or feed.every_seconds < 1] == []


@pytest.mark.parametrize("screen", EVERY, ids=lambda screen: screen.id)
def test_every_screen_says_what_it_shows(screen: object) -> None:
    text = screen.help  # type: ignore[attr-defined]
    assert text.endswith(".")
    assert screen.title  # type: ignore[attr-defined]


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.id)
def test_what_changes_the_world_has_no_key_of_its_own(action: Action) -> None:
    assert action.id.count(".") == 1
    if action.danger.needs_arming:
        assert action.key == ""


AT_ONCE = {"incident.ack", "incident.triage"}  # records that end nothing, by their key alone


def test_what_records_by_a_bare_key_ends_nothing_and_what_stops_has_no_key() -> None:
    bare = {one.id for one in ACTIONS.values() if one.danger is Danger.RECORD and one.key and not one.asks}
    assert bare <= AT_ONCE
    stops = [one for one in ACTIONS.values() if "stop" in one.id]
    assert {one.id for one in stops} >= {"incident.stop-run", "runs.stop"}
    assert [one.id for one in stops if one.key or "word" not in [ask.name for ask in one.asks]] == []


@pytest.mark.parametrize("name", ["merge", "resolve", "dismiss", "close", "reopen"])
def test_what_ends_an_incident_asks_first(name: str) -> None:
    assert ACTIONS[f"incident.{name}"].asks


def line(target: Target, answers: object) -> tuple[str, ...]:
    return ("status",)


def test_an_action_that_plans_nothing_cannot_be_called_dangerous() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        Action("a.b", "A", "a", Danger.DISRUPTIVE, line, records=lambda services, target, answers: "")
    with pytest.raises(ValueError, match="needs one of"):
        Action("a.b", "A", "a", Danger.OBSERVE, line)
    Action("a.b", "A", "a", Danger.OBSERVE, line, opens=lambda target: Place("pods"))


def test_enter_says_what_to_do_where_it_leads_nowhere() -> None:
    console = StillConsole(SimpleNamespace(), (SITE,))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, *(FactRead(key, data, NOW) for key, data in FACTS["drills"]().items()))
        await until(pilot, lambda: bool(app.view and app.view.targets()), "the drills")
        await pilot.press("enter")
        await until(pilot, lambda: "maestro drill run bad-release plays it" in app.status.told, "the words")

    run_app(console, script, place=Place("drills"))
