"""Percentiles, and what the differences between two halves of many pairs say.

Invariant: an effect is judged against pairs of the same thing, measured in the same way (A/A): what those
differ by is noise, and nothing smaller is called an effect.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

RESAMPLES = 4000
SHARE = 0.95
NOISE_SHARE = 0.99


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed; ValueError on none."""
    if not values:
        raise ValueError("nothing has no percentiles")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


@dataclass(frozen=True, slots=True)
class Effect:
    """What the second half of the pairs has more than the first: the median, and its interval."""

    median: float
    low: float
    high: float
    pairs: int

    @property
    def reach(self) -> float:
        """How far from nothing the interval goes, either way."""
        return max(abs(self.low), abs(self.high))


def effect(differences: Sequence[float], seed: int = 1, share: float = SHARE) -> Effect:
    """The median of paired differences with its bootstrap interval; raises ValueError on fewer than two."""
    if len(differences) < 2:
        raise ValueError("an interval needs at least two pairs")
    chance = random.Random(seed)
    medians = sorted(
        statistics.median(chance.choices(differences, k=len(differences))) for _ in range(RESAMPLES)
    )
    beyond = (1 - share) / 2
    return Effect(
        statistics.median(differences),
        percentile(medians, beyond),
        percentile(medians, 1 - beyond),
        len(differences),
    )


def noise(same: Sequence[float], seed: int = 1) -> float:
    """What the median of so many pairs of the same thing may differ by: the reach of its 99 % interval."""
    return effect(same, seed, NOISE_SHARE).reach


def is_within_noise(one: Effect, noise_reach: float) -> bool:
    """An effect is seen when its median is larger than noise; less time is no cost."""
    return one.median <= noise_reach
