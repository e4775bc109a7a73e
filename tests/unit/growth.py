"""Whether work grows with its input or with its square, on a machine that others use too.

Invariant: no wall time is compared with a constant; processor time of n is compared with that of 4 n.
"""

from __future__ import annotations

import time
from collections.abc import Callable

FACTOR = 4
_GENEROUS = 2.5  # 4 n may take 10 times what n takes; quadratic work takes 16 times
_ROUNDS = 3


def grows_linearly(work: Callable[[int], object], size: int) -> bool:
    """Whether the least processor time of `work(4 * size)` stays within 10 times that of `work(size)`."""
    small, large = (_least(lambda n=n: work(n)) for n in (size, FACTOR * size))  # type: ignore[misc]
    return large <= FACTOR * _GENEROUS * small


def _least(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(_ROUNDS):
        started = time.thread_time()
        work()
        taken.append(time.thread_time() - started)
    return min(taken)
