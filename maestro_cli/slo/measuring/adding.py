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


def numbers(values: Sequence[float]) -> NDArray[np.float64]:
    """The same as numpy has them; of an array of doubles nothing is copied."""
    import numpy as np  # here, since who looks at no minutes does not wait for it

    return np.asarray(values, np.float64)


def add_up(values: Sequence[float], kept: bytes | bytearray | None = None) -> float:
    """The sum of those for which `kept`, a byte each, is not 0; of all without it."""
    import numpy as np

    found = numbers(values)
    if kept is not None:
        found = found[np.frombuffer(kept, np.bool_)]
    if not len(found):
        return 0.0
    if np.logical_and.reduce(np.rint(found) == found) and np.add.reduce(np.abs(found)) < _EXACT / 2:
        return float(np.add.reduce(found))  # the half, since what is compared may have been rounded
    return math.fsum(np.ascontiguousarray(found).data)  # one number at a time
