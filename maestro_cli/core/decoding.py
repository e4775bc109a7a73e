"""What msgspec is told to make of plain data.

Invariant: what it has to know of a type is gathered by one thread, before any converts to it. msgspec (0.22)
gathers it when a type is first used and lets other threads see it half gathered, which ends the process
with a segmentation fault; `tests/architecture/test_decoding.py` holds every caller to `ready`.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
_lock = threading.Lock()
_known: dict[Any, Any] = {}


def ready(kind: T) -> T:
    """The type, of which everything is known now, and of all that it holds.

    Of equal ones it is the first: of a generic msgspec keeps what it knows on that very alias.
    """
    if kind not in _known:
        with _lock:
            if kind not in _known:
                msgspec.msgpack.Decoder(kind)
                _known[kind] = kind
    held: T = _known[kind]
    return held
