"""Lines are painted as they are made, and look as Textual would have painted them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from rich.style import Style
from textual.geometry import Region
from textual.pilot import Pilot
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip

from maestro_cli.tui.widgets.fact_table import FactTable
from maestro_cli.tui.widgets.scroll_bar import LineScrollBar
from tests.tui.widgets.stage import play
from tests.tui.widgets.test_fact_table import COLUMNS, ROWS, show


def cells_of(strips: list[Strip], width: int) -> list[list[tuple[str, Style | None]]]:
    """Each cell with its style, in as many columns."""
    return [
        [(character, segment.style) for segment in strip for character in segment.text][:width]
        for strip in strips
    ]


@pytest.mark.parametrize("rows", [3, 200], ids=["few", "more-than-fit"])
@pytest.mark.parametrize("no_color", [False, True], ids=["colours", "no-color"])
def test_lines_look_as_textual_would_have_painted_them(
    monkeypatch: pytest.MonkeyPatch, rows: int, no_color: bool
) -> None:
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    table = FactTable()

    async def scene(pilot: Pilot[None]) -> None:
        show(table, ROWS[:rows], stale=lambda row: row.count == 2)
        table.mark(["pod-001"])
        await pilot.pause()
        crop = Region(0, 0, table.region.width, table.region.height)
        width = table.line_width if table.show_vertical_scrollbar else table.region.width
        as_textual = ScrollView.render_lines(table, crop)
        assert cells_of(table.render_lines(crop), width) == cells_of(as_textual, width)
        part = Region(2, 1, 9, 4)
        assert cells_of(table.render_lines(part), 9) == cells_of(ScrollView.render_lines(table, part), 9)

    play(scene, table)


def test_the_scroll_bar_looks_as_textuals_at_every_place() -> None:
    table = FactTable()

    async def scene(pilot: Pilot[None]) -> None:
        show(table, ROWS)
        await pilot.pause()
        bar: Any = table.vertical_scrollbar
        assert isinstance(bar, LineScrollBar)
        crop = Region(0, 0, *bar.size)
        for key in ("end", "pageup", "k", "home"):
            await pilot.press(key)
            await pilot.pause()
            own = cells_of(bar.render_lines(crop), 1)
            bar._styles_cache.clear()  # it is told of the lines alone that look different
            assert own == cells_of(ScrollBar.render_lines(bar, crop), 1)
            assert len({cell for line in own for cell in line}) > 1

    play(scene, table)


def test_a_frame_is_drawn_around_lines_that_have_one() -> None:
    table = FactTable()

    async def scene(pilot: Pilot[None]) -> None:
        show(table, ROWS)
        table.styles.border = ("round", "red")
        await pilot.pause()
        crop = Region(0, 0, table.region.width, table.region.height)
        assert table.render_lines(crop)[0].text.startswith("╭")

    play(scene, table)


def test_the_scroll_bar_is_painted_where_it_looks_different_alone() -> None:
    table = FactTable()

    async def scene(pilot: Pilot[None]) -> None:
        show(table, ROWS)
        await pilot.pause()
        bar: Any = table.vertical_scrollbar
        before = cells_of(bar.render_lines(Region(0, 0, *bar.size)), 1)
        table.action_last()
        lines = {region.y for region in bar._repaint_regions}
        after = cells_of(bar.render_lines(Region(0, 0, *bar.size)), 1)
        other = {y for y, (was, now) in enumerate(zip(before, after, strict=True)) if seen(was) != seen(now)}
        assert 0 < len(lines) < bar.size.height
        assert lines == other

    play(scene, table)


def seen(line: list[tuple[str, Style | None]]) -> list[object]:
    """What is seen of a line's cells, without what the mouse does on them."""
    return [(character, style and style.clear_meta_and_links()) for character, style in line]


def test_rows_that_say_the_same_are_not_painted_anew_for_columns_of_another_time() -> None:
    table = FactTable()

    async def scene(pilot: Pilot[None]) -> None:
        show(table, ROWS)
        await pilot.pause()
        lines = [table.render_line(y) for y in range(1, 6)]
        later = tuple(replace(one, cell=partial(one.cell)) for one in COLUMNS)
        table.show(later, ROWS, lambda row: row.name)
        assert all(table.render_line(y) is line for y, line in enumerate(lines, 1))
        gone = [replace(row, state="gone") for row in ROWS]
        table.show(later, gone, lambda row: row.name)
        assert not any(table.render_line(y) is line for y, line in enumerate(lines, 1))
        assert "gone" in table.render_line(2).text

    play(scene, table)
