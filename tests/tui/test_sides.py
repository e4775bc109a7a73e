"""Several contexts side by side: a pane each, which reads and acts there alone."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.pods import PODS
from maestro_cli.tui.store.events import ContextArmed, FactFailed, FactRead, Rewound
from maestro_cli.tui.store.model import Fact, Told
from maestro_cli.tui.views.side_view import LOWEST, NARROWEST, SideView, arranged
from tests.tui.cases import NOW, StillConsole, pod, run_app, screen_text, tell, until

SITES = ("prod", "dev")
KEYS = {name: PODS.of(name) for name in SITES}


def console(contexts: tuple[str, ...] = SITES) -> StillConsole:
    known = {name: SimpleNamespace(namespace=None) for name in ("prod", "dev", "test")}
    settings = SimpleNamespace(contexts=known, context=known.__getitem__)
    policy = SimpleNamespace(protected=False, read_only=False)
    return StillConsole(SimpleNamespace(policy=policy, settings=settings), contexts=contexts)


def give(behind: StillConsole) -> None:
    tell(behind, *(FactRead(key, (pod(f"{name}-pod"),), NOW) for name, key in KEYS.items()))


async def beside(app: ConsoleApp, pilot: Pilot[None], behind: StillConsole) -> SideView:
    """Both contexts, side by side, with their rows."""
    give(behind)
    await until(pilot, lambda: "CONTEXT" in screen_text(app), "one list of both")
    assert app.run_line("side")
    rows = ("prod-pod", "dev-pod")
    await until(pilot, lambda: "CONTEXT" not in screen_text(app), "no column that says which")
    await until(pilot, lambda: all(row in screen_text(app) for row in rows), "the rows of both")
    assert isinstance(app.view, SideView)
    return app.view


@pytest.mark.parametrize(
    ("width", "height", "how"),
    [
        (2 * NARROWEST, 3, "beside"),
        (2 * NARROWEST - 1, 2 * LOWEST, "stacked"),
        (2 * NARROWEST - 1, 2 * LOWEST - 1, "one"),
    ],
    ids=["wide", "high", "small"],
)
def test_panes_stand_as_there_is_room(width: int, height: int, how: str) -> None:
    assert arranged(width, height, 2) == how


def test_each_pane_is_about_its_context_and_tab_moves_the_keys_on() -> None:
    behind = console()

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        view = await beside(app, pilot, behind)
        line = next(line for line in screen_text(app).splitlines() if "READ-ONLY" in line and "▸" in line)
        assert "▸ prod READ-ONLY" in line
        assert "dev READ-ONLY" in line
        await until(pilot, lambda: app.view is view and bool(view.targets()), "a row with the cursor")
        assert [one.context for one in view.targets()] == ["prod"]
        await pilot.press("tab")
        await until(pilot, lambda: "▸ dev" in screen_text(app), "the other pane")
        assert [(one.context, one.name) for one in view.targets()] == [("dev", "ml/pod/dev-pod")]
        assert app.chosen_context == "dev"
        app.action_command_line()
        await until(pilot, lambda: app.prompt.is_open, "the command line")
        await pilot.press("escape")
        await until(pilot, lambda: not app.prompt.is_open, "that it is closed")
        await pilot.press("tab")
        await until(pilot, lambda: "▸ prod" in screen_text(app), "back again")

    run_app(behind, script, place=Place("pods"))


def test_a_pane_that_is_shown_once_it_is_there_and_cannot_be_drawn_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    behind = console()

    def show(*given: Any) -> None:
        raise ZeroDivisionError("a column that divides")

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        view = await beside(app, pilot, behind)
        monkeypatch.setattr(view._panes[1].view, "show", show)
        view.call_after_refresh(view._again)
        await until(pilot, lambda: "cannot be drawn" in str(app.status.told), "that it is told")
        assert app.is_running
        assert "prod-pod" in screen_text(app)

    run_app(behind, script, place=Place("pods"))


def test_an_action_is_refused_in_the_context_of_its_pane_alone() -> None:
    behind = console()

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        view = await beside(app, pilot, behind)
        await until(pilot, lambda: bool(view.targets()), "a row with the cursor")
        tell(behind, ContextArmed("dev", NOW + timedelta(minutes=10)))
        await until(pilot, lambda: "WRITE dev (" in screen_text(app).split("\n", 1)[1], "that it is armed")
        (delete,) = (one for one in view.spec.actions if one.id == "pods.delete")
        refused = app.dispatcher.refusal(delete, view.targets())
        assert refused is not None
        assert refused.why == "prod is read-only"
        await pilot.press("tab")
        await until(pilot, lambda: [one.context for one in view.targets()] == ["dev"], "the other pane")
        assert app.dispatcher.refusal(delete, view.targets()) is None

    run_app(behind, script, place=Place("pods"))


def test_what_is_opened_is_of_the_pane_and_back_there_are_both() -> None:
    behind = console()

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await beside(app, pilot, behind)
        await pilot.press("tab")
        await until(pilot, lambda: "▸ dev" in screen_text(app), "the other pane")
        await pilot.press("y")
        await until(pilot, lambda: app.trail[-1].screen == "yaml", "what was opened")
        assert app.trail[-1].context == "dev"
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.view, SideView) and "prod-pod" in screen_text(app), "both")

    run_app(behind, script, place=Place("pods"))


def test_what_is_stale_is_said_in_its_pane_and_a_filter_is_of_both() -> None:
    behind = console()

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        view = await beside(app, pilot, behind)
        tell(behind, FactFailed(KEYS["dev"], Told("no answer"), NOW))
        await until(pilot, lambda: "! dev: Kubernetes" in screen_text(app), "since when it is not read")
        assert "! prod" not in screen_text(app)
        view.set_filter("prod")
        await until(pilot, lambda: "dev-pod" not in screen_text(app), "the filter")
        assert "prod-pod" in screen_text(app)
        await until(pilot, lambda: "0 of 1" in screen_text(app), "how many are left out")
        view.set_filter("")
        tell(behind, Rewound(NOW, {KEYS["dev"]: Fact((pod("dev-old"),), NOW)}, True))
        await until(pilot, lambda: "prod: not recorded then" in screen_text(app), "the past of one")
        await until(pilot, lambda: "gone" in screen_text(app), "what differs in the other")

    run_app(behind, script, place=Place("pods"))


def test_side_names_its_contexts_and_ctx_makes_one_list_of_them() -> None:
    behind = console(("prod",))
    no_room: list[Any] = []

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        assert not app.run_line("side")
        assert app.run_line("side dev prod")
        assert behind.store.snapshot.scope.contexts == ("dev", "prod")
        await until(pilot, lambda: "▸ dev" in screen_text(app), "two panes")
        assert app.run_line("ns ml")
        await until(pilot, lambda: app.behind.store.snapshot.scope.namespace == "ml", "the namespace")
        assert isinstance(app.view, SideView)
        assert not app.run_line("side dev prod test")
        no_room.append(app.status.told)
        assert app.run_line("ctx dev,prod")
        await until(pilot, lambda: "▸ dev" not in screen_text(app), "one list")
        await pilot.press("|")
        await until(pilot, lambda: "▸ dev" in screen_text(app), "two panes by the key")
        await pilot.press("|")
        await until(pilot, lambda: "▸ dev" not in screen_text(app), "one list by the key")

    run_app(behind, script, place=Place("pods"), size=(80, 24))
    assert "there is no room for 3 panes" in no_room[0]


def test_where_the_terminal_became_too_small_one_pane_is_shown_and_which() -> None:
    behind = console(("prod", "dev", "test"))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        assert app.run_line("side")
        await until(pilot, lambda: "▸ prod" in screen_text(app), "three panes")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "1 of 3, tab: the next" in screen_text(app), "one of them")
        assert "test READ-ONLY" not in screen_text(app).split("\n", 2)[2]
        await pilot.press("tab")
        await until(pilot, lambda: "2 of 3, tab: the next" in screen_text(app), "the next")

    run_app(behind, script, place=Place("pods"), size=(160, 40))
