"""A yes is a name that is typed: it may be typed at once, and nothing else is a yes."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Button, Input

from maestro_cli.changes.model import Gate
from maestro_cli.output.views import Report
from maestro_cli.tui.acting.agreeing import AgreeDialog
from maestro_cli.tui.acting.dialogs import ArmDialog
from maestro_cli.tui.acting.dispatcher import Agreed
from maestro_cli.tui.acting.question_dialogs import SeeDialog
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.screens.model import Place
from tests.tui.cases import StillConsole, run_app, screen_text, until
from tests.tui.test_gate_in_dialogs import dialog

SERVICES: Any = SimpleNamespace(policy=SimpleNamespace(protected=False, read_only=False))
NAME = "node/a"


def see(protected: str = "") -> SeeDialog:
    return SeeDialog("drain it?", Report("x/v1", {}, ()), "Carry out", protected, NAME)


def answers_to(shown: Any, keys: Sequence[str], *, pasted: str = "") -> list[Any]:
    """What the dialog answered after these keys; nothing where it is still open."""
    answers: list[Any] = []

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.push_screen(shown, answers.append)
        await until(pilot, lambda: isinstance(app.focused, Button), "the dialog")
        assert app.focused is shown.query_one("#cancel")
        if pasted:
            app.post_message(events.Paste(pasted))
            await until(pilot, lambda: isinstance(app.focused, Input), "the paste")
        await pilot.press(*keys)
        await pilot.pause(0.1)

    run_app(StillConsole(SERVICES), script, place=Place("pods"), size=(80, 24))
    return answers


def keys_of(text: str) -> list[str]:
    named = {"/": "slash", " ": "space", "-": "minus", ",": "comma"}
    return [named.get(one, one) for one in text]


def test_a_name_is_typed_at_once_and_enter_agrees() -> None:
    assert answers_to(see(), [*keys_of(NAME), "enter"]) == [Agreed()]


def test_enter_alone_is_no() -> None:
    assert answers_to(see(), ["enter"]) == [None]
    assert answers_to(see(), ["tab", "shift+tab", "enter"]) == [None]


def test_an_empty_field_is_no_as_well() -> None:
    assert answers_to(see(), ["n", "backspace", "enter"]) == [None]


@pytest.mark.parametrize("text", ["node/b", "y", "yes", "node/a2", "NODE/A", "q"])
def test_another_text_is_no_yes_and_is_said(text: str) -> None:
    shown = see()

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.push_screen(shown, answers.append)
        await until(pilot, lambda: isinstance(app.focused, Button), "the dialog")
        await pilot.press(*keys_of(text), "enter")
        await until(pilot, lambda: "that is not node/a; nothing was done" in screen_text(app), "why not")

    answers: list[Any] = []
    run_app(StillConsole(SERVICES), script, place=Place("pods"), size=(80, 24))
    assert answers == []


def test_a_paste_of_several_lines_confirms_nothing() -> None:
    assert answers_to(see(), [], pasted="rm -rf /\nnode/a\n") == []
    assert answers_to(see(), [], pasted=f"{NAME}\n") == []
    assert answers_to(see(), ["enter"], pasted=NAME) == [Agreed()]


def test_of_several_names_each_goes_to_its_field_and_none_is_left_out() -> None:
    assert answers_to(see("prod"), [*keys_of(NAME), "enter", *"prod", "enter"]) == [Agreed("prod")]
    assert answers_to(see("prod"), [*keys_of(NAME), "enter", "enter"]) == []


def test_what_is_typed_while_cancel_has_the_focus_again_goes_on_where_a_name_lacks() -> None:
    keys = [*keys_of(NAME), "tab", "tab", *"prod"]
    assert answers_to(see("prod"), [*keys, "enter"]) == [Agreed("prod")]


def test_figures_are_the_minutes_and_letters_the_name_of_a_protected_context() -> None:
    assert answers_to(ArmDialog("prod", protected=False), ["5", "enter"]) == [5]
    assert answers_to(ArmDialog("prod", protected=True), [*"prod", "enter"]) == [10]
    assert answers_to(ArmDialog("prod", protected=True), ["2", "0", "enter", *"prod", "enter"]) == [20]
    assert answers_to(ArmDialog("prod", protected=True), ["enter"]) == [None]
    assert answers_to(ArmDialog("prod", protected=False), ["enter"]) == [None]


def test_a_way_that_is_known_to_be_bad_is_agreed_to_by_its_name_however_harmless_its_action_is() -> None:
    bad = ("revision 1 is known to be bad: 30% of 9000 were bad",)
    name = keys_of("ml/deploy/fraud")
    assert answers_to(dialog(Gate.ALLOWED, cautions=bad), [*name, "enter"]) == [Agreed()]
    assert answers_to(dialog(Gate.ALLOWED, cautions=bad), ["tab", "enter"]) == []
    assert answers_to(dialog(Gate.ALLOWED), ["x"]) == []


def test_figures_go_on_behind_those_that_were_typed_before() -> None:
    assert answers_to(ArmDialog("prod", protected=False), ["2", "tab", "tab", "0", "enter"]) == [20]
    edited = ["shift+tab", "end", "backspace", "tab", "5", "enter"]  # of the 10 that were offered
    assert answers_to(ArmDialog("prod", protected=False), edited) == [15]


def test_figures_are_the_name_of_a_protected_context_that_begins_with_one() -> None:
    assert answers_to(ArmDialog("2prod", protected=True), [*"2prod", "enter"]) == [10]
    assert answers_to(ArmDialog("2prod", protected=False), [*"20", "enter"]) == [20]


def test_a_risk_is_named_before_there_is_a_yes() -> None:
    bad = ("revision 1 is known to be bad: 30% of 9000 were bad",)
    name = keys_of("ml/deploy/fraud")

    def proposed(*risks: str) -> AgreeDialog:
        return dialog(Gate.REFUSED, *risks, cautions=bad)

    risk = "last-replica"
    agreed = [Agreed("", frozenset({risk}))]
    assert answers_to(proposed(risk), [*name, "enter"]) == []
    assert answers_to(proposed(risk), [*name, "enter", *keys_of(risk), "enter"]) == agreed
    assert answers_to(proposed(risk), [*name, "tab", *keys_of(risk), "enter"]) == agreed
    assert answers_to(proposed(risk, "no-undo"), [*name, "enter", *keys_of(risk), "enter"]) == []


@pytest.mark.parametrize(
    ("typed", "lacking"),
    [("", "last-replica, no-undo"), ("last-replica", "no-undo"), ("no-und", "last-replica, no-undo")],
)
def test_what_risk_is_not_accepted_is_said(typed: str, lacking: str) -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        shown = dialog(Gate.REFUSED, "last-replica", "no-undo")
        app.push_screen(shown, answers.append)
        await until(pilot, lambda: isinstance(app.focused, Button), "the dialog")
        await pilot.press(*keys_of(typed))
        shown.query_one("#go", Button).press()
        said = f"not accepted: {lacking}; nothing was done"
        await until(pilot, lambda: said in screen_text(app), "which")

    answers: list[Any] = []
    run_app(StillConsole(SERVICES), script, place=Place("pods"))
    assert answers == []


def test_a_known_bad_way_is_said_before_all_else_at_the_smallest_size() -> None:
    bad = ("revision 1 is known to be bad: 30% of 9000 were bad",)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.push_screen(dialog(Gate.ALLOWED, cautions=bad))
        await until(pilot, lambda: "warning: revision 1 is known to be bad" in screen_text(app), "it")
        assert "type ml/deploy/fraud to go on" in screen_text(app)
        assert "Cancel" in screen_text(app)

    run_app(StillConsole(SERVICES), script, place=Place("pods"), size=(80, 24))
