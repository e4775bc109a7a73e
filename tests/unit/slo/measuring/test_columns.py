"""Columns of a bundle are unpacked to the byte, take little room, and no more than a piece has minutes."""

from __future__ import annotations

import math
import random
from array import array

import msgspec
import pytest

from maestro_cli.slo.measuring.columns import MOST_MINUTES, packed, unpacked
from maestro_cli.slo.measuring.pieces import Piece

DAY = 1440
CHANCE = random.Random(7)
COLUMNS: dict[str, tuple[list[float], int]] = {
    "nothing": ([0.0] * DAY, 2),
    "few": ([float(CHANCE.randrange(256)) for _ in range(DAY)], DAY + 2),
    "many": ([float(CHANCE.randrange(60_000)) for _ in range(DAY)], 2 * DAY + 2),
    "a storm": ([float(CHANCE.randrange(1 << 32)) for _ in range(DAY)], 4 * DAY + 2),
    "more than any storm": ([2.0**40] * 7, 8 * 7 + 2),
    "of queries": ([value / 3 for value in range(DAY // 5) for _ in range(5)], 8 * DAY // 5 + 2),
    "of queries, whole": ([float(value % 9) for value in range(DAY // 5) for _ in range(5)], DAY // 5 + 2),
    "shares": ([CHANCE.random() for _ in range(DAY)], 8 * DAY + 2),
    "less than nothing": ([-1.0, 2.0], 18),
    "a zero with a sign": ([-0.0, 2.0], 18),
    "no number": ([math.nan, 2.0], 18),
    "no number after one": ([1.0, math.nan], 18),
    "no end": ([math.inf, 2.0], 18),
    "no minute": ([], 0),
}


def piece(values: list[float]) -> Piece:
    column = array("d", values).tobytes()
    return Piece(0, len(values), column, column, [], {})


@pytest.mark.parametrize(("values", "size"), COLUMNS.values(), ids=COLUMNS)
def test_a_column_is_what_it_was_and_takes_no_more_than_it_has_to(values: list[float], size: int) -> None:
    one = piece(values)
    small = packed(one)
    assert unpacked(small) == one
    assert (len(small.counted), len(small.total)) == (size, size)


@pytest.mark.parametrize(
    "column",
    [b"x\x01", b"B\x00\x01", b"B\x07\x01", b"0\x01\x00", b"B\x01", b"B\x01\x01\x02\x03", b"H\x01\x01", 
     b"d\x01abc", b"B\x05\x01"],
)  # fmt: skip
def test_what_is_no_column_of_the_piece_is_refused(column: bytes) -> None:
    good = packed(piece([1.0, 2.0]))
    with pytest.raises(ValueError, match=r"column|item|bytes|buffer"):
        unpacked(msgspec.structs.replace(good, counted=column))


@pytest.mark.parametrize("minutes", [MOST_MINUTES + 1, 1 << 60, -1])
def test_a_piece_of_no_day_takes_no_memory(minutes: int) -> None:
    with pytest.raises(ValueError, match="minutes"):
        unpacked(msgspec.structs.replace(packed(piece([0.0])), minutes=minutes))
