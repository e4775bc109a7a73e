"""PromQL over samples is what each version makes of it; a real one is compared in tests/contract/cost."""

from __future__ import annotations

import numpy as np
import pytest

from maestro_cli.cost.rightsizing.grid import Engine, Grid, engine_of, latest_on, placed_on, rates_on

MINUTE_MS = 60_000


@pytest.mark.parametrize(
    ("version", "engine"),
    [
        ("2.42.0+ds", Engine(is_closed=True, is_zero_first=True)),
        ("2.50.1", Engine(is_closed=True, is_zero_first=True)),
        ("2.51.0", Engine(is_closed=True)),
        ("v2.55.1", Engine(is_closed=True)),
        ("3.0.0", Engine()),
        ("3.16.0", Engine()),
        ("0.36.1", Engine()),  # Thanos, which has an engine of the time
        ("", Engine()),
    ],
)
def test_a_version_is_told_by_both_its_numbers(version: str, engine: Engine) -> None:
    assert engine_of(version) == engine


def _rate(version: str, seconds: list[int], values: list[float]) -> float:
    grid = Grid(MINUTE_MS, MINUTE_MS, MINUTE_MS, engine_of(version))
    placed = placed_on(grid, np.array(seconds, np.int64) * 1000, np.array(values))
    return float(rates_on(placed)[-1])


@pytest.mark.parametrize(
    ("version", "rate"), [("2.50.1", 27 / 60), ("2.51.0", 25 / 60), ("2.55.1", 25 / 60), ("3.16.0", 25 / 60)]
)
def test_a_series_that_began_in_the_step_goes_back_as_far_as_its_version_takes_it(
    version: str, rate: float
) -> None:
    """Seven seconds before its first sample it was zero; half the time between two samples is five."""
    assert _rate(version, [40, 50, 60], [7, 17, 27]) == pytest.approx(rate)


@pytest.mark.parametrize(("version", "rate"), [("2.42.0", 1), ("2.55.1", 1), ("3.16.0", 37.5 / 60)])
def test_a_sample_at_the_beginning_of_the_step_is_in_it_before_version_3(version: str, rate: float) -> None:
    """Without it 7.5 s are put before the first of three samples that are 15 s apart."""
    assert _rate(version, [0, 30, 45, 60], [100, 130, 145, 160]) == pytest.approx(rate)


@pytest.mark.parametrize(("version", "is_there"), [("2.55.1", True), ("3.16.0", False)])
def test_the_look_back_ends_five_minutes_ago(version: str, is_there: bool) -> None:
    grid = Grid(5 * MINUTE_MS, MINUTE_MS, MINUTE_MS, engine_of(version))
    placed = placed_on(grid, np.array([0], np.int64), np.array([4.0]))
    assert (not np.isnan(latest_on(placed)[-1])) is is_there
