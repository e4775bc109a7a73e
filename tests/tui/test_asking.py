"""Asking: one question at a time, never over what somebody types, and an answer goes to what was asked."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from maestro_cli.output.views import Report
from maestro_cli.runbooks.model import Question
from maestro_cli.tui.acting.dialogs import ArmDialog, QuitDialog
from maestro_cli.tui.acting.dispatcher import Agreed
from maestro_cli.tui.acting.menu import ActionMenu
from maestro_cli.tui.acting.model import Action, Danger, Target
from maestro_cli.tui.acting.question_dialogs import QuestionDialog, SeeDialog
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.messages import ActionRefused
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.pods import PODS
from maestro_cli.tui.store.events import FactRead, Resumed, Rewound
from tests.tui.cases import NOW, StillConsole, pod, run_app, screen_text, tell, until

SERVICES = SimpleNamespace(
    policy=SimpleNamespace(protected=False, read_only=False), settings=SimpleNamespace(contexts=("prod",))
)
PODS_PLACE = Place("pods")
ONE = (Target("prod", "Pod", "uid-1", "fraud-1"),)
QUESTION = Question("run-7", "sure", "manual", "Drain the node now?", "Is it so?", "d")


def in_background(app: ConsoleApp, answers: list[Any], times: int = 1) -> list[threading.Thread]:
    """A run asks, as often as that, at the same time."""
    person = app.behind.person("prod")
    assert person is not None
    asked = [
        threading.Thread(
            target=lambda: answers.append(person.ask_question(QUESTION, lambda: False)), daemon=True
        )
        for _ in range(times)
    ]
    for one in asked:
        one.start()
    return asked


async def asked_now(app: ConsoleApp, pilot: Pilot[None]) -> None:
    await until(
        pilot,
        lambda: isinstance(app.screen, QuestionDialog) and getattr(app.focused, "id", "") == "cancel",
        "the question",
    )


def test_a_question_waits_while_something_is_typed_and_enter_leaves_it_unanswered() -> None:
    console, answers = StillConsole(SERVICES), list[Any]()

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await pilot.press("colon", "n", "s")
        held = threading.Event()
        free, app.dispatcher._asker._is_free = app.is_free, lambda: held.set() or app.is_free()  # type: ignore[attr-defined, func-returns-value]
        assert not free()
        in_background(app, answers)
        await until(pilot, held.is_set, "it wants to ask")
        assert not isinstance(app.screen, QuestionDialog)
        await pilot.press("escape")
        await asked_now(app, pilot)
        assert "prod, run run-7: Drain the node now?" in screen_text(app)
        await pilot.press("y", "e", "s", "enter")
        await until(pilot, lambda: bool(answers), "an end")
        assert answers == [None]

    run_app(console, script, place=PODS_PLACE)


def test_one_question_is_asked_at_a_time() -> None:
    console, answers = StillConsole(SERVICES), list[Any]()

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        in_background(app, answers, times=2)
        for count in (1, 2):
            await asked_now(app, pilot)
            assert len(app.screen_stack) == 2
            await pilot.press("enter")
            await until(pilot, lambda: len(answers) == count, "an answer")  # noqa: B023 - awaited here

    run_app(console, script, place=PODS_PLACE)


def shown_late(app: ConsoleApp, ready: threading.Event, answers: list[Any]) -> None:
    """Begin an action that asks once `ready`."""

    def perform(doing: Any) -> str:
        ready.wait(60)
        answers.append(doing.agree("Dry run of x: nothing was changed", Report("x/v1", {}, ()), "Run it"))
        return "ended"

    line = lambda target, answers: ("x",)  # noqa: E731
    app.act(Action("t.late", "Dry run", "t", Danger.OBSERVE, line, performs=perform), ONE)


@pytest.mark.parametrize("keys", [("f2",), ("escape",)], ids=["called", "back"])
def test_what_comes_late_waits_until_it_is_called_or_one_is_back_where_it_was_asked(
    keys: tuple[str, ...],
) -> None:
    ready, answers = threading.Event(), list[Any]()

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        shown_late(app, ready, answers)
        app.go(Place("nodes"))
        ready.set()
        notice = "Dry run of x: nothing was changed waits for you: f2 opens it"
        await until(pilot, lambda: notice in screen_text(app), "a word of it")
        assert len(app.screen_stack) == 1, "over the place to which somebody has gone on"
        await pilot.press(*keys)
        await until(pilot, lambda: isinstance(app.screen, SeeDialog), "the dialog")
        await until(pilot, lambda: "waits for you" not in app.status._shown, "no word any more")
        await pilot.press("escape")
        await until(pilot, lambda: answers == [False], "its answer")

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE)


def test_what_waits_elsewhere_holds_up_no_question_of_where_one_is() -> None:
    ready, late, now = threading.Event(), list[Any](), list[Any]()

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        shown_late(app, ready, late)
        app.go(Place("nodes"))
        ready.set()
        await until(pilot, lambda: "waits for you" in screen_text(app), "a word of it")
        in_background(app, now)
        await asked_now(app, pilot)
        await pilot.press("enter")
        await until(pilot, lambda: now == [None], "an answer to this one")
        assert late == []

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE)


def test_an_answer_that_comes_too_late_takes_no_other_dialog_away() -> None:
    answers: list[Any] = []

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        below = ArmDialog("prod", protected=False)
        app.push_screen(below, answers.append)
        await until(pilot, lambda: getattr(app.focused, "id", "") == "cancel", "the dialog")
        below.query_one("#cancel", Button).press()
        above = QuitDialog(["a change"])
        app.push_screen(above, answers.append)
        await until(
            pilot, lambda: app.screen is above and getattr(app.focused, "id", "") == "cancel", "another"
        )
        assert answers == []
        await pilot.press("tab", "enter")
        await until(pilot, lambda: answers == [True], "its own answer")
        assert app.screen is below

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE)


def test_what_disrupts_is_shown_until_its_name_is_typed() -> None:
    answers: list[Any] = []

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        shown = SeeDialog("drain a: carry it out?", Report("x/v1", {}, ()), "Carry out", "", "node/a")
        app.push_screen(shown, answers.append)
        await until(pilot, lambda: getattr(app.focused, "id", "") == "cancel", "the dialog")
        shown.query_one("#go", Button).press()
        await until(pilot, lambda: "that is not node/a; nothing was done" in screen_text(app), "why not")
        assert answers == []
        shown.query_one("#target", Input).value = "node/a"
        shown.query_one("#go", Button).press()
        await until(pilot, lambda: answers == [Agreed()], "a yes")

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE)


def test_nothing_is_asked_over_the_past() -> None:
    console, answers = StillConsole(SERVICES), list[Any]()

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, Rewound(NOW, {}))
        in_background(app, answers)
        await until(pilot, lambda: "waits for you" in screen_text(app), "a word of it")
        await pilot.press("f2")
        assert app.status.told == "the console shows the past; :live returns to now, where it is asked"
        assert len(app.screen_stack) == 1
        tell(console, Resumed())
        await asked_now(app, pilot)
        await pilot.press("enter")
        await until(pilot, lambda: answers == [None], "an end")

    run_app(console, script, place=PODS_PLACE)


def test_what_is_at_work_is_not_begun_again() -> None:
    ends, begun, seen = threading.Event(), list[str](), list[Any]()

    def record(services: object, target: Target, answers: object) -> str:
        begun.append(target.id)
        ends.wait(60)
        return "done"

    action = Action("t.rec", "Record", "t", Danger.RECORD, lambda target, answers: ("x",), records=record)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        for _ in range(3):
            app.act(action, ONE)
        app.act(action, (Target("staging", "Pod", "uid-1", "fraud-1"),))
        await until(pilot, lambda: len(begun) == 2, "one in each context")
        await until(pilot, lambda: sum(isinstance(one, ActionRefused) for one in seen) >= 2, "the refusals")
        ends.set()
        await until(pilot, lambda: not app._works, "the ends")
        app.act(action, ONE)
        await until(pilot, lambda: len(begun) == 3, "it again")

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE, seen=seen)


def test_the_menu_is_of_the_screen_that_asked_for_it() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(PODS.of("prod"), (pod("fraud-1"),), NOW))
        await until(pilot, lambda: "fraud-1" in screen_text(app), "the rows")
        assert app.view is not None
        app.view.action_menu()
        app.go(Place("doctor"))  # before the message has come
        await until(pilot, lambda: isinstance(app.screen, ActionMenu), "the menu")
        await until(pilot, lambda: "End the pod" in screen_text(app), "the actions of pods")

    run_app(console, script, place=PODS_PLACE)
