"""The screen of objectives: what `slo status` says, and what one rests on behind Enter."""

from __future__ import annotations

from types import SimpleNamespace

from textual.pilot import Pilot

from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.objectives import OBJECTIVE, OBJECTIVES, read_objectives
from maestro_cli.tui.screens.services import SERVICES as SERVICES_FEED
from maestro_cli.tui.store.events import FactRead
from tests.tui.cases import NOW, StillConsole, run_app, screen_text, tell, until
from tests.tui.facts import HOSTILE
from tests.tui.facts_of_objectives import kept_objectives

SERVICES = SimpleNamespace(policy=SimpleNamespace(protected=False, read_only=False))


def test_without_objectives_nothing_is_asked_of_anybody() -> None:
    assert read_objectives(SimpleNamespace(objectives={}), "") == ()  # type: ignore[arg-type]


def test_a_row_says_it_in_words_and_leads_to_what_it_rests_on_and_to_who_is_hurt() -> None:
    console, found = StillConsole(SERVICES), kept_objectives(HOSTILE)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(OBJECTIVES.of("prod"), found, NOW))
        await until(pilot, lambda: "fraud-availability" in screen_text(app), "the rows")
        row = next(line for line in screen_text(app).splitlines() if "fraud-availability" in line)
        assert row.split()[1:3] == ["fraud-availability", "FAIL"]
        assert "critical" in row
        assert "freeze" in row
        await pilot.press("enter")
        key = OBJECTIVE.of("prod", "fraud-availability")
        await until(pilot, lambda: key in console.feeds.wanted, "what is read of one")
        tell(console, FactRead(key, found[0], NOW))
        await until(pilot, lambda: "requests_total" in screen_text(app), "the queries")
        assert "14.4" in screen_text(app)
        await pilot.press("o")
        await until(pilot, lambda: SERVICES_FEED.of("prod") in console.feeds.wanted, "the service")
        assert "service fraud" in screen_text(app)

    run_app(console, script, place=Place("objectives"))
