"""What is wasted, and how that is known.

Invariant: nothing is waste that was not measured for the whole window; nothing is ended from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What is wasted."""

    IDLE_MODEL = "idle model"
    ZOMBIE = "zombie workload"
    UNATTACHED = "unattached volume"
    OVER_REPLICATED = "too many replicas"
    COLD_CACHE = "cold cache"
    SERIES = "dear metric"
    OLD_ARTEFACT = "old artefact"


@dataclass(frozen=True, slots=True)
class Waste:
    """One thing that is paid for and used by nobody; its names are untrusted text.

    `evidence` is what was measured, `query` what was asked; `monthly` is in the currency, None without a
    price; `remedy` is the command that would end it, empty where it depends.
    """

    kind: Kind
    namespace: str
    name: str
    evidence: str
    query: str = ""
    monthly: float | None = None
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class NotJudged:
    """A kind of waste that could not be looked for, and why."""

    kind: Kind
    why: str
