"""Questions that are kept after their request is over: for previews, and for shadows.

Invariant: what is kept is at most as large as its limit, and keeps nothing else in memory: no body that an
array is a view of, no batch that it is a row of, no connection.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np

from maestro_cli.serving.protocol.tensors import Array
from maestro_cli.serving.routing.sticky import Keys
from maestro_cli.serving.routing.tree import Answer, Question


def keep(question: Question, keys: Keys, most_bytes: int) -> Question | None:
    """The question as it can be kept, or None when it is larger than that."""
    size = keys.size
    if size is None:
        return None
    for name in question.wanted:
        size += sys.getsizeof(name)
    tensors = keep_arrays(question.tensors, most_bytes - size)
    if tensors is None:
        return None
    return Question(tensors, question.datatypes, question.wanted, keys, question.loose)


def keep_arrays(arrays: Mapping[str, Array], most_bytes: int) -> Answer | None:
    """Arrays by name as they can be kept, or None when they are larger than that."""
    size = 0
    for name, array in arrays.items():
        size += array.nbytes + len(name)
        if array.dtype.kind == "O" and size <= most_bytes:
            size += sum(map(sys.getsizeof, array.flat))
    if size > most_bytes:
        return None
    return {name: _alone(array) for name, array in arrays.items()}


def _alone(array: Array) -> Array:
    """The array, copied when it is a part of something that may be larger."""
    base = array.base
    if base is None:
        return array
    is_all_of_it = isinstance(base, np.ndarray) and base.base is None and base.nbytes == array.nbytes
    return array if is_all_of_it else array.copy()
