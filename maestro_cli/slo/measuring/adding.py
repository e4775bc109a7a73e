"""Adding up minutes, exactly: the sum is what `math.fsum` gives, whatever the order.

Whole numbers below 2^53 are added by numpy without a loss, as long as all of them together are below it; of
others, which are what was spread over a gap or evaluated by PromQL, the order would show.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_EXACT = 2.0**53


def numbers(values: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """The same as numpy has them; of an array of doubles nothing is copied."""
    import numpy as np  # here, since who looks at no minutes does not wait for it

    return np.asarray(values, np.float64)


def add_up(values: Sequence[float] | NDArray[np.float64], kept: bytes | bytearray | None = None) -> float:
    """The sum of those for which `kept`, a byte each, is not 0; of all without it."""
    import numpy as np

    found = numbers(values)
    if kept is not None:
        found = found[np.frombuffer(kept, np.bool_)]
    if not len(found):
        return 0.0
    if _is_exact(found):
        return float(np.add.reduce(found))
    return math.fsum(np.ascontiguousarray(found).data)  # one number at a time


def add_up_each(values: Sequence[float], stretches: Sequence[tuple[int, int]]) -> list[float]:
    """The sum of each stretch, from its first to before its end."""
    import numpy as np

    found = numbers(values)
    if not _is_exact(found):
        return [add_up(found[first:end]) for first, end in stretches]
    until = np.concatenate(([0.0], np.cumsum(found)))
    return [float(until[end] - until[first]) for first, end in stretches]


def _is_exact(found: NDArray[np.float64]) -> bool:
    """Whether any of them can be added in any order without a loss."""
    import numpy as np

    # the half, since what is compared may have been rounded
    is_whole = np.logical_and.reduce(np.rint(found) == found)
    return bool(is_whole and np.add.reduce(np.abs(found)) < _EXACT / 2)
