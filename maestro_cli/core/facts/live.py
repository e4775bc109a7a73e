"""What one learns while watching something: first all of it, then what changes, and when nobody can tell.

Invariant: frozen values. A watch begins with `Listed`, with parts of it, or with `Lost`; every later
`Listed` takes the place of all that was known. Between `Lost` and `Restored` what is known is as old as
`Lost.since`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from maestro_cli.core.errors import MaestroError

L = TypeVar("L")


@dataclass(frozen=True)  # no slots: Python 3.11 cannot call a subscripted slotted generic
class Listed(Generic[L]):
    """All there is, as of `at`, in no order."""

    lines: tuple[L, ...]
    at: datetime


@dataclass(frozen=True)
class Begun(Generic[L]):
    """Some more of the first list, which is still read: never taken for the whole. `is_anew`: what was told
    of that list before is void."""

    lines: tuple[L, ...]
    is_anew: bool


@dataclass(frozen=True)
class Changed(Generic[L]):
    """The object of this uid as it is now; None when it is gone, or left what is watched."""

    uid: str
    line: L | None


@dataclass(frozen=True, slots=True)
class Lost:
    """Nobody tells any more, since then; it is tried again. Told again when the reason changes."""

    error: MaestroError
    since: datetime


@dataclass(frozen=True, slots=True)
class Restored:
    """The source tells again. What was missed follows."""

    at: datetime


Seen = Begun[L] | Listed[L] | tuple[Changed[L], ...] | Lost | Restored
