"""A table of facts: cursor, scroll and marks hold on to keys, and only what is seen is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich.cells import cell_len
from textual.pilot import Pilot

from maestro_cli.output.views import Column
from maestro_cli.tui.views.resting import rest_of, resume
from maestro_cli.tui.widgets.fact_table import FactTable
from tests.tui.widgets.stage import painted, play, resize


@dataclass(frozen=True)
class Row:
    name: str
    state: str = "ok"
    count: int = 0
    note: str = "-"


COLUMNS: tuple[Column[Row], ...] = (
    Column("name", lambda row: row.name),
    Column("state", lambda row: row.state, tone=lambda row: "good" if row.state == "ok" else "bad"),
    Column("count", lambda row: row.count, right=True),
    Column("note", lambda row: row.note, wide=True),
)
ROWS = [Row(f"pod-{number:03d}", count=number % 7) for number in range(200)]


def show(table: FactTable, rows: Sequence[Row], **more: Any) -> None:
    table.show(COLUMNS, rows, lambda row: row.name, **more)


def keys_of(messages: Sequence[Any], kind: type[Any]) -> list[Any]:
    return [getattr(one, "key", None) for one in messages if type(one) is kind]


def test_an_order_is_that_of_a_title_where_columns_come_and_go() -> None:
    """In several contexts each row has one more cell: a place would be that of another column, or of none."""
    table = FactTable()
    rows = [Row("b", count=1), Row("a", count=2)]

    async def scene(pilot: Pilot[None]) -> None:
        wide = (Column[Row]("context", lambda row: "prod"), *COLUMNS)
        table.show(wide, rows, lambda row: row.name)
        table.sort("count", reverse=True)
        rested = rest_of(table)
        show(table, rows)
        resume(table, rested)
        assert table.sorted_by == ("count", True)
        table.show(COLUMNS[:2], rows, lambda row: row.name)
        resume(table, rested)
        await pilot.pause()
        assert table.sorted_by[0] is None
        assert [line.split()[-2] for line in painted(table)[1:3]] == ["b", "a"]

    play(scene, table)


def test_rows_and_titles_are_painted_in_columns() -> None:
    table = FactTable()

    async def scene(pilot: Pilot[None]) -> None:
        show(table, [Row("a", "failed", 10, "x"), Row("bb", count=2)])
        await pilot.pause()
        assert painted(table)[:3] == [
            "   NAME   STATE    COUNT  NOTE",
            "▸  a      failed      10  x",
            "   bb     ok           2  -",
        ]

    play(scene, table)


def test_an_empty_table_says_so() -> None:
    table = FactTable()

    async def scene(pilot: Pilot[None]) -> None:
        show(table, [], empty="no pods here")
        assert painted(table)[1] == "   no pods here"
        await pilot.press("enter", "space", "down", "G", ">")

    assert keys_of(play(scene, table), FactTable.RowOpened) == []


def test_keys_move_the_cursor_and_open_its_row() -> None:
    table = FactTable()

    async def scene(pilot: Pilot[None]) -> None:
        show(table, ROWS)
        await pilot.press("j", "down", "k", "enter", "G", "enter", "pageup", "g", "enter", "end", "home")

    seen = play(scene, table, size=(80, 11))
    assert keys_of(seen, FactTable.RowOpened) == ["pod-001", "pod-199", "pod-000"]
    assert keys_of(seen, FactTable.CursorMoved) == [
        "pod-000", "pod-001", "pod-002", "pod-001", "pod-199", "pod-189", "pod-000", "pod-199", "pod-000"
    ]  # fmt: skip


def test_the_cursor_and_what_is_around_it_stay_when_rows_come_and_go() -> None:
    table = FactTable()

    async def scene(pilot: Pilot[None]) -> None:
        show(table, ROWS)
        table.move_to("pod-100")
        await pilot.press("up", "up", "up")
        await pilot.pause()
        before = painted(table)[1:]
        show(table, [Row(f"new-{n}") for n in range(30)] + ROWS)
        await pilot.pause()
        assert painted(table)[1:] == before
        assert table.cursor_key == "pod-097"
        show(table, ROWS[50:])
        await pilot.pause()
        assert painted(table)[1:] == before

    play(scene, table, size=(80, 11))


def test_scrolled_away_from_the_cursor_the_top_row_stays() -> None:
    table = FactTable()

    async def scene(pilot: Pilot[None]) -> None:
        show(table, ROWS)
        await pilot.pause()
        table.scroll_to(y=80, animate=False)
        await pilot.pause()
        assert painted(table)[1].split()[0] == "pod-080"
        show(table, [Row(f"new-{n}") for n in range(30)] + ROWS)
        await pilot.pause()
        assert painted(table)[1].split()[0] == "pod-080"
        assert table.cursor_key == "pod-000"

    play(scene, table, size=(80, 11))


def test_a_cursor_whose_row_went_is_on_the_row_in_its_place_and_says_so() -> None:
    table = FactTable()

    async def scene(pilot: Pilot[None]) -> None:
        show(table, ROWS[:3])
        table.move_to("pod-002")
        show(table, ROWS[:2])
        assert table.cursor_key == "pod-001"
        show(table, [])
        assert table.cursor_key is None

    assert keys_of(play(scene, table), FactTable.CursorMoved) == ["pod-000", "pod-002", "pod-001", None]


def test_marks_belong_to_keys_and_end_with_their_rows() -> None:
    table = FactTable()

    async def scene(pilot: Pilot[None]) -> None:
        show(table, ROWS)
        await pilot.press("down", "space", "down", "down", "ctrl+@")
        assert list(table.marked) == ["pod-001", "pod-002", "pod-003"]
        show(table, ROWS[2:])
        assert list(table.marked) == ["pod-002", "pod-003"]
        await pilot.pause()
        assert painted(table)[1].startswith(" * pod-002")
        await pilot.press("space")
        assert list(table.marked) == [
            "pod-002",
        ]
        table.action_unmark()

    seen = [one.keys for one in play(scene, table) if isinstance(one, FactTable.MarksChanged)]
    assert [len(keys) for keys in seen] == [1, 3, 2, 1, 0]


def test_rows_of_an_older_time_have_a_sign_and_not_colour_alone() -> None:
    table = FactTable()

    async def scene(pilot: Pilot[None]) -> None:
        show(table, ROWS, stale=lambda row: row.name == "pod-001")
        await pilot.pause()
        assert painted(table)[2].startswith("  ~pod-001")
        show(table, ROWS, stale=lambda row: False)
        await pilot.pause()
        assert painted(table)[2].startswith("   pod-001")

    play(scene, table)


def test_a_tone_has_the_colour_of_the_theme_and_the_text_none_of_its_own() -> None:
    table = FactTable()

    async def scene(pilot: Pilot[None]) -> None:
        show(table, [Row("a"), Row("[red]b[/]"), Row("c", "failed")])
        await pilot.pause()
        styles = {segment.text.strip(): segment.style for y in (2, 3) for segment in table.render_line(y)}
        assert styles["[red]b[/]"] == table.rich_style
        assert styles["ok"] == table.tone_style("good") != styles["failed"] == table.tone_style("bad")

    play(scene, table)


def test_columns_without_room_are_counted_and_can_be_scrolled_to() -> None:
    table = FactTable()

    async def scene(pilot: Pilot[None]) -> None:
        show(table, [Row("a-long-name-of-a-pod", note="a note")])
        await pilot.pause()
        assert painted(table)[0].split() == ["NAME", "STATE", "+2", "→"]
        await pilot.press("right", "right")
        assert painted(table)[0].split() == ["NAME", "NOTE", "←", "2"]
        await pilot.press("right", "left", "left", "left")
        assert painted(table)[0].split() == ["NAME", "STATE", "+2", "→"]
        await resize(pilot, 60, 6, table)
        assert painted(table)[0].split() == ["NAME", "STATE", "COUNT", "NOTE"]
        await resize(pilot, 20, 6, table)
        assert painted(table)[0].split() == ["NAME", "+3", "→"]

    play(scene, table, size=(40, 6))


def test_a_title_sorts_and_again_the_other_way_round_with_nothing_last() -> None:
    table = FactTable()
    rows = [Row("a", count=10), Row("b", count=9), Row("c", note=""), Row("d", count=100)]

    async def scene(pilot: Pilot[None]) -> None:
        show(table, rows)
        await pilot.pause()
        await pilot.click(table, offset=(18, 0))
        assert table.sorted_by == ("count", False)
        assert [line.split()[-4:][0] for line in painted(table)[1:5]] == ["c", "b", "a", "d"]
        assert "COUNT▲" in painted(table)[0]
        await pilot.click(table, offset=(18, 0))
        assert [line.split()[-4:][0] for line in painted(table)[1:5]] == ["d", "a", "b", "c"]
        show(table, [*rows, Row("e", count=50)])
        assert [line.split()[-4:][0] for line in painted(table)[1:6]] == ["d", "e", "a", "b", "c"]
        assert table.cursor_key == "a"
        await pilot.press("<", "^")
        assert table.sorted_by == ("state", True)
        table.sort(3, reverse=True)
        assert painted(table)[5].split()[-1] == "-"
        table.sort(None)
        assert [line.split()[-4:][0] for line in painted(table)[1:5]] == ["a", "b", "c", "d"]

    play(scene, table)


def test_the_mouse_chooses_opens_and_scrolls() -> None:
    table = FactTable()

    async def scene(pilot: Pilot[None]) -> None:
        show(table, ROWS)
        await pilot.pause()
        await pilot.click(table, offset=(5, 4))
        assert table.cursor_key == "pod-003"
        await pilot.double_click(table, offset=(5, 5))
        table.scroll_to(y=50, animate=False)
        await pilot.pause()
        await pilot.click(table, offset=(5, 1))
        assert table.cursor_key == "pod-050"

    assert keys_of(play(scene, table, size=(80, 11)), FactTable.RowOpened) == ["pod-004"]


def test_cells_are_computed_for_seen_rows_alone_and_once_an_item() -> None:
    asked: list[str] = []

    def name(row: Row) -> str:
        asked.append(row.name)
        return row.name

    columns = (Column[Row]("name", name),)
    table = FactTable()

    async def scene(pilot: Pilot[None]) -> None:
        table.show(columns, ROWS, lambda row: row.name)
        await pilot.pause()
        table.show(columns, list(ROWS), lambda row: row.name)
        await pilot.pause()
        assert len(asked) == 10
        table.show(columns, [replace(ROWS[0], state="x"), *ROWS[1:]], lambda row: row.name)
        await pilot.pause()
        assert asked[10:] == ["pod-000"]

    play(scene, table, size=(80, 11))


def test_wide_and_combining_characters_keep_columns_aligned() -> None:
    table = FactTable()
    names = ["plain", "日本語の名前", "e\u0301\u0302\u0303le\u0301ve", "👍🏽 flag 🇩🇪", "a\u200bb", "ｆｕｌｌ"]

    async def scene(pilot: Pilot[None]) -> None:
        show(table, [Row(name) for name in names])
        await pilot.pause()
        strips = [table.render_line(y) for y in range(7)]
        assert {strip.cell_length for strip in strips} == {table.line_width}
        assert len({cell_len(strip.text.partition(" ok ")[0]) for strip in strips[1:]}) == 1

    play(scene, table)


def test_every_key_has_a_name_and_says_what_it_does() -> None:
    for binding in FactTable.BINDINGS:
        assert not isinstance(binding, tuple)
        assert binding.id is not None
        assert binding.id.startswith("table.")
        assert binding.tooltip
