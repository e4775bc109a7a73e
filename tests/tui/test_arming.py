"""Arming: the context that is shown is the one that is armed and acted in, never without words."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from maestro_cli.core.errors import GateNotMet, InvalidFile, UsageError
from maestro_cli.services.backends import GlobalOptions
from maestro_cli.tui.acting.dialogs import ArmDialog
from maestro_cli.tui.acting.model import Action, Danger, Target
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.console import Console
from maestro_cli.tui.heading import header_text
from maestro_cli.tui.screens.model import Place, sited
from maestro_cli.tui.screens.table import every_screen
from maestro_cli.tui.store.events import ContextArmed, Resumed, Rewound
from maestro_cli.tui.store.model import Scope, Snapshot
from maestro_cli.tui.views.view import View
from tests.patience import PATIENCE_SECONDS
from tests.tui.cases import NOW, StillClock, StillConsole, run_app, tell, until

SERVICES = SimpleNamespace(
    policy=SimpleNamespace(protected=False, read_only=False), settings=SimpleNamespace(contexts=("prod",))
)
SOON = NOW + timedelta(minutes=5)
HARM = Action(
    "pods.say", "Say", "say it", Danger.REVERSIBLE, lambda target, answers: ("say",),
    performs=lambda doing: "said",
)  # fmt: skip


@pytest.mark.parametrize("name", ["runbook", "run", "change", "rollout", "incident", "yaml", "logs"])
def test_what_shows_one_thing_is_in_the_first_context_of_the_scope(name: str) -> None:
    screen, scope = every_screen()[name], Scope(("staging", "prod"))
    assert sited(Place(name, "x"), screen, scope).context == "staging"
    assert sited(Place(name, "x", "prod"), screen, scope).context == "prod"


def test_a_list_is_in_every_context_of_the_scope() -> None:
    assert sited(Place("pods"), every_screen()["pods"], Scope(("staging", "prod"))).context == ""


def test_what_is_read_is_what_is_armed_also_after_the_contexts_changed() -> None:
    console = StillConsole(SERVICES, ("staging", "prod"))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        for scope in (Scope(("staging", "prod")), Scope(("prod", "dev"))):
            app.rescope(scope)
            assert app.view is not None
            assert {key.context for key in app.view.keys(scope)} == {scope.context}
            assert app.chosen_context == scope.context

    run_app(console, script, place=Place("doctor"))


def test_no_services_are_made_for_a_context_without_a_name() -> None:
    console = Console(GlobalOptions(), StillClock(), ("prod",), "")
    with pytest.raises(UsageError, match="in which context"):
        console.reading("")


def test_services_that_can_change_the_world_are_of_armed_contexts_alone() -> None:
    console = Console(GlobalOptions(), StillClock(), ("prod",), "")
    with pytest.raises(GateNotMet, match="prod is read-only"):
        console.acting("prod")
    assert console._contexts._known == {}


def test_what_is_armed_beside_the_scope_is_said() -> None:
    snapshot = Snapshot(Scope(("prod",)), armed={"staging": SOON, "old": NOW - timedelta(minutes=1)})
    text = header_text(snapshot, NOW)
    assert "prod READ-ONLY" in text
    assert "WRITE staging" in text
    assert "old" not in text


def test_what_an_incident_leaves_is_disarmed() -> None:
    console = StillConsole(SERVICES, ("prod", "staging"))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, ContextArmed("prod", SOON), ContextArmed("staging", SOON))
        assert app.view is not None
        app.scope_fixed(View.ScopeFixed(app.view, Scope(("staging",), "ml", "#1")))
        assert set(console.store.snapshot.armed) == {"staging"}

    run_app(console, script, place=Place("pods"))


def told_by_arming(console: Console, *, at: timedelta | None = None) -> str:
    """What the status line says after `W`; fails where a dialog opens."""
    told: list[str] = []

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        if at is not None:
            tell(console, Rewound(NOW - at, {}))
        app.action_arm()
        assert not isinstance(app.screen, ArmDialog)
        told.append(app.status.told)

    run_app(console, script, place=Place("pods"))
    return told[0]


def test_an_enter_that_arms_nothing_says_that_it_is_still_read_only() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.action_arm()
        await until(pilot, lambda: isinstance(app.screen, ArmDialog), "the dialog")
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(app.screen, ArmDialog), "no dialog")
        assert not console.store.snapshot.armed
        assert "prod is still read-only" in app.status.told

    run_app(console, script, place=Place("pods"))


@pytest.mark.parametrize(
    "press",
    [lambda app: app.act(HARM, (Target("prod", "Pod", "a", "a"),)), lambda app: app.action_arm()],
    ids=["an action", "arming"],
)
def test_what_is_said_of_the_past_goes_once_the_present_is_shown(
    press: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maestro_cli.tui.widgets.status_line.TOLD_SECONDS", 10 * PATIENCE_SECONDS)
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, Rewound(NOW - timedelta(minutes=5), {}))
        press(app)
        await until(pilot, lambda: "shows the past" in app.status.told, "what is said")
        tell(console, Resumed())
        await until(pilot, lambda: app.status.told == "", "nothing of the past")

    run_app(console, script, place=Place("pods"))


@pytest.mark.parametrize("is_refused", [True, False], ids=["an action", "the dialog"])
def test_what_is_said_of_a_context_that_is_read_only_goes_once_it_is_armed(
    is_refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maestro_cli.tui.widgets.status_line.TOLD_SECONDS", 10 * PATIENCE_SECONDS)
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        if is_refused:
            app.act(HARM, (Target("prod", "Pod", "a", "a"),))
        else:
            app.action_arm()
            await until(pilot, lambda: isinstance(app.screen, ArmDialog), "the dialog")
            await pilot.press("enter")
        await until(pilot, lambda: "read-only" in app.status.told, "that it is read-only")
        tell(console, ContextArmed("staging", SOON))
        app.draw()
        assert "prod is" in app.status.told
        tell(console, ContextArmed("prod", SOON))
        await until(pilot, lambda: app.status.told == "", "nothing that is not true")

    run_app(console, script, place=Place("pods"))


def test_what_is_said_of_something_else_stays_when_a_context_is_armed() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.act(HARM, ())
        await until(pilot, lambda: "nothing is chosen" in app.status.told, "why not")
        tell(console, ContextArmed("prod", SOON))
        app.draw()
        assert "nothing is chosen" in app.status.told

    run_app(console, script, place=Place("pods"))


def test_nothing_is_armed_in_the_past() -> None:
    assert "shows the past" in told_by_arming(StillConsole(SERVICES), at=timedelta(hours=1))


def test_a_context_that_refuses_every_change_is_not_armed() -> None:
    refusing = SimpleNamespace(policy=SimpleNamespace(protected=False, read_only=True))
    assert "prod cannot be armed: --read-only" in told_by_arming(StillConsole(refusing))


def test_a_context_whose_journal_can_only_be_read_is_not_armed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maestro_cli.journal.reading.why_unwritable", lambda path: f"{path} is read-only")
    told = told_by_arming(StillConsole(SimpleNamespace(policy=SERVICES.policy, journal_path="prod.sqlite")))
    assert "prod cannot be armed: its journal is read-only, so no change can be made" in told


class Broken(StillConsole):
    def policy(self, context: str) -> Any:
        raise InvalidFile("config.yaml cannot be read", file="config.yaml")


def test_a_broken_config_is_told_where_one_arms() -> None:
    assert "config.yaml cannot be read" in told_by_arming(Broken(SERVICES))


def test_a_key_that_comes_before_the_rows_finds_nothing_chosen() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.go(Place("nodes"))
        assert app.view is not None
        assert app.view.targets() == ()
        app.action_leave()
        app.action_arm()
        await until(pilot, lambda: getattr(app.focused, "id", "") == "cancel", "the dialog")

    run_app(StillConsole(SERVICES), script, place=Place("pods"))


def test_a_line_that_meets_a_broken_config_is_told_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(app: object, command: object) -> None:
        raise InvalidFile("config.yaml cannot be read", file="config.yaml")

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        monkeypatch.setattr("maestro_cli.tui.app.do", broken)
        assert not app.run_line(":write 5")
        assert "config.yaml cannot be read" in app.status.told

    run_app(StillConsole(SERVICES), script, place=Place("pods"))
