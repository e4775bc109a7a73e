"""Going on to another place, however fast: keys come to it, and what was left does nothing any more."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from textual import events
from textual.pilot import Pilot

from maestro_cli.tui.acting.menu import ActionMenu
from maestro_cli.tui.acting.model import Action, Ask, Danger, Target
from maestro_cli.tui.acting.refusing import RefusedDialog
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.feeds.incident_story import STORY as FEED
from maestro_cli.tui.keys import order
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.table import every_screen
from maestro_cli.tui.store.events import FactRead
from maestro_cli.tui.views.incident_view import IncidentView
from maestro_cli.tui.views.table_view import TableView
from maestro_cli.tui.views.view import View
from tests.patience import PATIENCE_SECONDS
from tests.tui.cases import NOW, StillConsole, run_app, screen_text, tell, until
from tests.tui.facts_of_incidents import STORY

SERVICES = SimpleNamespace(
    policy=SimpleNamespace(protected=False, read_only=False),
    settings=SimpleNamespace(contexts={}, context=lambda name: SimpleNamespace(namespace=None)),
)
INCIDENT = Place("incident", "#2", "prod")
OPENED = FactRead(FEED.of("prod", "#2"), STORY, NOW)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still for a while is not what a key is held back for in vain."""
    monkeypatch.setattr(order, "LONGEST_SECONDS", 60.0)


def burst(app: ConsoleApp, *keys: str) -> None:
    """All at once, as a terminal gives what was typed while nobody read."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


def test_what_is_typed_after_a_command_waits_for_the_screen_that_it_leads_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits, there = asyncio.Event(), asyncio.Event()

    async def mounted_late(view: TableView) -> None:
        if view.spec.id == "nodes":
            waits.set()
            await there.wait()

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.focused is not None, "the pods")
        burst(app, "colon", *"nodes", "enter", "x")
        try:
            await asyncio.wait_for(waits.wait(), 60)
            for _ in range(100):
                await asyncio.sleep(0.001)
            assert len(app.screen_stack) == 1
            assert app.count == 7, "the key is held back"
        finally:
            there.set()
        await until(pilot, lambda: isinstance(app.screen, ActionMenu), "the menu")
        assert "nodes.cordon" in {action.id for action, _ in app.screen._offers}  # type: ignore[attr-defined]

    monkeypatch.setattr(TableView, "on_mount", mounted_late, raising=False)
    run_app(StillConsole(SERVICES), script, place=Place("pods"))


def test_a_screen_that_is_never_whole_holds_no_key_back_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "LONGEST_SECONDS", 0.3)
    whole = asyncio.Event()

    async def mounted_late(view: TableView) -> None:
        if view.spec.id == "nodes":
            await whole.wait()

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.focused is not None, "the pods")
        burst(app, "colon", *"nodes", "enter", "colon", "p")
        end = time.monotonic() + PATIENCE_SECONDS
        try:
            while not app.prompt.is_open or app.count < 9:  # no pause: that waits for what is never whole
                assert time.monotonic() < end, "never: the keys"
                await asyncio.sleep(0.01)
        finally:
            whole.set()

    monkeypatch.setattr(TableView, "on_mount", mounted_late, raising=False)
    run_app(StillConsole(SERVICES), script, place=Place("pods"))


@pytest.mark.parametrize("turns", range(0, 24, 3))
def test_a_place_that_is_left_before_it_is_whole_ends_nothing(turns: int) -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.focused is not None, "the pods")
        for name in every_screen():
            app.go(Place(name, "#2" if name == "incident" else "ml/pod/a"))
            for _ in range(turns):  # of the loop, each a little further in its being made
                await asyncio.sleep(0)
            app.go(Place("pods"))
        burst(app, "4")
        await until(pilot, lambda: app.trail[-1].screen == "nodes", "a key does what it does")
        assert app.fault is None

    run_app(StillConsole(SERVICES), script, place=Place("pods"))


def test_an_incident_that_is_being_left_does_nothing_any_more() -> None:
    """A key that it was given before, or a resize, may come to it between any two of its parts going."""

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(app.behind, OPENED)
        for turns in range(16):  # of the loop, each a little further in its being left
            app.go(INCIDENT)
            await until(pilot, lambda: "[Timeline]" in screen_text(app), "the incident")
            view = app.view
            assert isinstance(view, IncidentView)
            app.go(Place("pods"))
            for _ in range(turns):
                await asyncio.sleep(0)
            for act in (view.action_logs, view.action_previous, view.action_zoom, view.on_resize):
                act()
            view.action_pane(1)
            view.set_filter("5..")
            assert view.home is None
            await until(pilot, lambda: "[Timeline]" not in screen_text(app), "the pods")
        burst(app, "4")
        await until(pilot, lambda: app.trail[-1].screen == "nodes", "a key does what it does")
        assert app.fault is None

    run_app(StillConsole(SERVICES), script, place=Place("pods"))


@pytest.mark.parametrize("turns", range(4))
def test_an_incident_that_is_left_before_its_panes_are_made_ends_nothing(turns: int) -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.focused is not None, "the pods")
        app.go(INCIDENT)
        for _ in range(turns):
            await asyncio.sleep(0)
        app.go(Place("pods"))
        burst(app, "4")
        await until(pilot, lambda: app.trail[-1].screen == "nodes", "a key does what it does")
        assert app.fault is None

    run_app(StillConsole(SERVICES), script, place=Place("pods"))


def asks(danger: Danger) -> Action:
    return Action(
        "pods.say", "Say", "say two words", danger, lambda target, answers: ("say",), asks=(Ask("a", "a"),),
        performs=lambda doing: "said",
    )  # fmt: skip


def test_what_is_typed_for_an_action_that_is_refused_is_no_command() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.focused is not None, "the pods")
        app.act(asks(Danger.REVERSIBLE), (Target("prod", "Pod", "a", "a"),))
        burst(app, "4", "x", "colon", "q")
        await until(pilot, lambda: isinstance(app.screen, RefusedDialog), "why")
        await until(pilot, lambda: app.count == 4, "the keys")
        assert [place.screen for place in app.trail] == ["pods"]
        assert "prod is read-only" in screen_text(app)
        assert "press W to arm it" in screen_text(app)
        assert "prod is read-only" in app.status.told
        burst(app, "enter", "4")
        await until(pilot, lambda: app.trail[-1].screen == "nodes", "keys are commands again")

    run_app(StillConsole(SERVICES), script, place=Place("pods"))


def test_an_action_that_asks_for_no_words_is_refused_in_the_line_alone() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.act(replace(asks(Danger.REVERSIBLE), asks=()), (Target("prod", "Pod", "a", "a"),))
        await until(pilot, lambda: "prod is read-only" in app.status.told, "why")
        assert len(app.screen_stack) == 1

    run_app(StillConsole(SERVICES), script, place=Place("pods"))


@pytest.mark.parametrize("between", [("3", "0"), ("0",), ("3", "colon", *"ns all", "enter")], ids=str)
def test_an_incident_that_was_left_is_neither_in_the_header_nor_in_the_scope(
    between: tuple[str, ...],
) -> None:
    console = StillConsole(SERVICES, namespace="shop")

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.go(INCIDENT)
        tell(console, OPENED)
        await until(pilot, lambda: "incident #2" in screen_text(app).splitlines()[0], "the incident")
        await pilot.press(*("space" if key == " " else key for key in between))
        while len(app.trail) > 1:
            await pilot.press("escape")
        await until(pilot, lambda: "#2" not in screen_text(app).splitlines()[0], "it in the header no more")
        scope = console.store.snapshot.scope
        assert (scope.incident, scope.since, scope.namespace) == ("", None, "")

    run_app(console, script, place=Place("incidents"))


def test_the_list_of_incidents_is_about_none_of_them() -> None:
    console = StillConsole(SERVICES, namespace="shop")

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        before = console.store.snapshot.scope
        app.go(INCIDENT)
        tell(console, OPENED)
        await until(pilot, lambda: console.store.snapshot.scope.incident == "#2", "the incident")
        assert app.run_line("nodes")
        assert console.store.snapshot.scope.incident == "#2", "what is reached from it is about it"
        assert app.run_line("incidents")
        assert console.store.snapshot.scope == before

    run_app(console, script, place=Place("pods"))


def test_an_incident_that_was_left_before_it_was_known_fixes_nothing() -> None:
    console = StillConsole(SERVICES, namespace="shop")

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.go(INCIDENT)
        left = app.view
        assert left is not None
        before = console.store.snapshot.scope
        await pilot.press("escape")
        handled: list[bool] = []
        app.post_message(View.ScopeFixed(left, replace(before, namespace="ml", incident="#2")))
        app.call_later(handled.append, True)
        await until(pilot, lambda: bool(handled), "what it says of the scope")
        assert console.store.snapshot.scope == before, "before another place would restore it"

    run_app(console, script, place=Place("incidents"))
