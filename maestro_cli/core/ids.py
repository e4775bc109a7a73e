"""Names for things maestro makes: sortable by time, short enough to type."""

from __future__ import annotations

import secrets
import threading
from datetime import datetime

_TAIL_BITS = 25
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32, lower case


def _base32(value: int, width: int) -> str:
    digits = []
    for _ in range(width):
        value, rest = divmod(value, 32)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))


class _Tails:
    """The last five digits: random in a new millisecond, counted on within one, so that the ids that one
    process makes at one instant are all different and in order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._millisecond = -1
        self._tail = 0

    def next(self, millisecond: int) -> int:
        with self._lock:
            if millisecond == self._millisecond:
                self._tail = (self._tail + 1) % (1 << _TAIL_BITS)
            else:
                self._millisecond = millisecond
                self._tail = secrets.randbits(_TAIL_BITS - 1)  # half the room is left to count on
            return self._tail


_tails = _Tails()


def new_id(prefix: str, now: datetime) -> str:
    """`inc-01k9x3e7qhm4tz`: prefix, milliseconds since 1970 (9 digits base 32), 25 bits to tell apart."""
    millisecond = int(now.timestamp() * 1000)
    return f"{prefix}-{_base32(millisecond, 9)}{_base32(_tails.next(millisecond), 5)}"
