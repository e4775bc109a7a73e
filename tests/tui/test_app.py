"""The app: shows what the store has, and does nothing that was not asked for."""

from __future__ import annotations

import threading
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from maestro_cli.tui.acting.dialogs import ArmDialog
from maestro_cli.tui.acting.menu import ActionMenu
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.messages import ActionRefused
from maestro_cli.tui.screens.incidents import INCIDENTS
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.pods import PODS
from maestro_cli.tui.screens.services import BURNING
from maestro_cli.tui.store.events import FactBegun, FactFailed, FactRead
from maestro_cli.tui.store.model import Told
from maestro_cli.tui.widgets.status_line import StatusLine
from tests.tui.cases import NOW, StillConsole, pod, run_app, screen_text, tell, until

SERVICES = SimpleNamespace(policy=SimpleNamespace(protected=False, read_only=False))
PODS_PLACE = Place("pods")


def test_rows_come_from_the_store_and_stay_grey_when_the_backend_is_gone() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(PODS.of("prod"), (pod("fraud-1"), pod("fraud-2")), NOW - timedelta(minutes=2)))
        await until(pilot, lambda: "fraud-2" in screen_text(app), "the rows")
        tell(console, FactFailed(PODS.of("prod"), Told("Kubernetes does not answer", "refused"), NOW))
        await until(pilot, lambda: "does not answer" in screen_text(app), "the error")
        text = screen_text(app)
        assert "fraud-1" in text
        assert "2m00s old" in text

    run_app(console, script, place=PODS_PLACE)


def test_the_first_rows_are_shown_while_the_rest_is_read_and_said_to_be_some() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactBegun(PODS.of("prod"), (pod("fraud-1"),)))
        await until(pilot, lambda: "fraud-1" in screen_text(app), "the first row")
        some = "… prod: reading Kubernetes, 1 rows so far"
        await until(pilot, lambda: some in screen_text(app), "that these are some")
        tell(console, FactBegun(PODS.of("prod"), (pod("fraud-1"), pod("fraud-2"))))
        await until(pilot, lambda: "2 rows so far" in screen_text(app), "more rows")
        tell(console, FactRead(PODS.of("prod"), (pod("fraud-1"), pod("fraud-2")), NOW))
        await until(pilot, lambda: "so far" not in screen_text(app), "the whole")

    run_app(console, script, place=PODS_PLACE)


def test_only_what_is_shown_is_read() -> None:
    console = StillConsole(SERVICES, ("prod", "staging"))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        ever = {feed.of(name) for feed in (BURNING, INCIDENTS) for name in ("prod", "staging")}
        both = {PODS.of("prod"), PODS.of("staging")}
        await until(pilot, lambda: console.feeds.wanted == {*both, *ever}, "what is read")
        app.go(Place("doctor", context="prod"))
        assert {key.feed for key in console.feeds.wanted} == {"doctor", BURNING.id, INCIDENTS.id}

    run_app(console, script, place=PODS_PLACE)


def test_a_change_is_refused_while_read_only_and_the_menu_says_so() -> None:
    console, seen = StillConsole(SERVICES), list[Any]()

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(PODS.of("prod"), (pod("fraud-1"),), NOW))
        await until(pilot, lambda: "fraud-1" in screen_text(app), "the rows")
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, ActionMenu), "the menu")
        await until(pilot, lambda: "refused now: prod is read-only" in screen_text(app), "why")
        await pilot.press("end", "enter")  # the last one ends the pod
        await until(pilot, lambda: any(isinstance(one, ActionRefused) for one in seen), "the refusal")

    run_app(console, script, place=PODS_PLACE, seen=seen)


def test_arming_is_for_one_context_and_says_so_in_words() -> None:
    console = StillConsole(SERVICES, ("prod", "staging"))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await pilot.press("W")
        await until(pilot, lambda: isinstance(app.screen, ArmDialog), "the dialog")
        await pilot.press("enter")  # Cancel has the focus
        await until(pilot, lambda: not isinstance(app.screen, ArmDialog), "no dialog")
        assert not console.store.snapshot.armed
        await pilot.press("W")
        await until(pilot, lambda: isinstance(app.screen, ArmDialog), "the dialog")
        await pilot.press("tab", "enter")
        await until(pilot, lambda: "WRITE prod" in screen_text(app), "the words")
        assert "staging READ-ONLY" in screen_text(app)

    run_app(console, script, place=PODS_PLACE)


def test_what_fails_beside_is_told_and_ends_in_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    hooked: list[object] = []
    monkeypatch.setattr(threading, "excepthook", hooked.append)

    def fail() -> None:
        raise ZeroDivisionError("nobody expected it")

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.beside(fail)
        await until(pilot, lambda: "nobody expected it" in screen_text(app), "what is told")

    run_app(StillConsole(SERVICES), script, place=Place("pods"))
    assert hooked == []


def test_a_message_of_several_lines_is_one_line_with_a_sign_of_more() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        line = app.query_one(StatusLine)
        line.tell("it failed: exit 3\nfirst of the log\nsecond")
        assert line.told == "it failed: exit 3 …"
        line.tell("one line\n")
        assert line.told == "one line"

    run_app(StillConsole(SimpleNamespace()), script, place=Place("pods"))
