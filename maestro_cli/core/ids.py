"""Names for things maestro makes: sortable by time, short enough to type."""

from __future__ import annotations

import secrets
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32, lower case


def _base32(value: int, width: int) -> str:
    digits = []
    for _ in range(width):
        value, rest = divmod(value, 32)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))


def new_id(prefix: str, now: datetime) -> str:
    """`inc-01k9x3e7qhm4tz`: prefix, milliseconds since 1970 (9 digits base 32), 25 random bits."""
    return f"{prefix}-{_base32(int(now.timestamp() * 1000), 9)}{_base32(secrets.randbits(25), 5)}"
