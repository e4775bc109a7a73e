"""Manners of the console: keys are never lost, words go when they are read, nothing small stops it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.drivers.linux_driver import LinuxDriver
from textual.pilot import Pilot
from textual.widgets import Input, OptionList
from textual.widgets._toast import Toast

from maestro_cli.core.errors import Refused, UsageError
from maestro_cli.tui import terminal
from maestro_cli.tui.acting.dialogs import ArmDialog, QuitDialog, WordsDialog
from maestro_cli.tui.acting.model import Action, Ask, Danger, Target
from maestro_cli.tui.app import FILTER_SECONDS, ConsoleApp
from maestro_cli.tui.keys.export import write_new
from maestro_cli.tui.keys.help import HelpDialog
from maestro_cli.tui.keys.keymap import usable_keymap
from maestro_cli.tui.keys.remembered import Remembered
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.pods import PODS
from maestro_cli.tui.store.events import FactRead
from maestro_cli.tui.store.model import Scope
from maestro_cli.tui.views.view import View
from maestro_cli.tui.widgets import status_line
from maestro_cli.tui.widgets.crumbs import Crumbs
from maestro_cli.tui.widgets.fact_table import FactTable
from tests.patience import PATIENCE_SECONDS
from tests.tui.cases import NOW, StillConsole, pod, run_app, screen_text, tell, until
from tests.tui.keys.test_typing import SERVICES, crumbs, type_in

PODS_PLACE = Place("pods")


def test_after_a_dialog_of_the_command_line_the_keys_go_to_the_list() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(PODS.of("prod"), (pod("fraud-1"), pod("fraud-2")), NOW))
        await until(pilot, lambda: "fraud-2" in screen_text(app), "the rows")
        await pilot.press("colon")
        await type_in(pilot, "write 5")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ArmDialog), "the dialog")
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1, "no dialog")
        table = app.screen.query_one("#body FactTable", FactTable)
        assert app.focused is table
        await pilot.press("down")
        await until(pilot, lambda: table.cursor_key == "uid-fraud-2", "the key that was pressed")

    run_app(console, script, place=PODS_PLACE)


def test_a_signal_that_comes_before_the_console_runs_ends_it_as_soon_as_it_does() -> None:
    app = ConsoleApp(StillConsole(SERVICES), PODS_PLACE)
    app.end_soon()
    asyncio.run(asyncio.wait_for(app.run_async(headless=True), PATIENCE_SECONDS))
    assert app.return_code == 0


def test_the_key_that_leaves_works_while_the_tour_is_open() -> None:
    left: list[int | None] = []

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: isinstance(app.screen, HelpDialog), "the tour")
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app.return_code is not None, "the end")
        left.append(app.return_code)

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE, kept=Remembered())
    assert left == [0]


def test_leaving_twice_asks_once_while_something_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StillConsole, "at_work", ("Scale",))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await pilot.press("W")
        await until(pilot, lambda: isinstance(app.screen, ArmDialog), "a dialog")
        await pilot.press("ctrl+q", "ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, QuitDialog), "the question")
        assert [type(one).__name__ for one in app.screen_stack[1:]] == ["ArmDialog", "QuitDialog"]
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ArmDialog), "what was open before")

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE)


def test_what_was_said_goes_after_a_while_and_what_waits_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status_line, "TOLD_SECONDS", 0.05)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.status.wait("1 waits for you")
        app.status.tell("something was said")
        assert app.status.told == "something was said"
        await until(pilot, lambda: not app.status.told, "an end of it")
        await until(pilot, lambda: "something was said" not in screen_text(app), "it gone from the screen")
        assert "1 waits for you" in screen_text(app)

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
def test_news_cover_no_row_of_the_list(size: tuple[int, int]) -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(PODS.of("prod"), (pod("fraud-1"),), NOW))
        await until(pilot, lambda: "fraud-1" in screen_text(app), "the rows")
        app.notify("incident #12 SEV1 opened in prod: " + "errors " * 40, timeout=600, markup=False)
        await until(pilot, lambda: bool(app.screen.query(Toast)), "the news")
        await until(pilot, lambda: "#12 SEV1" in screen_text(app), "the words of them")
        toast = app.screen.query_one(Toast).region
        assert toast.height == 1
        assert not toast.overlaps(app.screen.query_one("#body").region)

    async def run() -> None:
        app = ConsoleApp(console, PODS_PLACE)
        async with app.run_test(size=size, notifications=True) as pilot:
            await script(app, pilot)

    asyncio.run(run())


def test_a_filter_that_is_typed_when_one_goes_elsewhere_is_not_of_that_place() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.run_line("nodes")
        await until(pilot, lambda: crumbs(app) == "pods › nodes", "two steps")
        await pilot.press("slash")
        await until(pilot, lambda: app.prompt.is_open, "a line to type in")
        await type_in(pilot, "zzz")
        app.crumb_chosen(Crumbs.Chosen(0))
        await pilot.pause(3 * FILTER_SECONDS)
        assert (crumbs(app), app.prompt.is_open, app.trail[-1].filter) == ("pods", False, "")

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE)


def test_breadcrumbs_have_no_loop_and_fit_again_after_a_resize() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        for _ in range(20):
            for line in ("nodes", "pods /fraud", "describe ml/deploy/a-name-that-is-rather-long"):
                app.run_line(line)
        assert [place.screen for place in app.trail] == ["pods", "describe"]
        app.run_line("nodes")
        assert [place.screen for place in app.trail] == ["pods", "describe", "nodes"]
        await until(pilot, lambda: crumbs(app).startswith("pods /fraud › describe"), "all steps")
        app.run_line("describe ml/deploy/other-name-that-is-long")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: not crumbs(app).startswith("pods"), "the last steps alone")
        assert crumbs(app).endswith("other-name-that-is-long")

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE)


def test_a_picture_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        write_new(str(tmp_path / "not" / "asked" / "for.svg"), "x.svg", "<svg/>")
    assert not (tmp_path / "not").exists()


def test_a_wrong_keys_file_is_told_whole_and_the_console_has_its_own_keys(tmp_path: Path) -> None:
    from maestro_cli.config.keys_file import keys_path

    keys_path().parent.mkdir(parents=True, exist_ok=True)
    keys_path().write_text("maestro: keys/v1\nkeys:\n  pods.delete: d\n", encoding="utf-8")
    keymap, fault = usable_keymap()
    assert not keymap.keys
    assert fault is not None
    assert f"{keys_path()}:3: keys.pods.delete: " in fault.what

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "keys.yaml is not used" in screen_text(app), "the words")
        text = "".join(screen_text(app).replace("│", "").split())  # however it is wrapped
        assert "keys.yaml:3:keys.pods.delete:" in text
        assert "useoneoff" in text  # a function key
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1, "the console")

    async def run(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.tell_first("keys.yaml is not used", fault)
        app.on_ready()
        await script(app, pilot)

    run_app(StillConsole(SERVICES), run, place=PODS_PLACE)


def test_the_screen_is_drawn_on_the_terminal_where_messages_go_to_a_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stream(is_terminal: bool) -> Any:
        return SimpleNamespace(isatty=lambda: is_terminal, fileno=lambda: 0)

    out, error = stream(True), stream(True)
    streams = SimpleNamespace(__stderr__=error, __stdout__=out)
    monkeypatch.setattr(terminal, "sys", streams)
    monkeypatch.setattr(LinuxDriver, "__init__", lambda self: None)
    driver: Any = terminal.drawing_driver(LinuxDriver)
    assert driver()._file.isatty is error.isatty
    streams.__stderr__ = stream(False)
    assert driver()._file.isatty is out.isatty


def clusters(names: list[str] | None) -> Any:
    """Services of a cluster with these namespaces; None: they may not be listed."""

    def namespaces() -> list[str]:
        if names is None:
            raise Refused("you may not list namespaces")
        return names

    inventory = SimpleNamespace(namespaces=namespaces)
    return SimpleNamespace(**vars(SERVICES), cluster=SimpleNamespace(inventory=inventory))


@pytest.mark.parametrize(
    ("names", "typed", "namespace", "says"),
    [
        (["ml", "shop"], "shpo", "", "there is no namespace 'shpo' in prod: did you mean 'shop'?"),
        (["ml", "shop"], "shop", "shop", ""),
        (None, "shpo", "shpo", ""),
    ],
    ids=["unknown", "known", "not to be listed"],
)
def test_a_namespace_that_there_is_not_is_told_with_the_likely_one(
    names: list[str] | None, typed: str, namespace: str, says: str
) -> None:
    console = StillConsole(clusters(names))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.view is not None, "a view")
        app.run_line(f"ns {typed}")
        if says:
            await until(pilot, lambda: app.status.told == says, "the word")
        await until(pilot, lambda: console.store.snapshot.scope.namespace == namespace, "the scope")

    run_app(console, script, place=PODS_PLACE)


def done_later(app: ConsoleApp) -> list[Callable[[], None]]:
    """What is asked beside, to be done when the test does it."""
    works: list[Callable[[], None]] = []
    app.beside = works.append  # type: ignore[assignment, method-assign]
    return works


async def caught_up(app: ConsoleApp, pilot: Pilot[None]) -> None:
    """Until what was given to the app before is done."""
    done: list[bool] = []
    app.call_later(lambda: done.append(True))
    await until(pilot, lambda: bool(done), "all before it")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["as-asked", "the-older-is-slow"])
def test_the_namespace_that_was_asked_for_last_is_shown_whichever_is_answered_last(
    order: tuple[int, int],
) -> None:
    console = StillConsole(clusters(["ml", "shop"]))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        works = done_later(app)
        app.run_line("ns shop")
        assert app.status.told == "asking for the namespace shop"
        app.run_line("ns ml")
        for number in order:
            works[number]()
            await caught_up(app, pilot)
        assert console.store.snapshot.scope.namespace == "ml"

    run_app(console, script, place=PODS_PLACE)


def test_a_namespace_that_was_asked_for_before_an_incident_opened_does_not_open_over_it() -> None:
    console = StillConsole(clusters(["ml", "shop"]))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        works = done_later(app)
        app.run_line("ns shop")
        assert app.view is not None
        app.scope_fixed(View.ScopeFixed(app.view, Scope(("prod",), "ml", "#1")))
        works[0]()
        await caught_up(app, pilot)
        assert console.store.snapshot.scope == Scope(("prod",), "ml", "#1")

    run_app(console, script, place=PODS_PLACE)


def test_a_defect_in_asking_for_a_namespace_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    console = StillConsole(clusters(["ml"]))

    def broken(name: str, contexts: tuple[str, ...]) -> str:
        raise KeyError(name)

    monkeypatch.setattr(console, "why_no_namespace", broken)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        works = done_later(app)
        app.run_line("ns shop")
        works[0]()
        said = "whether there is a namespace shop is not known: internal error: KeyError"
        await until(pilot, lambda: app.status.told.startswith(said), "the word")

    run_app(console, script, place=PODS_PLACE)


BOOKS = {f"book-{n}": f"Title {n}" for n in range(20)} | {"high-error-rate": "A release answers with errors"}


def offering(seen: list[str], fails: str = "") -> Action:
    """Asks for one of BOOKS."""

    def perform(doing: Any) -> str:
        seen.append(doing.answers["book"])
        if fails:
            raise UsageError(fails, fix="its last word")
        return "done"

    asks = (Ask("book", "which runbook", offers=lambda services: BOOKS),)
    return Action("t.run", "Dry run", "t", Danger.OBSERVE, lambda *_: ("x",), asks=asks, performs=perform)


TARGET = (Target("prod", "Incident", "inc-1", "#1"),)


def test_a_runbook_is_chosen_from_a_list_that_letters_make_shorter() -> None:
    seen: list[str] = []

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.act(offering(seen), TARGET)
        await until(pilot, lambda: isinstance(app.screen, WordsDialog), "the dialog")
        listed = app.screen.query_one(OptionList)
        assert listed.option_count == len(BOOKS)
        await type_in(pilot, "book-1")
        await until(pilot, lambda: listed.option_count == 11, "those that have it")
        await pilot.press("down", "down", "enter")
        line = app.screen.query_one(Input)
        await until(pilot, lambda: line.value == "book-10" and app.focused is line, "the choice in the line")
        line.value = "errors"
        await until(pilot, lambda: listed.option_count == 1, "the one that says it")
        await pilot.press("enter")
        await until(pilot, lambda: seen == ["high-error-rate"], "what was chosen")

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE)


def test_a_runbook_that_there_is_not_is_told_and_may_be_mended() -> None:
    seen: list[str] = []

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.act(offering(seen), TARGET)
        await until(pilot, lambda: isinstance(app.screen, WordsDialog), "the dialog")
        await type_in(pilot, "high-error-rat3")
        await pilot.press("enter")
        await until(pilot, lambda: "did you mean 'high-error-rate'?" in screen_text(app), "the likely one")
        assert seen == []

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE)


def test_why_something_failed_is_told_whole_where_one_line_would_cut_it() -> None:
    seen: list[str] = []
    long = "a value is missing " * 12

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.act(offering(seen, long), TARGET)
        await until(pilot, lambda: isinstance(app.screen, WordsDialog), "the dialog")
        await type_in(pilot, "errors")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, HelpDialog), "the words")
        await until(pilot, lambda: "its last word" in screen_text(app), "the fix")

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE, size=(80, 24))


def test_the_keys_of_a_list_are_not_taken_by_what_has_none_of_its_own() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(PODS.of("prod"), (pod("fraud-1"), pod("fraud-2")), NOW))
        await until(pilot, lambda: "fraud-2" in screen_text(app), "the rows")
        await until(pilot, lambda: isinstance(app.focused, FactTable), "the list")
        await pilot.click("BurnStrip")
        for _ in range(3):
            await pilot.press("tab")
            assert isinstance(app.focused, FactTable)

    run_app(console, script, place=PODS_PLACE)
