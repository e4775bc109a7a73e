"""Sums of minutes are exact, whole numbers or not."""

from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.slo.measuring.adding import add_up, add_up_each

_COUNTS = st.integers(-(2**40), 2**40).map(float)
_NUMBERS = st.one_of(_COUNTS, st.floats(-1e18, 1e18), st.just(2.0**53), st.just(1.0))


@given(st.lists(_NUMBERS, max_size=40))
def test_a_sum_is_as_exact_as_it_can_be(values: list[float]) -> None:
    assert add_up(array("d", values)) == math.fsum(values)


@given(st.lists(st.tuples(_NUMBERS, st.booleans()), max_size=40))
def test_what_is_not_kept_is_not_in_the_sum(pairs: list[tuple[float, bool]]) -> None:
    kept = bytes(is_kept for _, is_kept in pairs)
    assert add_up([value for value, _ in pairs], kept) == math.fsum(value for value, is_in in pairs if is_in)


@given(st.lists(_NUMBERS, max_size=40), st.lists(st.tuples(st.integers(0, 45), st.integers(0, 45))))
def test_the_sum_of_each_stretch_is_that_of_its_minutes(
    values: list[float], stretches: list[tuple[int, int]]
) -> None:
    inside = [(min(first, len(values)), min(end, len(values))) for first, end in stretches if first <= end]
    assert add_up_each(array("d", values), inside) == [math.fsum(values[first:end]) for first, end in inside]


def test_whole_numbers_that_no_float_can_add_are_added_exactly() -> None:
    assert add_up([2.0**53, 1.0, -(2.0**53)]) == 1.0


def test_what_is_no_number_stays_none() -> None:
    assert math.isnan(add_up([1.0, math.nan]))
    with pytest.raises((OverflowError, ValueError)):
        add_up([math.inf, -math.inf])
