"""Identifiers that no two requests share. They are no secrets: who needs one asks the system for it.

Invariant: two processes never begin alike. A request takes several; from here they cost it no system calls.
"""

from __future__ import annotations

import os
import random

_CHANCE = random.Random(os.urandom(32))


def random_hex(count: int) -> str:
    """So many random bytes as lower-case hex digits."""
    return _CHANCE.randbytes(count).hex()
