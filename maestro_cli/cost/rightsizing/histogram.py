"""A histogram in which a sample loses half of its weight in each half-life.

Source: kubernetes/autoscaler, vertical-pod-autoscaler/pkg/recommender/util: histogram.go,
decaying_histogram.go, histogram_options.go. Samples are added all at once instead of one by one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from maestro_cli.cost.rightsizing.model import Vector

_MOST_HALF_LIVES = 100  # beyond them the reference moves on, so that weights stay finite


@dataclass(frozen=True, slots=True)
class Buckets:
    """Where each bucket starts; the last has no end. `epsilon` is the least weight that counts."""

    starts: Vector
    epsilon: float


def exponential_buckets(largest: float, first: float, ratio: float, epsilon: float) -> Buckets:
    """Bucket n starts at first · (ratio^n − 1) / (ratio − 1); the last at `largest` or later."""
    import numpy as np

    count = math.ceil(math.log(largest * (ratio - 1) / first + 1) / math.log(ratio)) + 1
    return Buckets(first * (np.power(ratio, np.arange(count, dtype=np.float64)) - 1) / (ratio - 1), epsilon)


def linear_buckets(largest: float, size: float, epsilon: float) -> Buckets:
    """Bucket n starts at n · size."""
    import numpy as np

    return Buckets(np.arange(math.ceil(largest / size) + 1, dtype=np.float64) * size, epsilon)


def decayed_weights(weights: Vector, times: Vector, half_life_seconds: float) -> Vector:
    """What they weigh beside each other: doubled for each half-life that a sample is later."""
    import numpy as np

    if not len(times):
        return weights
    reference = _whole(float(times.min()), half_life_seconds)
    if times.max() > reference + _MOST_HALF_LIVES * half_life_seconds:
        reference = _whole(float(times.max()), half_life_seconds)
    found: Vector = weights * np.exp2((times - reference) / half_life_seconds)
    return found


def weighted(buckets: Buckets, values: Vector, weights: Vector) -> Vector:
    """The weight in each bucket."""
    import numpy as np

    last = len(buckets.starts) - 1
    at = np.clip(np.searchsorted(buckets.starts, values, side="right") - 1, 0, last)
    return np.bincount(at, weights=weights, minlength=last + 1).astype(np.float64, copy=False)


def bucket_percentile(buckets: Buckets, weights: Vector, share: float) -> float:
    """The end of the bucket in which so large a share of the weight ends; 0 when nothing has weight."""
    import numpy as np

    counting = np.flatnonzero(weights >= buckets.epsilon)
    if not len(counting):
        return 0.0
    low, high = int(counting[0]), int(counting[-1])
    reached = np.cumsum(weights[low:high]) >= share * float(weights.sum())
    bucket = low + int(np.argmax(reached)) if reached.any() else high
    return float(buckets.starts[min(bucket + 1, len(buckets.starts) - 1)])


def _whole(seconds: float, half_life_seconds: float) -> float:
    return math.floor(seconds / half_life_seconds + 0.5) * half_life_seconds
