"""Keys come to what they are meant for, however fast they are pressed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from maestro_cli.tui.acting.dialogs import WordsDialog
from maestro_cli.tui.acting.model import Action, Ask, Danger, Target
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.keys import order
from maestro_cli.tui.keys.help import HelpDialog
from maestro_cli.tui.screens.model import Place
from tests.tui.cases import StillConsole, run_app, until

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
