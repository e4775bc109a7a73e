"""Keys come to what they are meant for, however fast they are pressed."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from maestro_cli.tui.acting.dialogs import QuitDialog, WordsDialog
from maestro_cli.tui.acting.dispatcher import Dispatcher
from maestro_cli.tui.acting.model import Action, Answers, Ask, Danger, Target
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.keys import order
from maestro_cli.tui.keys.help import HelpDialog
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.pods import PODS
from maestro_cli.tui.screens.table import every_screen
from maestro_cli.tui.store.events import FactRead
from maestro_cli.tui.widgets.fact_table import FactTable
from tests.tui.cases import NOW, StillConsole, pod, run_app, screen_text, tell, until

TWO = Action(
    "pods.say", "Say", "say two words", Danger.RECORD, lambda target, answers: ("say",),
    asks=(Ask("first", "first"), Ask("second", "second")),
    records=lambda services, target, answers: "said",
)  # fmt: skip


def burst(app: ConsoleApp, *keys: str) -> None:
    """All at once, as a terminal gives what was typed while nobody read."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still for a while is not what a key is held back for in vain."""
    monkeypatch.setattr(order, "LONGEST_SECONDS", 60.0)


def typed_in(app: ConsoleApp) -> str:
    return app.prompt.query_one(Input).value


def console() -> StillConsole:
    services: Any = SimpleNamespace(settings=SimpleNamespace(contexts={}))
    return StillConsole(services)


def test_what_is_typed_at_once_after_tab_goes_into_the_next_field() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        answers: list[object] = []
        app.push_screen(WordsDialog(TWO, (Target("prod", "Pod", "a", "a"),)), answers.append)
        await until(pilot, lambda: isinstance(app.focused, Input), "a field")
        burst(app, "a", "b", "tab", "c", "d", "enter")
        await until(pilot, lambda: bool(answers), "the answers")
        assert answers == [{"first": "ab", "second": "cd"}]

    run_app(console(), script, place=Place("pods"))


def test_a_key_that_opens_something_is_done_before_the_next_one_is_read() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        for _ in range(20):
            burst(app, "question_mark", "escape", "colon", "p", "o", "escape")
        await until(pilot, lambda: app.count == 120 and not app.prompt.is_open, "every key")
        assert not isinstance(app.screen, HelpDialog)

    run_app(console(), script, place=Place("pods"))


def test_who_types_on_does_not_wait_until_what_the_key_before_did_is_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(order, "DRAWN_SECONDS", 60.0)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(app.behind, FactRead(PODS.of("prod"), tuple(pod(f"fraud-{n}") for n in range(9)), NOW))
        await until(pilot, lambda: "fraud-8" in screen_text(app), "rows")
        assert app.view is not None
        table = app.view.query_one(FactTable)
        await until(pilot, lambda: app.focused is table, "a place for keys")
        for _ in range(8):
            app.post_message(events.Key("j", "j"))
            at = table.cursor_key
            await until(pilot, lambda: table.cursor_key != at, "a key")  # noqa: B023
        burst(app, "question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpDialog), "the last key")

    run_app(console(), script, place=Place("pods"))


def test_what_is_pasted_at_once_after_a_key_comes_where_that_leads_and_before_the_next_key() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        answers: list[object] = []
        app.push_screen(WordsDialog(TWO, (Target("prod", "Pod", "a", "a"),)), answers.append)
        await until(pilot, lambda: isinstance(app.focused, Input), "a field")
        burst(app, "a", "tab")
        app.post_message(events.Paste("cd"))
        burst(app, "enter")
        await until(pilot, lambda: bool(answers), "the answers")
        assert answers == [{"first": "a", "second": "cd"}]

    run_app(console(), script, place=Place("pods"))


class Slow:
    """What may be chosen, read from a backend that answers when the test says so."""

    def __init__(self) -> None:
        self.answers = threading.Event()

    def __call__(self, services: Any) -> dict[str, str]:
        assert self.answers.wait(60)
        return {}

    def action(self, said: list[object]) -> Action:
        def record(services: Any, target: Target, answers: Answers) -> str:
            said.append(dict(answers))
            return "said"

        asks = (Ask("first", "first", offers=self), Ask("second", "second"))
        return replace(TWO, asks=asks, records=record)


def test_what_is_typed_while_a_busy_machine_opens_the_menu_moves_in_it_from_its_first_line_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun = list[str]()

    def busy(*arguments: object) -> None:
        """Longer than a key is held back for what does not answer."""
        end = time.monotonic() + 2 * order.LONGEST_SECONDS
        while time.monotonic() < end:
            pass

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.focused is not None, "the pods")
        burst(app, "x", *["down"] * 3, "enter")
        await until(pilot, lambda: bool(begun), "what was chosen")
        assert begun == [every_screen()["pods"].actions[3].id]

    monkeypatch.setattr(order, "LONGEST_SECONDS", 0.05)
    monkeypatch.setattr(Dispatcher, "refusal", busy)
    monkeypatch.setattr(ConsoleApp, "act", lambda app, action, targets: begun.append(action.id))
    run_app(console(), script, place=Place("pods"))


def test_what_is_typed_before_the_dialog_of_an_action_is_up_waits_for_it() -> None:
    slow, said = Slow(), list[object]()

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.act(slow.action(said), (Target("prod", "Pod", "a", "a"),))
        burst(app, "4", "x", "tab")  # a favourite and the menu, were they commands
        app.post_message(events.Paste("cd"))
        burst(app, "enter")
        await pilot.pause(0.2)
        assert [place.screen for place in app.trail] == ["pods"]
        slow.answers.set()
        await until(pilot, lambda: bool(said), "the answers")
        assert said == [{"first": "4x", "second": "cd"}]
        burst(app, "4")
        await until(pilot, lambda: app.trail[-1].screen == "nodes", "keys are commands again")

    run_app(console(), script, place=Place("pods"))


def test_keys_are_given_on_when_the_question_waits_for_its_turn() -> None:
    slow = Slow()

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.act(slow.action([]), (Target("prod", "Pod", "a", "a"),))
        burst(app, "4")
        app.go(Place("workloads"))  # by a click
        await pilot.pause(0.1)
        assert app.trail[-1].screen == "workloads"
        slow.answers.set()
        await until(pilot, lambda: app.trail[-1].screen == "nodes", "the key")

    run_app(console(), script, place=Place("pods"))


def test_who_waits_for_a_dialog_may_leave_the_console() -> None:
    slow = Slow()

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.act(slow.action([]), (Target("prod", "Pod", "a", "a"),))
        burst(app, "z", "ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, QuitDialog), "the question")
        slow.answers.set()

    run_app(console(), script, place=Place("pods"))


def test_what_was_typed_before_there_was_a_screen_is_done_once_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def on_load(app: ConsoleApp) -> None:
        burst(app, "colon", "p", "o")

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.prompt.is_open and typed_in(app) == "po", "the line")

    monkeypatch.setattr(ConsoleApp, "on_load", on_load, raising=False)
    run_app(console(), script, place=Place("pods"))
