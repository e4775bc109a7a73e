"""What is painted of the screen: as Textual would, without what stands behind, and in the turn of a key."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from rich.color import ColorSystem
from rich.style import Style
from textual import events
from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widget import Widget

from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.keys.keymap import Keymap
from maestro_cli.tui.painting import FrontCompositor, turn
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.pods import PODS
from maestro_cli.tui.store.events import FactRead
from maestro_cli.tui.widgets.fact_table import FactTable
from tests.tui.cases import NOW, StillConsole, pod, run_app, screen_text, tell, until

Chops = Sequence[Mapping[int, Strip | None]]
PODS_SHOWN = tuple(pod(f"fraud-{number:03d}") for number in range(300))


def console() -> StillConsole:
    return StillConsole(SimpleNamespace())


REMAPPED = Keymap({"view.menu": "f5"})


async def opened(app: ConsoleApp, pilot: Pilot[None]) -> FactTable:
    tell(app.behind, FactRead(PODS.of("prod"), PODS_SHOWN, NOW))
    await until(pilot, lambda: "fraud-001" in screen_text(app), "rows")
    assert app.view is not None
    await until(pilot, lambda: app.focused is not None, "a place for keys")
    return app.view.query_one(FactTable)


def painted(chops: Chops, crop: Region) -> list[list[tuple[int, Any]]]:
    """The pieces of each line within the crop, from the left."""
    return [
        [
            (x, list(strip))
            for x, strip in chops[y].items()
            if strip is not None and x < crop.right and x + strip.cell_length > crop.x
        ]
        for y in crop.line_range
    ]


@pytest.mark.parametrize("keymap", [None, REMAPPED], ids=["keys as they come", "keys of one's own"])
def test_a_frame_and_any_part_of_it_look_as_textual_would_have_painted_them(keymap: Keymap | None) -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        table = await opened(app, pilot)
        app.notify("one more incident", timeout=1000)  # over the others
        await until(pilot, lambda: "one more incident" in screen_text(app), "what is over the others")
        compositor = app.screen._compositor
        assert isinstance(compositor, FrontCompositor)
        whole = Region(0, 0, *app.size)
        for crop in (whole, table.region, Region(table.region.x + 7, table.region.y + 3, 20, 2)):
            own = compositor._render_chops(crop, lambda y: True)
            textual = Compositor._render_chops(compositor, crop, lambda y: True)
            assert painted(own, crop) == painted(textual, crop)
            assert any(painted(own, crop))

    async def run() -> None:
        app = ConsoleApp(console(), Place("pods"), keymap)
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            await script(app, pilot)

    asyncio.run(run())


def test_what_stands_behind_others_is_not_painted() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        table = await opened(app, pilot)
        asked: list[Widget] = []
        for one in (app.screen, app.body, app.view, table, app.key_line, app.status):
            assert one is not None
            note_painting(one, asked)
        app.screen._compositor._render_chops(table.region, lambda y: True)
        assert asked == [table]

    run_app(console(), script, place=Place("pods"))


def note_painting(widget: Widget, asked: list[Widget]) -> None:
    for name in ("render_lines", "uncovered_lines"):
        paint = getattr(widget, name, None)
        if paint is not None:
            setattr(widget, name, partial(_noted, asked, widget, paint))


def _noted(
    asked: list[Widget], widget: Widget, paint: Callable[[Region], list[Strip]], crop: Region
) -> list[Strip]:
    asked.append(widget)
    return paint(crop)


def test_what_a_key_did_is_painted_without_waiting_for_the_next_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await opened(app, pilot)
        app.screen._update_timer.stop()  # there is no next frame
        shown: list[str] = []
        monkeypatch.setattr(app, "_display", lambda screen, update: shown.append(type(update).__name__))
        await pilot.pause()
        shown.clear()
        app.post_message(events.Key("j", "j"))
        for _ in range(100):
            if shown:
                break
            await asyncio.sleep(0.01)  # a pause of the pilot paints
        assert "FrontUpdate" in shown

    run_app(console(), script, place=Place("pods"))


def test_a_key_of_a_table_is_painted_in_its_own_turn_before_anything_else_hears_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await opened(app, pilot)
        await pilot.pause()
        seen: list[str] = []
        follow = app._lap

        async def followed(key: int, lap: int) -> None:
            seen.append("lap")
            await follow(key, lap)

        def drawn_on(screen: object, update: object) -> None:
            if update is not None:
                seen.append(type(update).__name__)

        monkeypatch.setattr(app, "_display", drawn_on)
        monkeypatch.setattr(app, "_lap", followed)
        app.post_message(events.Key("G", "G"))
        await until(pilot, lambda: "lap" in seen, "the key")
        assert seen[:2] == ["FrontUpdate", "lap"]

    run_app(console(), script, place=Place("pods"))


def test_an_update_draws_what_textual_draws_with_less() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        table = await opened(app, pilot)
        compositor = app.screen._compositor
        for part in (Region(0, 0, app.size.width, app.size.height - 1), Region(7, 3, 20, 2)):
            compositor._dirty_regions.add(part.intersection(table.region) if part.x else part)
            update = compositor.render_partial_update()
            assert isinstance(update, ChopsUpdate)
            own = update.render_segments(app.console)
            textual = ChopsUpdate.render_segments(update, app.console)
            assert drawn(own) == drawn(textual)
            assert len(drawn(own)) >= part.area
            assert len(own) < len(textual)

    run_app(console(), script, place=Place("pods"))


def drawn(sequence: str) -> dict[tuple[int, int], tuple[str, frozenset[str]]]:
    """What a terminal has in each cell then, by column and line: a character and how it looks."""
    cells: dict[tuple[int, int], tuple[str, frozenset[str]]] = {}
    x = y = 0
    look: dict[str, str] = {}
    for found in re.finditer(r"\x1b\[([0-9;]*)([A-Za-z])|([^\x1b])", sequence):
        codes, kind, character = found.groups()
        if kind == "H":
            y, x = (int(code) for code in codes.split(";"))
        elif kind == "m":
            for code in re.findall(r"[34]8;2;\d+;\d+;\d+|[34]8;5;\d+|\d+", codes):
                if code == "0":
                    look.clear()
                else:
                    kinds = {"colour": r"(3|9)\d.*", "behind": r"(4|10)\d.*"}
                    slot = next((name for name, kind in kinds.items() if re.fullmatch(kind, code)), code)
                    look[slot] = code
        elif character != "\n":
            cells[x, y] = character, frozenset(look.values())
            x += 1
    return cells


def test_what_is_no_longer_bold_is_written_so() -> None:
    bold, red = Style(bold=True, color="red"), Style(bold=False, color="red")
    assert turn(bold, red, ColorSystem.STANDARD) == "\x1b[0;31m"
    assert turn(red, bold, ColorSystem.STANDARD) == "\x1b[1;31m"
