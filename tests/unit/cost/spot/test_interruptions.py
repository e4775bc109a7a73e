"""An hour of work on spot machines takes what the formula says, and what machines that are taken away say."""

from __future__ import annotations

import math
import random

import pytest

from maestro_cli.cost.spot.interruptions import best_interval_hours, machine_hours


def _simulated(seed: int, rate: float, work: float, checkpoint: float, restart: float) -> float:
    """Hours of machine an hour of work, of a machine that is taken away at random instants."""
    chance, segments, hours = random.Random(seed), 20_000, 0.0
    for _ in range(segments):
        while (until := chance.expovariate(rate)) < work + checkpoint:
            hours += until + restart
        hours += work + checkpoint
    return hours / (segments * work)


def test_checkpoints_every_69_minutes_cost_six_percent_where_a_machine_lasts_twenty_hours() -> None:
    rate, checkpoint = 1 / 20, 2 / 60
    work = best_interval_hours(rate, checkpoint)
    hours = machine_hours(rate, work_hours=work, checkpoint_hours=checkpoint, restart_hours=5 / 60)
    assert work == pytest.approx(1.15, abs=0.01)
    assert hours == pytest.approx(1.064, abs=0.001)


@pytest.mark.parametrize(
    ("rate", "work", "checkpoint", "restart"),
    [(1 / 20, 1.15, 2 / 60, 5 / 60), (0.5, 1.0, 0.05, 0.2), (1.0, 2.0, 0.0, 0.1), (0.02, 10.0, 0.0, 0.0)],
)
def test_a_machine_that_is_taken_away_takes_what_the_formula_says(
    rate: float, work: float, checkpoint: float, restart: float
) -> None:
    told = machine_hours(rate, work_hours=work, checkpoint_hours=checkpoint, restart_hours=restart)
    assert _simulated(7, rate, work, checkpoint, restart) == pytest.approx(told, rel=0.05)


def test_no_interval_wastes_much_less_than_the_best_one() -> None:
    for rate in (0.01, 0.05, 0.2):
        best = best_interval_hours(rate, 1 / 60)
        told = machine_hours(rate, work_hours=best, checkpoint_hours=1 / 60, restart_hours=0.1)
        others = [
            machine_hours(rate, work_hours=best * factor, checkpoint_hours=1 / 60, restart_hours=0.1)
            for factor in (0.25, 0.5, 0.8, 1.25, 2, 4)
        ]
        assert told <= min(others) * 1.002


def test_long_runs_without_checkpoints_never_end() -> None:
    assert machine_hours(1.0, work_hours=1e6) == math.inf
    assert machine_hours(0.0, work_hours=2.0) == 1.0
    assert best_interval_hours(0.0, 0.1) == math.inf


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
def test_what_is_no_rate_or_time_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="not negative"):
        machine_hours(bad, work_hours=1.0)
    with pytest.raises(ValueError, match="not negative"):
        machine_hours(0.1, work_hours=bad)


def test_no_work_is_refused() -> None:
    with pytest.raises(ValueError, match="some work"):
        machine_hours(0.1, work_hours=0.0)
