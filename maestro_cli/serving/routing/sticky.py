"""Which arm of a split a key belongs to, and what of a request is a key.

Invariant: the same salt and key give the same arm for as long as the weights stay; when a weight grows, keys
only move into its arm. Weighted rendezvous hashing (Schindelhauer and Schomaker 2005): the arm with the
highest -weight / ln(u) wins, u a uniform number made of salt, key and the arm's name.
"""

from __future__ import annotations

import hashlib
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maestro_cli.serving.protocol.http import header
from maestro_cli.serving.routing.document import Arm

_SCALE = 2.0**64


@dataclass(slots=True)
class Keys:
    """Reads the sticky key of a split: `header:NAME`, `parameter:NAME` or `id`; "" when there is none."""

    headers: Sequence[tuple[bytes, bytes]]
    parameters: Mapping[str, Any]
    identity: str

    def __call__(self, key: str) -> str:
        kind, _, name = key.partition(":")
        if kind == "header":
            return header({"headers": self.headers}, name.lower().encode("ascii"))
        if kind == "parameter":
            value = self.parameters.get(name)
            return value if isinstance(value, str) else "" if value is None else str(value)
        return self.identity

    @property
    def size(self) -> int | None:
        """Bytes that they take; None when a parameter is a structure, whose size nobody knows."""
        size = len(self.identity)
        for name, value in self.parameters.items():
            if isinstance(value, list | dict):
                return None
            size += sys.getsizeof(name) + sys.getsizeof(value)
        for header_name, content in self.headers:
            size += len(header_name) + len(content)
        return size


NO_KEYS = Keys((), {}, "")


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
