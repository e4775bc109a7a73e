"""A treemap is true: areas are the amounts, nothing overlaps, nothing is outside, and nobody is left out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.cost.pictures.treemap import CELL_ASPECT, CellTile, Tile, cell_treemap, treemap

AMOUNTS = st.lists(
    st.one_of(
        st.floats(min_value=0.001, max_value=1e6),
        st.sampled_from([0.0, -3.0, math.nan, math.inf, 1.0, 1.0, 1e-12, 5e-324, 1e300]),
    ),
    max_size=40,
)
ORDINARY = st.lists(st.floats(min_value=0.001, max_value=1e6), min_size=1, max_size=60)
SIDES = st.floats(min_value=1, max_value=2000)
CELLS = st.integers(min_value=1, max_value=200)


def _drawable(amounts: Sequence[float]) -> list[int]:
    return [index for index, amount in enumerate(amounts) if amount > 0 and math.isfinite(amount)]


def _overlap(one: Tile | CellTile, other: Tile | CellTile) -> float:
    wide = min(one.right, other.right) - max(one.left, other.left)
    high = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(wide, 0) * max(high, 0)


@given(ORDINARY, SIDES, SIDES)
def test_areas_are_as_the_amounts(amounts: list[float], width: float, height: float) -> None:
    total = math.fsum(amounts)
    for tile in treemap(amounts, width, height):
        (index,) = tile.members
        assert tile.width * tile.height == pytest.approx(
            amounts[index] / total * width * height, rel=1e-6, abs=1e-9 * width * height
        )


@given(AMOUNTS, SIDES, SIDES, st.floats(0, 99))
def test_tiles_fill_the_whole_and_do_not_overlap(
    amounts: list[float], width: float, height: float, least: float
) -> None:
    tiles = treemap(amounts, width, height, least)
    area = width * height
    assert math.fsum(tile.width * tile.height for tile in tiles) == pytest.approx(area if tiles else 0)
    assert all(0 <= one.left <= one.right <= width and 0 <= one.top <= one.bottom <= height for one in tiles)
    assert all(_overlap(one, other) <= 1e-9 * area for one, other in combinations(tiles, 2))


@given(AMOUNTS, CELLS, CELLS, st.integers(1, 12), st.integers(1, 4))
def test_every_cell_belongs_to_one_tile(
    amounts: list[float], width: int, height: int, least_width: int, least_height: int
) -> None:
    tiles = cell_treemap(amounts, width, height, least_width, least_height)
    cells = [
        (column, row)
        for one in tiles
        for column in range(one.left, one.right)
        for row in range(one.top, one.bottom)
    ]
    assert len(cells) == len(set(cells)) == (width * height if tiles else 0)
    assert all(0 <= column < width and 0 <= row < height for column, row in cells)


@given(AMOUNTS, CELLS, CELLS, st.integers(1, 12), st.integers(1, 4))
def test_every_amount_is_in_one_tile_and_all_but_the_rest_can_be_seen(
    amounts: list[float], width: int, height: int, least_width: int, least_height: int
) -> None:
    tiles = cell_treemap(amounts, width, height, least_width, least_height)
    told = [index for one in tiles for index in one.members]
    assert sorted(told) == _drawable(amounts)
    assert all(one.width >= least_width and one.height >= least_height for one in tiles[:-1])
    assert all(len(one.members) == 1 for one in tiles[:-1])


@given(ORDINARY, st.integers(10, 200), st.integers(5, 60))
def test_cells_are_within_half_a_cell_of_what_is_true(amounts: list[float], width: int, height: int) -> None:
    cells = cell_treemap(amounts, width, height)
    merged = [math.fsum(amounts[index] for index in one.members) for one in cells]
    exact = treemap(merged, float(width), height * CELL_ASPECT)
    for tile in exact:
        cell = cells[tile.members[0]]
        assert abs(cell.left - tile.left) <= 0.5 + 1e-6
        assert abs(cell.right - tile.right) <= 0.5 + 1e-6
        assert abs(cell.top - tile.top / CELL_ASPECT) <= 0.5 + 1e-6
        assert abs(cell.bottom - tile.bottom / CELL_ASPECT) <= 0.5 + 1e-6


@given(AMOUNTS, st.floats(min_value=0, max_value=5000))
def test_what_is_smaller_than_the_least_is_the_rest(amounts: list[float], least: float) -> None:
    tiles = treemap(amounts, 100.0, 50.0, least)
    assert sorted(index for one in tiles for index in one.members) == _drawable(amounts)
    assert all(len(one.members) == 1 for one in tiles[:-1])
    assert all(one.width * one.height >= least * (1 - 1e-6) - 1e-9 for one in tiles[:-1])


def test_the_example_of_the_paper() -> None:
    """Areas 6, 6, 4, 3, 2, 2, 1 in 6 by 4: no rectangle longer than 25/9, the last of the paper's figure."""
    tiles = treemap([6, 6, 4, 3, 2, 2, 1], 6, 4)
    assert (tiles[0].width, tiles[0].height) == pytest.approx((3, 2))
    assert (tiles[1].width, tiles[1].height) == pytest.approx((3, 2))
    assert (tiles[2].width, tiles[2].height) == pytest.approx((12 / 7, 7 / 3))
    longest = max(max(one.width / one.height, one.height / one.width) for one in tiles)
    assert longest == pytest.approx(25 / 9)


def test_equals_keep_their_order_and_cells_look_square() -> None:
    tiles = cell_treemap([1.0, 1.0, 1.0, 1.0], 40, 20)
    assert [one.members for one in tiles] == [(0,), (1,), (2,), (3,)]
    assert {(one.width, one.height) for one in tiles} == {(20, 10)}


def test_only_what_is_small_is_in_the_rest() -> None:
    tiles = cell_treemap([50.0, 0.2, 30.0, 15.0, 0.1, 0.3], 60, 20, 6, 2)
    assert [one.members for one in tiles] == [(0,), (2,), (3,), (5, 1, 4)]


def test_those_beyond_the_most_are_in_the_rest() -> None:
    amounts = [5.0, 1.0, 4.0, 2.0, 3.0]
    wanted = [(0,), (2,), (4, 3, 1)]
    assert [one.members for one in treemap(amounts, 10, 10, most=2)] == wanted
    assert [one.members for one in cell_treemap(amounts, 40, 20, most=2)] == wanted


def test_nothing_to_draw_is_no_tile() -> None:
    assert treemap([0.0, -1.0, math.nan, math.inf], 10, 10) == []
    assert cell_treemap([], 10, 10) == [] == cell_treemap([1.0], 0, 10)
