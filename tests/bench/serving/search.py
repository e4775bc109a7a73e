"""The highest rate that a server holds.

Invariant: a rate that is returned was held, and one at most `resolution` above it was not.
"""

from __future__ import annotations

import math
from collections.abc import Callable


def highest(holds: Callable[[float], bool], guess: float, resolution: float = 1.02) -> float:
    """Bisect, in ratios, around a first guess; 0 when not even a hundredth of the guess is held.

    First a rate that is held and one that is not are looked for, each step 1.3 apart.
    """
    held, missed = 0.0, math.inf
    rate = guess
    while not held or math.isinf(missed):
        if holds(rate):
            held, rate = rate, rate * 1.3
        else:
            missed, rate = rate, rate / 1.3
        if rate < guess / 100:
            return 0.0
    while missed / held > resolution:
        middle = math.sqrt(held * missed)
        if holds(middle):
            held = middle
        else:
            missed = middle
    return held
