"""A step begins where the last one ended, and a total is their sum."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.cost.pictures.waterfall import Step, waterfall

AMOUNTS = st.lists(st.tuples(st.floats(-1e6, 1e6), st.booleans()))


@given(AMOUNTS)
def test_steps_join_and_totals_are_sums(given_steps: list[tuple[float, bool]]) -> None:
    steps = [Step(str(index), amount, total) for index, (amount, total) in enumerate(given_steps)]
    placed = list(waterfall(steps))
    assert [one.name for one in placed] == [one.name for one in steps]
    level = 0.0
    for index, (step, one) in enumerate(zip(steps, placed, strict=True)):
        assert one.start == (0.0 if step.is_total else level)
        level = one.end
        so_far = math.fsum(before.amount for before in steps[: index + 1] if not before.is_total)
        assert one.end == pytest.approx(so_far, abs=1e-6)
