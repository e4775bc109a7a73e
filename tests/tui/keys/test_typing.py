"""Typing into the console: commands, filters, places."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from textual import events
from textual.pilot import Pilot

from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.keys.keymap import Keymap
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.pods import PODS
from maestro_cli.tui.store.events import ContextArmed, FactRead
from maestro_cli.tui.widgets.crumbs import Crumbs
from maestro_cli.tui.widgets.prompt import PromptInput
from tests.tui.cases import NOW, StillConsole, pod, run_app, screen_text, tell, until

CONTEXTS = {"prod": SimpleNamespace(namespace="ml"), "staging": SimpleNamespace(namespace=None)}
SERVICES = SimpleNamespace(
    policy=SimpleNamespace(protected=False, read_only=False),
    settings=SimpleNamespace(contexts=CONTEXTS, context=CONTEXTS.__getitem__),
)
PODS_PLACE = Place("pods")


async def type_in(pilot: Pilot[None], text: str) -> None:
    await pilot.press(*("space" if letter == " " else letter for letter in text))


def crumbs(app: ConsoleApp) -> str:
    return app.screen_stack[0].query_one(Crumbs).words


def test_a_command_leads_to_a_place_and_escape_and_minus_lead_back() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await pilot.press("colon")
        await type_in(pilot, "nod")
        await pilot.press("tab", "enter")
        await until(pilot, lambda: crumbs(app) == "pods › nodes", "the nodes")
        await pilot.press("escape")
        await until(pilot, lambda: crumbs(app) == "pods", "the pods")
        await pilot.press("minus")
        await until(pilot, lambda: app.trail[-1] == Place("nodes"), "the nodes again")
        assert app.history.lines() == ["nodes"]

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE)


def test_an_incident_that_is_open_is_no_second_place_however_it_is_typed() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.go(Place("incident", "#2", "prod"))
        assert app.run_line("incident 2")
        await until(pilot, lambda: crumbs(app) == "pods › incident #2", "one step")

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE)


def test_a_command_that_is_wrong_stays_to_be_mended_and_says_what_was_meant() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await pilot.press("colon")
        await type_in(pilot, "pdos")
        await pilot.press("enter")
        await until(pilot, lambda: "did you mean 'pods'" in screen_text(app), "the suggestion")
        assert app.prompt.is_open
        await pilot.press("escape")
        await until(pilot, lambda: not app.prompt.is_open, "no prompt")
        assert app.trail == (PODS_PLACE,)

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE)


def test_a_filter_is_applied_while_it_is_typed_and_escape_takes_it_away() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(PODS.of("prod"), (pod("fraud-1"), pod("rank-1")), NOW))
        await until(pilot, lambda: "rank-1" in screen_text(app), "the rows")
        await pilot.press("slash")
        await type_in(pilot, "!fraud")
        await until(pilot, lambda: "filtered 2 → 1" in screen_text(app), "the count")
        assert "fraud-1" not in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: crumbs(app) == "pods !fraud", "the crumb")
        await pilot.press("escape")
        await until(pilot, lambda: "fraud-1" in screen_text(app), "all rows")

    run_app(console, script, place=PODS_PLACE)


def test_a_filter_that_cannot_be_read_says_so_where_it_is_typed() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(PODS.of("prod"), (pod("fraud-1"),), NOW))
        await pilot.press("slash")
        await type_in(pilot, "(")
        await until(pilot, lambda: "! the filter '(' cannot be read" in screen_text(app), "the error")
        assert "fraud-1" in screen_text(app)

    run_app(console, script, place=PODS_PLACE)


def test_a_filter_of_a_context_keeps_its_rows_alone() -> None:
    console = StillConsole(SERVICES, ("prod", "staging"))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(PODS.of("prod"), (pod("fraud"),), NOW))
        tell(console, FactRead(PODS.of("staging"), (pod("rank"),), NOW))
        await until(pilot, lambda: "rank" in screen_text(app), "both")
        app.run_line("pods /@stag")
        await until(pilot, lambda: "filtered 2 → 1" in screen_text(app), "one")
        assert "fraud" not in screen_text(app)

    run_app(console, script, place=PODS_PLACE)


def test_zero_goes_between_all_namespaces_and_the_own_one() -> None:
    console = StillConsole(SERVICES, ("prod",))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await pilot.press("0")
        await until(pilot, lambda: console.store.snapshot.scope.namespace == "ml", "the context's own")
        await pilot.press("0")
        await until(pilot, lambda: console.store.snapshot.scope.namespace == "", "all")
        app.run_line("ns shop")
        await until(pilot, lambda: PODS.of("prod", "shop") in console.feeds.wanted, "its pods")
        await pilot.press("0", "0")
        await until(pilot, lambda: console.store.snapshot.scope.namespace == "shop", "the one of before")

    run_app(console, script, place=PODS_PLACE)


def test_a_context_that_is_left_is_disarmed() -> None:
    console = StillConsole(SERVICES, ("prod",))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, ContextArmed("prod", NOW.replace(hour=4)))
        assert app.run_line("ctx staging,prod")
        assert console.store.snapshot.armed
        assert app.run_line("ctx staging")
        assert not console.store.snapshot.armed
        assert {key.context for key in console.feeds.wanted} == {"staging"}

    run_app(console, script, place=PODS_PLACE)


def test_a_digit_leads_to_its_screen_or_to_what_was_pinned_to_it() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.chosen_keys = Keymap(favourites={"3": "pods shop"})
        await pilot.press("3")
        await until(pilot, lambda: app.trail[-1] == Place("pods", "shop"), "the pinned one")
        app.chosen_keys = Keymap()
        await pilot.press("3")
        await until(pilot, lambda: app.trail[-1] == Place("pods"), "the screen")

    run_app(StillConsole(SERVICES), script, place=Place("nodes"))


def test_keys_that_were_chosen_work_in_place_of_the_others() -> None:
    console: Any = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.set_keymap({"console.command": "f9"})
        await pilot.press("colon")
        assert not app.prompt.is_open
        await pilot.press("f9")
        await until(pilot, lambda: app.prompt.is_open, "the prompt")

    run_app(console, script, place=PODS_PLACE)


def test_keys_that_arrive_at_once_after_a_colon_are_typed_and_do_nothing_else() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        for letter in ":at 5m":
            name = {":": "colon", " ": "space"}.get(letter, letter)
            app.post_message(events.Key(name, letter))
        await until(pilot, lambda: app.prompt.query_one(PromptInput).value == "at 5m", "all of them")
        assert app.trail == (PODS_PLACE,)
        app.post_message(events.Key("colon", ":"))
        await until(
            pilot, lambda: app.prompt.query_one(PromptInput).value == "at 5m:", "the colon as a letter"
        )

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE)
