"""Who is on call by another system. Invariant: plain data; times are UTC, and None where there is no end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PagedTurn:
    """One person of one schedule of a pager; always on call where `begin` and `end` are None."""

    person: str
    email: str
    begin: datetime | None
    end: datetime | None
