"""A plot and a sparkline: a gap is a gap, zero is a value, and axes say what they are."""

from __future__ import annotations

import math
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from maestro_cli.output.plots import Mark, Plot
from maestro_cli.tui.text import cells, plain_text
from maestro_cli.tui.widgets.plot import LinePlot, plot_lines, sparkline
from tests.tui.widgets.stage import painted, play, resize

VALUES = st.none() | st.floats()


def plot(points: list[tuple[float, float | None]], *marks: Mark) -> Plot:
    return Plot("p95", "ms", points, 0.0, 100.0, 10.0, marks)


def drawn(picture: Plot, width: int = 30, height: int = 6) -> list[str]:
    return [plain_text(line).rstrip() for line in plot_lines(picture, width, height, UTC)]


def test_a_gap_is_a_blank_and_zero_is_the_lowest_bar() -> None:
    assert sparkline([0, None, 8, 4], 10) == "▁ █▅"
    assert sparkline([0, 0], 10) == "▁▁"
    assert sparkline([None, math.nan, math.inf], 10) == "   "
    assert sparkline([], 10) == sparkline([1.0], 0) == ""


def test_values_that_share_a_cell_show_the_largest() -> None:
    assert sparkline([0, 8, 0, None, None, None], 3) == "█▁ "


def test_the_axes_say_unit_times_and_zone() -> None:
    lines = drawn(plot([(float(at), float(at)) for at in range(0, 101, 5)]))
    assert lines[0] == "p95"
    assert lines[1].startswith("100 ms│")
    assert lines[-2].startswith("  0 ms│")
    assert lines[-1] == "       00:00:00   00:01:40 UTC"
    zone = timezone(timedelta(hours=2), "CEST")
    assert plain_text(plot_lines(plot([(0.0, 1.0)]), 30, 6, zone)[-1]).rstrip().endswith("02:01:40 CEST")


def test_plots_above_one_another_begin_in_one_column_whatever_their_labels_are() -> None:
    wide, narrow = plot([(0.0, 54321.0), (90.0, 0.5)]), plot([(0.0, 1.0), (90.0, 2.0)])
    apart = [plain_text(plot_lines(one, 40, 6, UTC)[1]).index("│") for one in (wide, narrow)]
    assert apart[0] > apart[1]
    for one in (wide, narrow):
        lines = [plain_text(line) for line in plot_lines(one, 40, 6, UTC, beside=(wide, narrow))]
        assert {line.index("│") for line in lines[1:-1]} == {apart[0]}
        assert lines[-1].index("00:00:00") == apart[0] + 1


def test_nothing_is_drawn_where_nothing_was_measured() -> None:
    points: list[tuple[float, float | None]] = [(float(at), 50.0) for at in range(0, 101, 2)]
    holed = [(at, None if 30 < at < 70 else value) for at, value in points]
    whole_line = next(
        line for line in drawn(plot(points)) if "⠉" in line or "⠒" in line or "⣀" in line or "⠤" in line
    )
    holed_line = next(
        line for line in drawn(plot(holed)) if "⠉" in line or "⠒" in line or "⣀" in line or "⠤" in line
    )
    assert " " not in whole_line.partition("│")[2]
    assert " " * 6 in holed_line.partition("│")[2].strip()


@pytest.mark.parametrize("points", [[], [(1.0, None)], [(1.0, math.nan)]], ids=["none", "gap", "nan"])
def test_without_a_value_it_says_so(points: list[tuple[float, float | None]]) -> None:
    assert any("no data" in line for line in drawn(plot(points)))


def test_marks_are_numbered_and_named() -> None:
    lines = drawn(plot([(0.0, 1.0), (5.0, 2.0)], Mark(50.0, "deploy\x1b[2J"), Mark(900.0, "outside")), 40, 9)
    assert lines[-1] == "1 00:00:50 deploy␛[2J"
    assert lines[-3].strip() == "1"


@given(
    st.lists(st.tuples(st.floats(-10, 200), VALUES), max_size=30),
    st.integers(1, 60),
    st.integers(1, 12),
)
def test_any_series_fits_any_place(points: list[tuple[float, float | None]], width: int, height: int) -> None:
    lines = plot_lines(plot(sorted(points, key=lambda point: point[0])), width, height, UTC)
    assert len(lines) <= height
    assert cells(sparkline([value for _, value in points], width)) <= width


def test_it_fills_the_place_that_it_has() -> None:
    widget = LinePlot()

    async def scene(pilot: Pilot[None]) -> None:
        assert set(painted(widget)) == {""}
        widget.show(plot([(float(at), float(at)) for at in range(0, 101, 5)]), UTC)
        await pilot.pause()
        assert painted(widget)[-1].endswith("00:01:40 UTC")
        await resize(pilot, 50, 20, widget)
        await pilot.pause()
        assert painted(widget)[-1].endswith("00:01:40 UTC")
        assert len(painted(widget)) == 8

    play(scene, widget)
