"""What is asked of a web address, and what it answers. Invariant: plain data, nothing is decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
METHODS = SAFE_METHODS | {"POST", "PUT", "PATCH", "DELETE"}


@dataclass(frozen=True, slots=True)
class WebRequest:
    """`url` is absolute http or https without a user name; `timeout_seconds` is for all of it."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """`headers` have lower-case names; `is_cut` says that the body was longer than what is kept."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_cut: bool = False
