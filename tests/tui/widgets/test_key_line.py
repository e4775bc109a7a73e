"""The line of keys has whole entries alone, and the key that lists all of them where some have no room."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from textual.pilot import Pilot

from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.keys.keymap import Keymap
from maestro_cli.tui.screens.experiment_actions import live_key
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.table import every_screen
from maestro_cli.tui.store.events import FactRead, FactsForgotten
from maestro_cli.tui.widgets.key_line import fitting
from tests.tui.cases import NOW, StillConsole, screen_text, tell, until
from tests.tui.facts import FACTS, PLACES, SITE

SERVICES = SimpleNamespace(policy=SimpleNamespace(protected=False))


def test_only_whole_entries_fit() -> None:
    assert fitting([5, 5, 5], 15) == 3
    assert fitting([5, 5, 5], 14) == 2
    assert fitting([5], 4) == 0


def foot(screen: str, size: tuple[int, int], chosen: dict[str, str]) -> tuple[str, list[str]]:
    """The last line, and every entry that it might have."""
    found: list[tuple[str, list[str]]] = []

    async def look(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "Actions" in screen_text(app).splitlines()[-1], "the keys")
        shown = [one.binding for one in app.screen.active_bindings.values() if one.binding.show]
        first = {one.action: one for one in reversed(shown)}  # an action with several keys stands once
        entries = [f"{app.get_key_display(one)} {one.description}" for one in first.values()]
        found.append((screen_text(app).splitlines()[-1], entries))

    async def run() -> None:
        console = StillConsole(SERVICES, (SITE,))
        app = ConsoleApp(console, PLACES.get(screen, Place(screen)), keymap=Keymap(chosen))
        async with app.run_test(size=size) as pilot:
            tell(console, *(FactRead(key, data, NOW) for key, data in FACTS[screen]().items()))
            await look(app, pilot)

    asyncio.run(run())
    return found[0]


@pytest.mark.parametrize("screen", ["pods", "incident", "incidents", "services", "experiments"])
def test_no_key_is_cut_at_80_columns_and_how_to_see_the_others_is_said(screen: str) -> None:
    assert screen in every_screen()
    line, entries = foot(screen, (80, 24), {})
    rest = line.replace(" f8 Abort ", "", 1)
    for entry in entries:
        rest = rest.replace(f" {entry} ", "", 1)
    is_whole = all(f" {entry} " in line for entry in entries)
    assert rest.strip() == ("" if is_whole else "? more …")


def test_the_key_that_lists_all_of_them_is_the_chosen_one() -> None:
    line, _ = foot("incident", (80, 24), {"console.help": "f3"})
    assert line.rstrip().endswith(" f3 more …")


@pytest.mark.parametrize(
    ("screen", "is_told"),
    [("experiments", True), ("experiment-run", True), ("drills", True), ("pods", False), ("cost", False)],
)
def test_the_key_that_ends_experiments_stands_first_where_they_are(screen: str, is_told: bool) -> None:
    line, _ = foot(screen, (120, 40), {})
    assert line.strip().startswith("f8 Abort") is is_told
    assert ("f8" in line) is is_told


def test_it_is_told_everywhere_while_this_console_works_on_one() -> None:
    async def run() -> None:
        console = StillConsole(SERVICES, (SITE,))
        app = ConsoleApp(console, Place("pods"))
        async with app.run_test(size=(120, 40)) as pilot:
            tell(console, *(FactRead(key, data, NOW) for key, data in FACTS["pods"]().items()))
            await until(pilot, lambda: "Actions" in screen_text(app).splitlines()[-1], "the keys")
            assert "f8" not in screen_text(app).splitlines()[-1]
            live = live_key(SITE, "run-1")
            tell(console, FactRead(live, object(), NOW))
            await until(pilot, lambda: "f8 Abort" in screen_text(app).splitlines()[-1], "the key")
            tell(console, FactsForgotten(frozenset({live})))
            await until(pilot, lambda: "f8" not in screen_text(app).splitlines()[-1], "it is over")

    asyncio.run(run())
