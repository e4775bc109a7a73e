"""The judge of growth can say no."""

from __future__ import annotations

from tests.unit.growth import grows_linearly


def test_linear_work_passes_and_quadratic_work_does_not() -> None:
    assert grows_linearly(lambda size: sum(range(size * 100)), 2000)
    assert not grows_linearly(lambda size: sum(1 for a in range(size) for b in range(size)), 300)
