"""The screen of objectives: what `slo status` says, and what one rests on behind Enter."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from textual.pilot import Pilot

from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.burn_line import LISTED_SECONDS, burn_line
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.objectives import OBJECTIVE, OBJECTIVES, read_objectives
from maestro_cli.tui.screens.services import BURNING
from maestro_cli.tui.screens.services import SERVICES as SERVICES_FEED
from maestro_cli.tui.store.events import FactRead
from maestro_cli.tui.store.model import Fact, Scope, Snapshot
from tests.tui.cases import NOW, StillConsole, run_app, screen_text, tell, until
from tests.tui.facts import HOSTILE, burning
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


def test_the_line_and_the_row_say_the_same_of_an_objective_whichever_was_read_later() -> None:
    console, found = StillConsole(SERVICES), kept_objectives(HOSTILE)
    (stale, _) = burning()  # it says that a third is left: the list has measured since that nothing is
    later = replace(stale, rates=dict.fromkeys(stale.rates, 1.5))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        def line() -> str:
            return screen_text(app).splitlines()[1]

        def row() -> str:
            return next(one for one in screen_text(app).splitlines()[3:] if "fraud-availability" in one)

        tell(console, FactRead(BURNING.of("prod"), (stale,), NOW))
        await until(pilot, lambda: "critical, budget gone in" in line(), "the line alone")
        tell(console, FactRead(OBJECTIVES.of("prod"), found, NOW))
        await until(pilot, lambda: "critical, budget spent" in line(), "what is left by the list")
        assert "critical" in row()
        assert "spent" in row()
        tell(console, FactRead(BURNING.of("prod"), (later,), NOW))
        await until(pilot, lambda: "increasing, budget spent" in line(), "how it burns by the line")
        assert "increasing" in row()
        assert "critical" not in row()

    run_app(console, script, place=Place("objectives"), size=(200, 40))


def test_the_page_of_one_says_how_it_burns_as_the_line_does() -> None:
    console, found = StillConsole(SERVICES), kept_objectives(HOSTILE)
    (known, _) = burning()
    later = replace(known, rates=dict.fromkeys(known.rates, 1.5))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        key = OBJECTIVE.of("prod", "fraud-availability")
        tell(console, FactRead(key, found[0], NOW))
        await until(pilot, lambda: "requests_total" in screen_text(app), "the page")
        page = "\n".join(screen_text(app).splitlines()[3:])
        assert "14.4" in page
        tell(console, FactRead(BURNING.of("prod"), (later,), NOW))
        await until(pilot, lambda: "increasing" in screen_text(app).splitlines()[1], "the line")
        page = "\n".join(screen_text(app).splitlines()[3:])
        assert page.count("1.5") >= len(later.rates)

    run_app(console, script, place=Place("objective", "fraud-availability", "prod"), size=(200, 60))


def test_what_is_left_by_a_list_that_is_read_no_more_is_not_told_as_of_now() -> None:
    found, (one, _) = kept_objectives(HOSTILE), burning()
    facts = {OBJECTIVES.of("prod"): Fact(found, NOW), BURNING.of("prod"): Fact((one,), NOW)}
    snapshot = Snapshot(Scope(("prod",)), facts)
    (cell,) = burn_line(snapshot, NOW + timedelta(seconds=LISTED_SECONDS - 1)).cells
    assert cell.gone == "budget spent"
    (cell,) = burn_line(snapshot, NOW + timedelta(seconds=LISTED_SECONDS)).cells
    assert cell.gone.startswith("budget gone in")


@pytest.mark.parametrize("width", [140, 200])
def test_the_burn_down_is_on_the_screen_without_scrolling(width: int) -> None:
    console, found = StillConsole(SERVICES), kept_objectives(HOSTILE)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(OBJECTIVES.of("prod"), found, NOW))
        await until(pilot, lambda: "fraud-availability" in screen_text(app), "the rows")
        assert "BURN-DOWN" in screen_text(app)
        row = next(one for one in screen_text(app).splitlines() if "fraud-availability" in one)
        assert "█" * 16 + "▅▄▁▁" in row

    run_app(console, script, place=Place("objectives"), size=(width, 40))
