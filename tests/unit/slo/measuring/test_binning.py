"""Many samples at once give what the samples give one by one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

import pytest

from maestro_cli.slo.measuring.pieces import doubles
from tests.unit.slo.measuring.told import T0, piece, series

MINUTES = 60
SEED = 7


@pytest.mark.parametrize("step", [1, 7, 15, 30, 59.5, 60, 90, 300])
@pytest.mark.parametrize("phase", [0.0, 0.123, 29.9])
@pytest.mark.parametrize("late", [0.0, 0.002, 0.4])
def test_an_increment_is_in_the_minute_of_the_later_sample(step: float, phase: float, late: float) -> None:
    chance = random.Random(SEED)
    found = [
        series(list(_samples(chance, step, phase, late)), code=code, instance=instance)
        for instance in "ab"
        for code in ("200", "500")
    ]
    by_hand = {"total": [0.0] * MINUTES, "bad": [0.0] * MINUTES}
    for one in found:
        for (_, low), (at, high) in pairwise(zip(one.times, one.values, strict=True)):
            minute = int(at - T0) // 60
            by_hand["total"][minute] += high - low
            by_hand["bad"][minute] += (high - low) * (one.labels["code"] == "500")
    made = piece(found, MINUTES)
    assert list(doubles(made.total)) == by_hand["total"]
    assert list(doubles(made.counted)) == by_hand["bad"]
    assert not any(part.carried or part.resets for part in made.series)


def test_the_times_of_one_series_say_nothing_of_another_with_others() -> None:
    """What is worked out of times is remembered: by all of them, not by how many or by their ends."""
    even = series([(0, 0), (60, 1), (120, 2), (180, 3), (240, 4)])
    uneven = series([(0, 0), (60, 1), (90, 2), (180, 3), (240, 4)], instance="b")
    assert list(doubles(piece([even], 5).total)) == [0, 1, 1, 1, 1]
    assert list(doubles(piece([uneven], 5).total)) == [0, 2, 0, 1, 1]


@pytest.mark.parametrize("nothing", [float("nan"), float("inf"), -1.0])
def test_what_no_counter_has_is_no_sample(nothing: float) -> None:
    told = piece([series([(0, 1), (30, nothing), (60, 5)])], 2)
    assert list(doubles(told.total)) == [0, 4]
    assert told.series[0].resets == []


def _samples(chance: random.Random, step: float, phase: float, late: float) -> Iterator[tuple[float, float]]:
    value, many = float(chance.randrange(1000)), int((MINUTES * 60 - phase - 1) // step)
    for index in range(many):
        value += chance.choice((0, 1, chance.randrange(500)))
        yield round(phase + index * step + chance.uniform(0, late), 3), value
