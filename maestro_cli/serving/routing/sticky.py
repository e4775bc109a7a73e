"""Which arm of a split a key belongs to.

Invariant: the same salt and key give the same arm for as long as the weights stay; when a weight grows, keys
only move into its arm. Weighted rendezvous hashing (Schindelhauer and Schomaker 2005): the arm with the
highest -weight / ln(u) wins, u a uniform number made of salt, key and the arm's name.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from maestro_cli.serving.routing.document import Arm

_SCALE = 2.0**64


def arm_of(arms: Sequence[Arm], salt: str, key: str) -> Arm:
    """The arm of a key; arms of weight 0 get none."""
    return max((arm for arm in arms if arm.weight > 0), key=lambda arm: _score(arm, salt, key))


def _score(arm: Arm, salt: str, key: str) -> float:
    digest = hashlib.blake2b(digest_size=8)
    for part in (salt, key, arm.name):
        content = part.encode("utf-8", "surrogatepass")
        digest.update(len(content).to_bytes(4, "big") + content)
    uniform = (int.from_bytes(digest.digest(), "big") + 0.5) / _SCALE
    return -arm.weight / math.log(uniform) if uniform < 1.0 else math.inf
