"""What a run costs is learnt from the last fifty, exactly as least squares over them would say."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.serving.execution.cost import CostModel

RUNS = st.lists(st.tuples(st.integers(1, 4096), st.integers(1, 10_000_000)), min_size=1, max_size=120)


def fitted(runs: list[tuple[int, int]], rows: int) -> float:
    """Seconds for so many rows by the textbook's formula; runs are rows and nanoseconds."""
    sizes, took = [float(n) for n, _ in runs], [t / 1e9 for _, t in runs]
    if len(set(sizes)) > 1:
        slope = max(0.0, statistics.linear_regression(sizes, took).slope)
    else:
        slope = statistics.fmean(took) / sizes[0]
    return max(0.0, statistics.fmean(took) - slope * statistics.fmean(sizes)) + slope * rows


@given(RUNS, st.integers(1, 4096))
def test_only_the_last_fifty_runs_count(runs: list[tuple[int, int]], rows: int) -> None:
    model = CostModel(0.0)
    for size, nanoseconds in runs:
        model.note(size, nanoseconds / 1e9)
    assert model.seconds(rows) == pytest.approx(fitted(runs[-50:], rows), rel=1e-6, abs=1e-9)
