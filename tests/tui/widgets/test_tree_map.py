"""The picture of amounts: boxes that share their edges, whose text stays within them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.tui.text import cells, plain_text
from maestro_cli.tui.widgets.tree_map import Area, map_lines, tiles_of


def drawn(amounts: list[float], width: int, height: int, chosen: str = "", name: str = "n") -> list[str]:
    areas = [Area(f"{at}", f"{name}{at}", amount, ("USD 1", "2%")) for at, amount in enumerate(amounts)]
    return [
        plain_text(line) for line in map_lines(areas, tiles_of(areas, width, height), width, height, chosen)
    ]


def test_boxes_share_their_edges_and_the_chosen_one_has_a_sign() -> None:
    assert drawn([3.0, 1.0], 33, 4, "1") == [
        "┌───────────────────────┬───────┐",
        "│ n0                    │▸n1    │",
        "│ USD 1                 │ USD 1 │",
        "└───────────────────────┴───────┘",
    ]


def test_what_has_no_room_is_counted() -> None:
    assert drawn([100.0, 60.0, *[1.0] * 12], 50, 10)[-1].endswith("─ 12 smaller ─┘")
    (line,) = [one for one in drawn([30.0, 20.0, *[1.0] * 30], 80, 12) if "30 smaller" in one]
    assert line.startswith("│")


def test_what_is_too_narrow_for_a_name_has_its_sign_and_no_piece_of_a_word() -> None:
    lines = drawn([146.0, 50.0, 3.4], 200, 12, "2", name="namespace")
    assert "▸" in lines[1]
    assert "…" not in "".join(lines)


@given(
    st.lists(st.floats(0.0, 1e9), max_size=40),
    st.integers(10, 90),
    st.integers(3, 30),
    st.sampled_from(["n", "쿠버네티스", "\x1b[31m\u202e"]),
)
def test_every_line_is_as_wide_as_the_picture(
    amounts: list[float], width: int, height: int, name: str
) -> None:
    lines = drawn(amounts, width, height, "0", name)
    assert len(lines) == height
    assert {cells(line) for line in lines} == {width}


@pytest.mark.parametrize("amounts", [[], [0.0, -3.0], [float("nan")]])
def test_nothing_has_no_box(amounts: list[float]) -> None:
    assert "".join(drawn(amounts, 20, 3)).strip() == ""
