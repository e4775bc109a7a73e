"""Several targets at once: each is named, asked for once, and done as it was planned."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.progress import Quiet
from maestro_cli.tui.acting.bulk import AgreeAllDialog
from maestro_cli.tui.acting.dispatcher import SAID_NO, STOPPED, Agreed, Ending, Planned
from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.acting.outcomes import Outcomes
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.keys.help import HelpDialog
from maestro_cli.tui.messages import SeveralEnded
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.store.events import ContextArmed
from maestro_cli.tui.store.model import Scope
from maestro_cli.tui.store.store import Store
from tests.tui.cases import NOW, StillConsole, run_app, screen_text, until
from tests.tui.keys.test_typing import SERVICES
from tests.tui.test_dispatcher import NOTE, PLAN, Desk, delete, dispatcher

TARGETS = tuple(Target("prod", "Pod", f"uid-{n}", f"ml/pod/fraud-{n}") for n in range(3))


def armed() -> Store:
    store = Store(Scope(("prod",)))
    store.dispatch(ContextArmed("prod", NOW + timedelta(minutes=5)))
    return store


def test_several_are_asked_for_once_and_each_is_done_and_logged() -> None:
    store, desk = armed(), Desk()
    ended = dispatcher(store, desk).perform(delete(is_bulk=True), TARGETS, Quiet(), Cancellation())
    assert desk.shown == [[target.name for target in TARGETS]]
    assert [digest for _, digest, _ in desk.executed] == ["d1"] * 3
    assert [ending.is_done for _, ending in ended] == [True] * 3
    assert [one.outcome for one in store.snapshot.log] == ["verified: chg-1"] * 3


def test_no_is_no_to_all_of_them() -> None:
    store, desk = armed(), Desk(agreed=None)
    ended = dispatcher(store, desk).perform(delete(is_bulk=True), TARGETS, Quiet(), Cancellation())
    assert {ending.outcome for _, ending in ended} == {SAID_NO}
    assert desk.executed == []
    assert desk.cancelled == [("chg-1", SAID_NO)] * 3


def test_those_of_several_that_changed_are_asked_about_anew_and_the_others_are_done() -> None:
    store, desk = armed(), Desk()
    moved = SimpleNamespace(kind="delete-pod", summary="as it was", digest="d0")
    plans = {TARGETS[1]: [moved, PLAN], TARGETS[0]: [PLAN], TARGETS[2]: [PLAN]}
    desk.stale = [moved]
    action = delete(is_bulk=True)
    object.__setattr__(action, "plans", lambda services, target, answers: plans[target].pop(0))
    ended = dispatcher(store, desk).perform(action, TARGETS, Quiet(), Cancellation())
    assert desk.shown == [[target.name for target in TARGETS], ["ml/pod/fraud-1"]]
    assert desk.news == ["", "1 target changed since; nothing was done there"]
    assert [digest for _, digest, _ in desk.executed] == ["d1"] * 3
    assert sorted((target.name, ending.is_done) for target, ending in ended) == [
        (target.name, True) for target in TARGETS
    ]


def test_one_that_cannot_be_planned_is_told_and_the_others_go_on() -> None:
    store, desk = armed(), Desk()

    def plans(services: Any, target: Target, answers: Any) -> Any:
        if target is TARGETS[1]:
            raise ValueError("it is gone")
        return PLAN

    action = delete(is_bulk=True)
    object.__setattr__(action, "plans", plans)
    ended = dispatcher(store, desk).perform(action, TARGETS, Quiet(), Cancellation())
    assert {target.name: ending.is_done for target, ending in ended} == {
        "ml/pod/fraud-0": True,
        "ml/pod/fraud-1": False,
        "ml/pod/fraud-2": True,
    }
    assert any("it is gone" in one.outcome for one in store.snapshot.log)


@pytest.mark.parametrize("is_agreed", [True, False], ids=["after a yes", "while it is asked"])
def test_what_was_stopped_before_it_was_done_does_not_stay_planned(is_agreed: bool) -> None:
    store, desk, ending = armed(), Desk(), Cancellation()

    def agree_all(action: Any, planned: Any, news: str) -> Any:
        ending.cancel()
        return {"prod": Agreed()} if is_agreed else None

    desk.agree_all = agree_all  # type: ignore[method-assign]
    ended = dispatcher(store, desk).perform(delete(is_bulk=True), TARGETS, Quiet(), ending)
    assert desk.executed == []
    assert desk.cancelled == [("chg-1", STOPPED)] * 3
    assert {one.outcome for _, one in ended} == {STOPPED}


def test_what_nobody_expected_of_an_action_is_told_and_keys_go_on() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        def perform(*asked: Any) -> Any:
            raise ZeroDivisionError("an action that divides")

        app.dispatcher.perform = perform  # type: ignore[method-assign,assignment]
        app.act(NOTE, TARGETS[:1])
        await until(pilot, lambda: "an action that divides" in app.status.told, "what it raised")
        await pilot.press("colon")
        await until(pilot, lambda: app.prompt.is_open, "the key")

    run_app(StillConsole(SERVICES), script, place=Place("pods"))


def test_the_dialog_names_each_and_wants_their_number() -> None:
    plan: Any = SimpleNamespace(summary="evict it", risks=(), cautions=(), digest="d", undo=None)
    rehearsed: Any = SimpleNamespace(decision=None)
    planned = [Planned(target, plan, rehearsed) for target in TARGETS]
    answers: list[Any] = []

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        dialog = AgreeAllDialog(delete(is_bulk=True), planned, ["prod"])
        app.push_screen(dialog, answers.append)
        await until(pilot, lambda: "fraud-2" in screen_text(app), "the names")
        assert all(target.name in screen_text(app) for target in TARGETS)
        assert isinstance(app.focused, Button)
        assert app.focused.id == "cancel"
        dialog.query_one("#count", Input).value = "2"
        dialog.query_one("#context-0", Input).value = "prod"
        dialog.query_one("#go", Button).press()
        await until(pilot, lambda: "they are 3; nothing was done" in screen_text(app), "the fault")
        dialog.query_one("#count", Input).value = "3"
        dialog.query_one("#go", Button).press()
        await until(pilot, lambda: bool(answers), "the answer")
        assert answers == [{"prod": Agreed("prod")}]

    run_app(StillConsole(SimpleNamespace()), script, place=Place("pods"))


def test_what_nobody_agreed_to_is_not_done() -> None:
    class Half(Desk):
        def agree_all(self, action: Any, planned: Any, news: str) -> Any:
            return {"staging": Agreed()}

    desk = Half()
    ended = dispatcher(armed(), desk).perform(delete(is_bulk=True), TARGETS, Quiet(), Cancellation())
    assert desk.executed == []
    assert {ending.outcome for _, ending in ended} == {SAID_NO}


GONE = Ending('failed: pods "fraud-0" not found', False)


def test_of_several_what_failed_is_told_first_and_by_name() -> None:
    done = Ending("verified: chg-2", True)
    outcomes = Outcomes("End the pod", ((TARGETS[1], done), (TARGETS[0], GONE)))
    assert outcomes.line == (
        'End the pod: 1 of 2 failed: ml/pod/fraud-0: pods "fraud-0" not found; '
        "ml/pod/fraud-1: verified: chg-2"
    )
    waits = Ending("it waits: two have to agree", False)
    assert Outcomes("End", ((TARGETS[0], GONE), (TARGETS[1], waits))).count == "2 of 2 not done"
    assert Outcomes("End", ((TARGETS[0], done), (TARGETS[1], done))).line == "End, all 2: verified: chg-2"


def test_what_somebody_said_no_to_has_not_failed() -> None:
    desk = Desk(agreed=None)
    ended = dispatcher(armed(), desk).perform(delete(is_bulk=True), TARGETS, Quiet(), Cancellation())
    outcomes = Outcomes("End the pod", tuple(ended))
    assert not outcomes.has_failed
    assert outcomes.line == f"End the pod, all 3: {SAID_NO}"


def test_a_failure_among_several_is_not_hidden_by_the_last_success() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        endings = [(TARGETS[0], GONE), (TARGETS[1], Ending("verified: chg-2", True))]
        app.dispatcher.perform = lambda *asked: endings  # type: ignore[method-assign]
        app.act(delete(is_bulk=True), TARGETS[:2])
        await until(pilot, lambda: isinstance(app.screen, HelpDialog), "each with its outcome")
        assert app.status.told.startswith(
            'End the pod: 1 of 2 failed: ml/pod/fraud-0: pods "fraud-0" not found'
        )
        await until(pilot, lambda: "verified: chg-2" in screen_text(app), "the other")
        assert 'failed: pods "fraud-0" not found' in screen_text(app)

    console = StillConsole(SERVICES)
    console.store.dispatch(ContextArmed("prod", NOW + timedelta(minutes=5)))
    run_app(console, script, place=Place("pods"))


def test_several_that_all_ended_well_are_one_line_and_no_dialog(monkeypatch: pytest.MonkeyPatch) -> None:
    console, news = StillConsole(SERVICES), list[Any]()

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        monkeypatch.setattr(app.herald, "tell", news.append)
        well = tuple((one, Ending(f"verified: {one.id}", True)) for one in TARGETS)
        outcomes, gone = Outcomes("End", well), Outcomes("End", (*well, (TARGETS[0], GONE)))
        app.post_message(SeveralEnded(outcomes, place=Place("pods"), seconds=60.0))
        await until(pilot, lambda: app.status.told.startswith("End: all 3: "), "the line")
        assert len(app.screen_stack) == 1
        assert news == []
        app.post_message(SeveralEnded(gone, place=Place("nodes"), seconds=1.0))
        await until(pilot, lambda: bool(news), "the bell, since nobody looks")
        assert len(app.screen_stack) == 1
        assert (news[0].words, news[0].is_grave) == (f"{gone.line} in prod", True)

    run_app(console, script, place=Place("pods"))
