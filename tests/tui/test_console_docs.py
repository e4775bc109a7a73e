"""docs/console.md is what the console does: its example of a screen works as it stands there."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from maestro_cli.config.keys_file import KeysFile
from maestro_cli.config.strict import parse_yaml
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.keys.commands import VERBS
from maestro_cli.tui.keys.keymap import checked_keymap
from maestro_cli.tui.keys.table import every_key
from maestro_cli.tui.screens import table
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.store.events import FactRead
from maestro_cli.tui.themes import THEMES
from tests.tui.cases import NOW, StillConsole, run_app, screen_text, tell, until

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "console.md").read_text(encoding="utf-8")


def fence(language: str) -> str:
    (text,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(text)


def test_the_example_of_keys_is_taken() -> None:
    document = parse_yaml(fence("yaml"), "docs/console.md")
    keymap = checked_keymap(document, document.decode(KeysFile))
    assert keymap.keys == {"console.command": "colon,;", "pods.delete": "f9"}
    assert set(keymap.favourites) == {"1", "9"}


def test_every_verb_and_theme_is_told_of() -> None:
    assert [verb.name for verb in VERBS if f":{verb.name}" not in PAGE and verb.name != "quit"] == []
    assert [theme.name for theme in THEMES if f"`{theme.name}`" not in PAGE] == []


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The screen of the page, in the table as a module of its own."""
    module = ModuleType("maestro_cli.tui.screens.certificates")
    exec(compile(fence("python"), "docs/console.md", "exec"), vars(module))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(table, "MODULES", (*table.MODULES, "certificates"))
    cached: tuple[Any, ...] = (table.every_screen, table.every_feed, table.screen_names, every_key)
    for one in cached:
        one.cache_clear()
    yield module
    for one in cached:
        one.cache_clear()


def test_a_room_brings_its_screen_by_a_module_and_one_line(example: ModuleType) -> None:
    noted: list[str] = []

    def note(name: str) -> str:
        noted.append(name)
        return "written"

    services = SimpleNamespace(
        policy=SimpleNamespace(protected=False, read_only=False),
        note=note,
        certificates=lambda namespace: ("web-tls",),
        settings=SimpleNamespace(contexts={}),
    )
    console = StillConsole(services)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        assert app.run_line("cert")
        key = example.CERTIFICATES.of("prod")
        assert key in console.feeds.wanted
        tell(console, FactRead(key, example.CERTIFICATES.read(services, ""), NOW))
        await until(pilot, lambda: "web-tls" in screen_text(app), "its rows")
        await pilot.press("N")
        await until(pilot, lambda: noted == ["web-tls"], "its action")
        await until(pilot, lambda: "Note web-tls: written" in screen_text(app), "how it ended")
        assert console.store.snapshot.log[-1].line == "maestro --context prod note web-tls"

    run_app(console, script, place=Place("pods"))
    assert "certificates.note" in {one.id for one in every_key()}
