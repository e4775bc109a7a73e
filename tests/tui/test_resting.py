"""What is chosen in a list stays chosen, by its id, whatever is looked at meanwhile."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from textual.pilot import Pilot

from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.pods import PODS
from maestro_cli.tui.screens.workloads import REVISIONS
from maestro_cli.tui.store.events import FactRead
from maestro_cli.tui.store.model import Scope
from maestro_cli.tui.widgets.fact_table import FactTable
from tests.tui.cases import NOW, StillConsole, pod, run_app, screen_text, tell, until
from tests.tui.facts import ABOUT, FACTS, revisions
from tests.tui.made import made

SERVICES = SimpleNamespace(
    policy=SimpleNamespace(protected=False, read_only=False), settings=SimpleNamespace(contexts={})
)


def table(app: ConsoleApp) -> FactTable:
    assert app.view is not None
    return app.view.query_one(FactTable)


def test_cursor_marks_and_order_are_those_of_before_when_one_comes_back() -> None:
    console = StillConsole(SERVICES)
    pods = tuple(pod(name) for name in "abcd")

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(PODS.of("prod"), pods, NOW))
        await until(pilot, lambda: table(app).cursor_key == "uid-a", "the pods")
        await pilot.press("down", "space", "down", "<", "^", "d")
        await until(pilot, lambda: app.trail[-1].screen == "describe", "the description")
        tell(console, FactRead(PODS.of("prod"), (pod("new"), *pods[:1], *pods[2:]), NOW))
        await pilot.press("escape")
        await until(pilot, lambda: app.trail[-1].screen == "pods" and table(app).cursor_key == "uid-c", "it")
        assert table(app).marked == (), "what is gone is marked no more"
        assert table(app).sorted_by[1]
        await pilot.press("space", "d")
        await until(pilot, lambda: app.trail[-1].screen == "describe", "the description")
        await pilot.press("escape")
        await until(pilot, lambda: table(app).marked == ("uid-c",), "the mark")
        assert [target.name for target in app.view.targets()] == ["ml/pod/c"] if app.view else False

    run_app(console, script, place=Place("pods"))


def test_the_order_stays_that_of_its_column_when_a_scope_brings_or_takes_one() -> None:
    console = StillConsole(SERVICES)
    pods = tuple(
        replace(pod(name), restarts=count) for name, count in zip(("p1", "p2", "p3"), (1, 12, 3), strict=True)
    )

    def names(app: ConsoleApp) -> list[str]:
        found = [line.split() for line in screen_text(app).splitlines()]
        return [word for words in found for word in words if word in ("p1", "p2", "p3")]

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(PODS.of("prod"), pods, NOW))
        await until(pilot, lambda: table(app).cursor_key == "uid-p1", "the pods")
        table(app).sort("restarts", reverse=True)
        for contexts, title in ((("prod", "staging"), "restarts"), (("prod",), "restarts")):
            app.rescope(Scope(contexts))
            tell(console, *(FactRead(PODS.of(one), pods, NOW) for one in contexts))
            wanted = [name for name in ("p2", "p3", "p1") for _ in contexts]
            await until(pilot, lambda wanted=wanted: names(app) == wanted, "the order")  # type: ignore[misc]
            assert table(app).sorted_by == (title, True)
        app.rescope(Scope(("prod", "staging")))
        tell(console, *(FactRead(PODS.of(one), pods, NOW) for one in ("prod", "staging")))
        await until(pilot, lambda: len(names(app)) == 6, "the pods of both")
        table(app).sort("context", reverse=True)
        app.rescope(Scope(("prod",)))
        tell(console, FactRead(PODS.of("prod"), pods, NOW))
        await until(pilot, lambda: names(app) == ["p1", "p2", "p3"], "the order in which they came")
        assert table(app).sorted_by[0] is None, "there is no such column"

    run_app(console, script, place=Place("pods"))


def test_a_revision_that_gets_another_number_is_the_same_one() -> None:
    console = StillConsole(SERVICES)
    (key,) = FACTS["revisions"]()
    assert key == REVISIONS.of("prod", ABOUT)

    def numbered(*found: tuple[str, int]) -> tuple[object, ...]:
        bad, _ = revisions()
        return tuple(
            made(type(bad), judged=made(type(bad.judged), revision=number, standing=bad.judged.standing),
                 name=name)
            for name, number in found
        )  # fmt: skip

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(key, numbered(("fraud-y", 2), ("fraud-x", 1)), NOW))
        await until(pilot, lambda: table(app).cursor_key == "fraud-y", "the revisions")
        await pilot.press("down", "space")
        tell(console, FactRead(key, numbered(("fraud-x", 3), ("fraud-y", 2)), NOW))
        await until(pilot, lambda: table(app).marked == ("fraud-x",), "the mark")
        await until(pilot, lambda: [one.item[1] for one in app.view.targets()] == [3] if app.view else False,
                    "its number of now")  # fmt: skip

    run_app(console, script, place=Place("revisions", ABOUT, "prod"))


def test_what_was_said_of_a_place_goes_with_it_and_what_an_action_came_to_stays() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.focused is not None, "the pods")
        await pilot.press("equals_sign")
        await until(pilot, lambda: "this is now" in app.status.told, "that there is no past")
        await pilot.press("4")
        await until(pilot, lambda: app.trail[-1].screen == "nodes", "the nodes")
        assert app.status.told == ""
        assert "this is now" not in screen_text(app)
        app.remark("change c-1 was interrupted", stays=True)
        await until(pilot, lambda: "c-1" in app.status.told, "the remark")
        await pilot.press("3")
        await until(pilot, lambda: app.trail[-1].screen == "pods", "the pods")
        assert app.status.told == "change c-1 was interrupted"

    run_app(console, script, place=Place("pods"))
