"""Help, tour and palette: made of what really works."""

from __future__ import annotations

import asyncio

from textual.command import CommandPalette, Hit
from textual.events import Key
from textual.pilot import Pilot

from maestro_cli.tui.acting.dialogs import ArmDialog
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.keys.help import HelpDialog, help_text, lines_of
from maestro_cli.tui.keys.keymap import Keymap
from maestro_cli.tui.keys.palette import ConsoleCommands
from maestro_cli.tui.keys.remembered import Remembered, recall
from maestro_cli.tui.keys.table import SIDES, app_keys, keys_together
from maestro_cli.tui.keys.tour import tour_text
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.pods import PODS
from maestro_cli.tui.screens.table import every_screen
from maestro_cli.tui.store.events import FactRead
from maestro_cli.tui.text import plain_text
from maestro_cli.tui.widgets.fact_table import FactTable
from tests.tui.cases import NOW, StillConsole, pod, run_app, screen_text, tell, until
from tests.tui.keys.test_typing import SERVICES, type_in

PODS_PLACE = Place("pods")


def test_help_tells_of_every_key_that_works_in_the_place_and_of_each_action_with_its_danger() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(PODS.of("prod"), (pod("fraud-1"),), NOW))
        await until(pilot, lambda: "fraud-1" in screen_text(app), "the rows")
        active = lines_of((key, one.binding) for key, one in app.screen.active_bindings.items())
        known = {key.id for key in keys_together(every_screen()["pods"]) if key.keys and key.place != SIDES}
        assert {name for name in known if name not in active} == set()
        text = "\n".join(plain_text(line) for line in help_text(every_screen()["pods"], active))
        assert [key.tooltip for key in app_keys() if key.tooltip not in text] == []
        assert "disruptive: have it evicted" in text
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpDialog), "the help")
        await until(pilot, lambda: "What can be done on Pods" in screen_text(app), "its words")
        await pilot.press("question_mark")
        await until(pilot, lambda: not isinstance(app.screen, HelpDialog), "no help")

    run_app(console, script, place=PODS_PLACE)


def test_an_action_without_a_key_of_its_own_is_found_under_the_keys_that_were_chosen() -> None:
    async def said(chosen: dict[str, str]) -> str:
        app = ConsoleApp(StillConsole(SERVICES), PODS_PLACE, keymap=Keymap(chosen))
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: "Actions" in screen_text(app), "the keys")
            active = lines_of((key, one.binding) for key, one in app.screen.active_bindings.items())
            lines = (plain_text(line) for line in help_text(every_screen()["pods"], active))
            return next(line.strip() for line in lines if "disruptive: have it evicted" in line)

    assert asyncio.run(said({})).startswith("x, ctrl+p ")
    assert asyncio.run(said({"view.menu": "f9", "console.palette": "f6"})).startswith("f9, f6 ")


def test_the_tour_names_the_keys_that_were_chosen() -> None:
    lines = [plain_text(line) for line in tour_text({"console.command": "f9"})]
    assert any(line.strip().startswith("f9") and ":pods" in line for line in lines)


def test_the_tour_comes_once_and_what_was_shown_is_remembered() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: isinstance(app.screen, HelpDialog), "the tour")
        await until(pilot, lambda: "maestro in ten keys" in screen_text(app), "its words")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, HelpDialog), "no tour")
        await until(pilot, lambda: isinstance(app.focused, FactTable), "the keys on the list")
        app.run_line("nodes")
        app.run_line("ns shop")
        await until(pilot, lambda: app.behind.store.snapshot.scope.namespace == "shop", "the namespace")
        app.run_line("theme light")
        await pilot.press("ctrl+t")
        await until(pilot, lambda: app.done.is_open, "the log")

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE, kept=Remembered())
    assert recall() == Remembered("light", "nodes", {"prod": "shop"}, is_log_open=True, has_seen_tour=True)


def test_what_is_typed_before_the_tour_is_done_and_the_tour_comes_at_the_next_start() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.trail[-1].screen == "nodes", "where it was typed to go")
        await until(pilot, lambda: ":tour shows ten keys" in screen_text(app), "where the tour is")
        assert len(app.screen_stack) == 1
        await pilot.press("ctrl+q")

    async def run() -> None:
        app = ConsoleApp(StillConsole(SERVICES), PODS_PLACE, kept=Remembered())
        app._held.extend((Key("colon", ":"), *(Key(one, one) for one in "nodes"), Key("enter", "\r")))
        async with app.run_test(size=(120, 40)) as pilot:
            await script(app, pilot)

    asyncio.run(run())
    assert not recall().has_seen_tour


def test_the_sign_of_a_command_leaves_the_tour_and_what_follows_is_the_command() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: isinstance(app.screen, HelpDialog), "the tour")
        await pilot.press("colon", *"nodes", "enter")
        await until(pilot, lambda: app.trail[-1].screen == "nodes", "where it was typed to go")
        assert len(app.screen_stack) == 1

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE, kept=Remembered())
    assert recall().has_seen_tour


def test_the_palette_finds_an_action_with_its_danger_and_why_it_is_refused() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(PODS.of("prod"), (pod("[b]x[/"),), NOW))
        await until(pilot, lambda: "[b]x[/" in screen_text(app), "the rows")
        provider = ConsoleCommands(app.screen)
        found = [hit async for hit in provider.search("end the pod")]
        assert [hit.text for hit in found][:1] == ["End the pod: ml/pod/[b]x[/"]
        shown = [str(hit.match_display) for hit in found if isinstance(hit, Hit)]
        assert "destructive, refused now: " in shown[0], "nothing brings it back"
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette), "the palette")
        await type_in(pilot, "theme light")
        await until(pilot, lambda: "Theme light" in screen_text(app), "the theme")
        await pilot.press("enter")
        await until(pilot, lambda: app.theme == "light", "light")

    run_app(console, script, place=PODS_PLACE)


def test_write_asks_for_as_many_minutes_as_were_typed() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.run_line("write 25")
        await until(pilot, lambda: isinstance(app.screen, ArmDialog), "the dialog")
        await until(pilot, lambda: "25" in screen_text(app), "the minutes")

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE)
