"""Manners of the console: keys are never lost, words go when they are read, nothing small stops it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.drivers.linux_driver import LinuxDriver
from textual.pilot import Pilot
from textual.widgets._toast import Toast

from maestro_cli.core.errors import UsageError
from maestro_cli.tui import terminal
from maestro_cli.tui.acting.dialogs import ArmDialog, QuitDialog
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.keys.export import write_new
from maestro_cli.tui.keys.help import HelpDialog
from maestro_cli.tui.keys.keymap import usable_keymap
from maestro_cli.tui.keys.remembered import Remembered
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.pods import PODS
from maestro_cli.tui.store.events import FactRead
from maestro_cli.tui.widgets import status_line
from maestro_cli.tui.widgets.fact_table import FactTable
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
        assert "useafunctionkey" in text
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
