"""What the recommender of the Vertical Pod Autoscaler would say, with its defaults.

Source: kubernetes/autoscaler, vertical-pod-autoscaler/pkg/recommender: logic/recommender.go,
logic/estimator.go, model/aggregations_config.go, model/aggregate_container_state.go. It is given five-minute
means, and counts one for the five samples of a minute that it would have; of memory it is given a peak a
day, as it keeps them. Amounts are cut to whole millicores and bytes after each step, as its integers are.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

from maestro_cli.cost.rightsizing.histogram import (
    Buckets,
    bucket_percentile,
    decayed_weights,
    exponential_buckets,
    weighted,
)
from maestro_cli.cost.rightsizing.model import MIB, Amount, Proposal, Size, Usage, Vector

if TYPE_CHECKING:
    from collections.abc import Callable

_HALF_LIFE_SECONDS = 86_400.0
_DAY_SECONDS = 86_400.0
_WINDOW_SECONDS = 8 * _DAY_SECONDS
_SAMPLES_A_DAY = 1440.0
_SAMPLES_A_MEAN = 5.0  # one a minute
_MARGIN = 0.15
_CPU_WEIGHT = 0.1
_EPSILON = 0.001 * _CPU_WEIGHT
_GROWTH = 1.05
_LEAST_MILLICORES = 25.0
_LEAST_BYTES = 250 * MIB
_BUMP = 1.2
_LEAST_BUMP = 100 * MIB
_LARGEST = 1e14  # what stands for infinite


@cache
def cpu_buckets() -> Buckets:
    return exponential_buckets(1000.0, 0.01, _GROWTH, _EPSILON)


@cache
def memory_buckets() -> Buckets:
    return exponential_buckets(1e12, 1e7, _GROWTH, _EPSILON)


def vpa_proposal(usage: Usage, now: Size, *, containers: int) -> Proposal:
    """Target and bounds of one container of a pod that has so many, which share the least amounts."""
    import numpy as np

    end = float(usage.cpu_times.max()) if len(usage.cpu_times) else 0.0
    recent = usage.cpu_times > end - _WINDOW_SECONDS
    cpu, times = usage.cpu[recent], usage.cpu_times[recent]
    days = confidence_days(times)
    peaks, at = _peaks(usage, now)
    return Proposal(
        _amount(cpu_buckets(), cpu, np.full(len(cpu), _CPU_WEIGHT), times, days,
                lambda cores: cores * 1000, _LEAST_MILLICORES / containers, 1000.0),
        _amount(memory_buckets(), peaks, np.ones(len(peaks)), at, days,
                lambda size: size, _LEAST_BYTES / containers, 1.0),
    )  # fmt: skip


def confidence_days(cpu_times: Vector) -> float:
    """How many days of a sample a minute there are, or from the first to the last, if that is less."""
    if not len(cpu_times):
        return 0.0
    span = float(cpu_times.max() - cpu_times.min()) / _DAY_SECONDS
    return min(span, len(cpu_times) * _SAMPLES_A_MEAN / _SAMPLES_A_DAY)


def _peaks(usage: Usage, now: Size) -> tuple[Vector, Vector]:
    """A peak a day and pod; a kill for memory is one of what would have been needed."""
    import numpy as np

    peaks, at = usage.peaks, usage.peak_times
    if usage.killed is not None:
        had = max(usage.peak or 0.0, now.memory_request or 0.0)
        peaks = np.append(peaks, max(had + _LEAST_BUMP, had * _BUMP))
        at = np.append(at, usage.killed.at)
    if len(at):
        recent = at > at.max() - _WINDOW_SECONDS
        peaks, at = peaks[recent], at[recent]
    return peaks, at


def _amount(
    buckets: Buckets,
    values: Vector,
    weights: Vector,
    times: Vector,
    days: float,
    in_units: Callable[[float], float],
    least: float,
    units: float,
) -> Amount:
    if not len(values):
        return Amount(None, why="no samples")
    held = weighted(buckets, values, decayed_weights(weights, times, _HALF_LIFE_SECONDS))

    def with_margin(share: float) -> float:
        base = _whole(in_units(bucket_percentile(buckets, held, share)))
        return base + _whole(base * _MARGIN)

    floor = _whole(least)
    low = _whole(with_margin(0.5) * _factor(0.001, days, -2.0))
    high = _whole(with_margin(0.95) * _factor(1.0, days, 1.0))
    return Amount(
        request=max(with_margin(0.9), floor) / units,
        lowest=max(low, floor) / units,
        highest=max(high, floor) / units,
    )


def _factor(multiplier: float, days: float, exponent: float) -> float:
    """(1 + multiplier / days) ^ exponent: bounds are wide while there is little history."""
    if days <= 0:
        return math.inf if exponent > 0 else 0.0
    return float((1 + multiplier / days) ** exponent)


def _whole(amount: float) -> float:
    return float(math.floor(min(amount, _LARGEST)))
