"""Columns share the room by rule, and rows are ordered as people count."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.output.views import Column
from maestro_cli.tui.widgets.columns import EXTRA, GAP, Layout, laid_out, sort_key
from maestro_cli.tui.widgets.row_text import row_spans

WIDTHS = st.lists(st.integers(1, 90), min_size=1, max_size=12)


def test_columns_that_fit_keep_their_width() -> None:
    assert laid_out([10, 5], [2, 2], 17).shown == ((0, 10), (1, 5))


def test_the_last_column_takes_what_it_needs_of_the_rest() -> None:
    assert laid_out([10, 90], [2, 2], 200).shown == ((0, 10), (1, 90))
    assert laid_out([90, 10], [2, 2], 200).shown == ((0, 60), (1, 10))


def test_the_widest_column_is_narrowed_first() -> None:
    assert laid_out([10, 40, 12], [2] * 3, 50).shown == ((0, 10), (1, 24), (2, 12))


def test_wide_columns_give_way_first_then_those_on_the_right() -> None:
    found = laid_out([8, 8, 8, 8], [2, 3, 2, 2], 28)
    assert [index for index, _ in found.shown] == [0, 2, 3]
    assert found.after == 1
    found = laid_out([8, 8, 8, 8], [2, 3, 2, 2], 18)
    assert [index for index, _ in found.shown] == [0, 2]


def test_a_column_that_is_extra_gives_way_also_where_it_stands_first() -> None:
    found = laid_out([8, 8, 8, 8], [3, 2, 2, 2], 28)
    assert [index for index, _ in found.shown] == [1, 2, 3]
    found = laid_out([8, 8, 8, 8], [3, 2, 2, 2], 8)
    assert [index for index, _ in found.shown] == [1]


def test_what_is_needed_is_whole_before_anything_else_has_room() -> None:
    found = laid_out([5, 30, 30, 20], [0, 1, 2, 1], 70)
    assert found.shown == ((0, 5), (1, 30), (3, 20))
    found = laid_out([5, 30, 30, 20], [0, 1, 2, 1], 75)
    assert found.shown == ((0, 5), (1, 30), (2, 14), (3, 20))


def test_what_is_needed_is_narrowed_once_it_is_alone_the_widest_first() -> None:
    assert laid_out([5, 30, 30, 20], [0, 1, 2, 1], 50).shown == ((0, 5), (1, 21), (3, 20))


def test_what_matters_least_gives_way_first() -> None:
    found = laid_out([8, 8, 8, 8], [0, 2, 2, 1], 28)
    assert [index for index, _ in found.shown] == [0, 1, 3]
    found = laid_out([8, 8, 8, 8], [0, 2, 2, 1], 18)
    assert [index for index, _ in found.shown] == [0, 3]


def test_scrolled_columns_follow_the_first_one_in_order() -> None:
    found = laid_out([8, 8, 8, 8], [2, 3, 2, 2], 18, skipped=2)
    assert [index for index, _ in found.shown] == [0, 3]
    assert (found.before, found.after) == (2, 0)


@given(WIDTHS, st.integers(1, 200), st.integers(0, 15), st.data())
def test_every_column_is_shown_or_counted_and_the_first_is_always_there(
    widths: list[int], room: int, skipped: int, data: st.DataObject
) -> None:
    ranks = data.draw(st.lists(st.integers(0, 3), min_size=len(widths), max_size=len(widths)))
    found = laid_out(widths, ranks, room, skipped)
    lead = next((index for index, rank in enumerate(ranks) if rank < EXTRA), 0)
    assert lead in {index for index, _ in found.shown}
    assert len(found.shown) + found.before + found.after == len(widths)
    assert all(0 < width <= widths[index] for index, width in found.shown)
    if len(found.shown) > 1 or widths[lead] <= room:
        assert sum(width for _, width in found.shown) + GAP * (len(found.shown) - 1) <= room


@pytest.mark.parametrize(
    "ordered",
    [
        [1, 2.5, 10, None],
        ["pod-2", "pod-10", "pod-10a", ""],
        ["0.4s", "42s", "3m05s", "2h10m", "4d03h"],
        ["9.5%", "10%", None],
        ["64Mi", "1Gi"],
        [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC), None],
        [-math.inf, 10**400, math.nan],
        [3, "3a", "b"],
    ],
    ids=["numbers", "names", "durations", "shares", "sizes", "instants", "extremes", "mixed"],
)
def test_values_are_ordered_by_what_they_mean(ordered: list[object]) -> None:
    assert all(sort_key(one) < sort_key(other) for one, other in pairwise(ordered))


@given(st.lists(st.one_of(st.text(), st.floats(), st.integers(), st.none(), st.booleans())))
def test_any_values_can_be_ordered(values: list[object]) -> None:
    sorted(values, key=sort_key)


def test_no_title_is_cut_where_another_column_can_give_way() -> None:
    titles = [2, 11, 9, 8]
    found = laid_out([5, 30, 30, 30], [0, 2, 2, 2], 50, titles=titles)
    assert [index for index, _ in found.shown] == [0, 1, 2, 3]
    assert all(width >= titles[index] for index, width in found.shown)
    found = laid_out([5, 30, 30, 30], [0, 2, 2, 2], 34, titles=titles)
    assert [index for index, _ in found.shown] == [0, 1, 2]
    assert all(width >= titles[index] for index, width in found.shown)


def test_of_a_line_over_time_the_newest_end_stays_where_it_is_cut() -> None:
    column = Column[str]("line", str, keeps_end=True)
    spans = row_spans([("▁▁▁▁▁█", "")], Layout(((0, 4),)), [column], "")
    assert spans[1][0] == "…▁▁█"


def test_a_drawing_is_whole_where_another_column_can_be_left_out() -> None:
    assert laid_out([10, 20, 30], [0, 2, 2], 50, drawn=[False, True, False]).shown == (
        (0, 10),
        (1, 20),
        (2, 16),
    )
    assert laid_out([10, 20, 30], [0, 2, 2], 40, drawn=[False, True, False]).shown == ((0, 10), (1, 20))
    assert laid_out([10, 20], [0, 2], 25, drawn=[False, True]).shown == ((0, 10),)
