"""The decaying histogram answers what the recommender's own tests expect of its (util/*_test.go)."""

from __future__ import annotations

import numpy as np
import pytest

from maestro_cli.cost.rightsizing.histogram import (
    Buckets,
    bucket_percentile,
    decayed_weights,
    exponential_buckets,
    linear_buckets,
    weighted,
)
from maestro_cli.cost.rightsizing.vpa_rule import cpu_buckets, memory_buckets

HOUR = 3600.0
START = 1_234_567_890.0
TEN = linear_buckets(10.0, 1.0, 1e-15)


def percentile(samples: list[tuple[float, float, float]], share: float, buckets: Buckets = TEN) -> float:
    """Of samples (value, weight, time) with a half-life of an hour."""
    values, weights, times = (np.array(column, dtype=np.float64) for column in zip(*samples, strict=True))
    return bucket_percentile(buckets, weighted(buckets, values, decayed_weights(weights, times, HOUR)), share)


def test_buckets_start_where_the_recommenders_do() -> None:
    found = exponential_buckets(500.0, 40.0, 1.5, 0.001)
    assert found.starts.tolist() == [0.0, 40.0, 100.0, 190.0, 325.0, 527.5]
    assert len(cpu_buckets().starts) == 176
    assert len(memory_buckets().starts) == 176


@pytest.mark.parametrize(("value", "bucket"), [(-1.0, 0), (39.99, 0), (40.0, 1), (100.0, 2), (900.0, 5)])
def test_a_value_falls_into_its_bucket(value: float, bucket: int) -> None:
    found = weighted(exponential_buckets(500.0, 40.0, 1.5, 0.001), np.array([value]), np.ones(1))
    assert np.flatnonzero(found).tolist() == [bucket]


def test_nothing_has_no_percentile() -> None:
    assert bucket_percentile(TEN, np.zeros(len(TEN.starts)), 0.9) == 0.0


def test_an_old_sample_is_almost_forgotten() -> None:
    samples = [(2.0, 1000.0, START), (1.0, 1.0, START + 20 * HOUR)]
    assert percentile(samples, 0.999) == 2
    assert percentile(samples, 1.0) == 3


def test_a_sample_of_a_hundred_half_lives_ago_is_forgotten() -> None:
    assert percentile([(2.0, 1.0, START), (1.0, 1.0, START + 101 * HOUR)], 1.0) == 2


@pytest.mark.parametrize(
    ("share", "end"),
    [(0.0, 2), (0.02, 2), (0.03, 3), (0.10, 3), (0.11, 4), (0.34, 4), (0.35, 5), (1.0, 5)],
)
def test_later_samples_weigh_twice_as_much_each_half_life(share: float, end: float) -> None:
    samples = [(float(i), float(i), START + (i - 1) * HOUR) for i in range(1, 5)]
    assert percentile(samples, share) == end


@pytest.mark.parametrize(
    ("share", "end"), [(0.0, 2), (0.1, 2), (0.2, 3), (0.3, 3), (0.4, 4), (0.6, 4), (0.7, 5), (1.0, 5)]
)
def test_samples_of_one_time_weigh_what_they_were_given(share: float, end: float) -> None:
    assert percentile([(float(i), float(i), START) for i in range(1, 5)], share) == end


def test_the_last_bucket_has_no_end() -> None:
    tenths = linear_buckets(1.0, 0.1, 1e-15)
    samples = [(0.0, 0.1, START), (0.1, 0.1, START), (0.2, 0.1, START), (1.0, 0.2, START)]
    assert percentile(samples, 1.1, tenths) == pytest.approx(1.0)
    assert percentile(samples, -0.1, tenths) == pytest.approx(0.1)
