"""The present is never shown as the past: what was not recorded then is gone from the screen, and is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from maestro_cli.core.facts.inspection import Description, ObjectText
from maestro_cli.core.facts.logs import LogLine
from maestro_cli.core.quantities import format_duration
from maestro_cli.core.refs import ref_of
from maestro_cli.services.service_health import ServiceHealth
from maestro_cli.slo.burning import Burning
from maestro_cli.slo.objectives import Calendar, Counters, Objective
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.burn_line import burn_cells, burn_unknown
from maestro_cli.tui.feeds.tail import Tail
from maestro_cli.tui.screens.inspection import DESCRIPTION, YAML
from maestro_cli.tui.screens.logs import LOGS, LogsAsked
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.services import SERVICES, budget_words, burning_listing
from maestro_cli.tui.store.events import FactRead, Rewound
from maestro_cli.tui.store.model import Fact, FactKey
from tests.tui.cases import NOW, StillConsole, run_app, screen_text, tell, until
from tests.tui.journal_room import JournalRoom, room
from tests.tui.journal_room import until as until_in_room

__all__ = ["room"]

REF = ref_of("Pod", "ml", "fraud-1")
ASKED = LogsAsked(str(REF))
OBJECTIVE = Objective("answers", "t", "fraud", 0.99, 2592000.0, Counters("all_total", "bad_total"), {})
BURNING = Burning(OBJECTIVE, {}, None)
MARK = "present-day"
CASES: dict[str, tuple[Place, FactKey, Any]] = {
    "yaml": (Place("yaml", str(REF), "prod"), YAML.of("prod", str(REF)), ObjectText(REF, f"kind: {MARK}\n")),
    "describe": (
        Place("describe", str(REF), "prod"),
        DESCRIPTION.of("prod", str(REF)),
        Description(REF, "u", NOW, None, {"app": MARK}, {}, None),
    ),
    "logs": (
        Place("logs", str(REF), "prod"),
        LOGS.of("prod", str(ASKED)),
        Tail(0, (LogLine("fraud-1", "main", NOW, MARK),)),
    ),
    "service": (
        Place("service", "fraud", "prod"),
        SERVICES.of("prod"),
        (ServiceHealth("fraud", None, (), (), (), (Burning(OBJECTIVE, {}, 0.777),)),),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_nothing_of_now_stays_on_a_screen_of_the_past(case: str) -> None:
    place, key, data = CASES[case]
    mark = "77.7%" if case == "service" else MARK
    console = StillConsole(SimpleNamespace(policy=SimpleNamespace(protected=False, read_only=False)))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(key, data, NOW))
        await until(pilot, lambda: mark in screen_text(app), "the present")
        tell(console, Rewound(NOW - timedelta(hours=1), {}))
        await until(pilot, lambda: "not recorded then" in screen_text(app), "that it is not known")
        await until(pilot, lambda: mark not in screen_text(app), "nothing of now")

    run_app(console, script, place=place)


def test_of_a_service_that_no_objective_names_any_more_nothing_of_before_stays() -> None:
    place, key, data = CASES["service"]
    console = StillConsole(SimpleNamespace(policy=SimpleNamespace(protected=False, read_only=False)))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(key, data, NOW))
        await until(pilot, lambda: "77.7%" in screen_text(app), "the service")
        tell(console, FactRead(key, (), NOW))
        await until(pilot, lambda: "no service 'fraud'" in screen_text(app), "that it is gone")
        assert "77.7%" not in screen_text(app)
        tell(console, FactRead(key, data, NOW))
        await until(pilot, lambda: "77.7%" in screen_text(app), "the service, plotted again")

    run_app(console, script, place=place)


def test_of_what_is_no_service_nothing_is_plotted_and_those_that_there_are_are_named() -> None:
    place, key, data = CASES["service"]
    console = StillConsole(SimpleNamespace(policy=SimpleNamespace(protected=False, read_only=False)))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(key, data, NOW))
        words = f"{key.context} has no service 'ml/fraud': did you mean 'fraud'?"
        await until(pilot, lambda: words in screen_text(app), "that there is none, and the likely one")
        await until(pilot, lambda: "no data" not in screen_text(app), "no plots")
        assert "00:00:0" not in screen_text(app)

    run_app(console, script, place=replace(place, argument="ml/fraud"))


def test_an_incident_of_now_is_not_shown_as_one_of_the_past(room: JournalRoom) -> None:
    async def walk(pilot: Any, app: ConsoleApp) -> None:
        room.fires()
        await until_in_room(pilot, lambda: "ml/deploy/fraud" in screen_text(app))
        room.console.store.dispatch(Rewound(NOW, {}))
        await until_in_room(pilot, lambda: "not recorded then" in screen_text(app))
        await until_in_room(pilot, lambda: "ml/deploy/fraud" not in screen_text(app))
        assert app.view is not None
        assert app.view.targets() == ()

    room.run(walk, Place("incident", "#1", "x"))


def test_burn_names_its_context_where_there_are_several_and_those_of_which_none_is_known() -> None:
    read = Fact((BURNING,), NOW)
    assert [cell.name for cell in burn_cells({"prod": read})] == ["answers"]
    both = {"prod": read, "dev": read, "test": Fact()}
    assert [cell.name for cell in burn_cells(both)] == ["prod answers", "dev answers"]
    assert burn_unknown(both) == ("test",)
    none = Fact((), NOW)
    cells = burn_cells({"prod": read, "lab": none, "dev": Fact()})
    assert [(cell.name, cell.word) for cell in cells][1:] == [("lab", "no objectives")]
    assert burn_cells({"lab": none}) == ()


def test_a_budget_that_lasts_longer_than_its_window_is_never_gone() -> None:
    """At 0.001 times the rate it is gone in decades, says arithmetic: by then it is another budget."""
    windows = dict.fromkeys((300.0, 3600.0), 0.001)
    slow, fast = Burning(OBJECTIVE, windows, 0.9), Burning(OBJECTIVE, dict.fromkeys(windows, 20.0), 0.9)
    assert slow.gone_in_seconds is not None
    cells = burn_cells({"prod": Fact((slow, fast), NOW)})
    assert [cell.gone for cell in cells] == [
        "",
        f"budget gone in {format_duration(fast.gone_in_seconds or 0)}",
    ]
    health = ServiceHealth("fraud", None, (), (), (), (slow, replace(fast, left=0.25)))
    assert budget_words(health) == "25.0% of 30d"


def test_the_window_of_a_calendar_is_told_as_one_not_as_thirty_days() -> None:
    objective = replace(OBJECTIVE, calendar=Calendar("month", "UTC", date(2026, 1, 1)))
    spent = Burning(objective, {300.0: 20.0}, -20.0)
    health = ServiceHealth("fraud", None, (), (), (), (spent,))
    assert budget_words(health) == "overspent more than tenfold in this calendar month"


def test_what_is_more_than_spent_is_no_share_of_the_time() -> None:
    spent = Burning(OBJECTIVE, {300.0: 20.0}, -0.091, left_age_seconds=300.0)
    health = ServiceHealth("fraud", None, (), (), (), (spent,))
    told = "overspent by 9.1% in 30d, 5m00s old"
    assert budget_words(health) == told
    column = next(one for one in burning_listing((spent,)).columns if one.title == "budget left")
    assert column.cell(spent) == told
