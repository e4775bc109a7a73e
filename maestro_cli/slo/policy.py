"""What follows from the error budget that is left: normal, careful, freeze, and what each forbids.

After the error budget policy of the Google SRE workbook. Invariant: what is not known allows no more than
what is spent does, and says that it is not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

CAREFUL_BELOW, FIXES_BELOW = 0.5, 0.25
INCIDENT_SHARE = 0.2  # of the budget, in one incident: it has to be reviewed


class Standing(Enum):
    NORMAL = "normal"
    CAREFUL = "careful"
    FREEZE = "freeze"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Consequence:
    """What holds at a standing. `features`: whether changes other than fixes may be made without asking."""

    standing: Standing
    sentence: str
    features: bool
    chaos: bool
    canary_share: float  # the largest share a new version may get at first


_NORMAL = Consequence(Standing.NORMAL, "release and experiment as planned", True, True, 1.0)
_CAREFUL = Consequence(
    Standing.CAREFUL, "canaries of at most 10 %, experiments outside of production alone", True, False, 0.1
)
_FIXES = Consequence(
    Standing.CAREFUL, "fixes of reliability and security alone, canaries of at most 10 %", False, False, 0.1
)
_FREEZE = Consequence(
    Standing.FREEZE, "nothing but what brings the service back until the budget recovers", False, False, 0.0
)
_UNKNOWN = Consequence(
    Standing.UNKNOWN,
    "find out what is left before anything is changed that could cost more",
    False,
    False,
    0.0,
)


def consequence_of(left: float | None) -> Consequence:
    """By the share of the budget that is left, below 0 when it is overspent; None: not known."""
    if left is None or left != left:
        return _UNKNOWN
    if left <= 0:
        return _FREEZE
    if left <= FIXES_BELOW:
        return _FIXES
    return _CAREFUL if left <= CAREFUL_BELOW else _NORMAL


def consequence_between(low: float | None, high: float | None) -> Consequence:
    """By what is left at least; not known where that is nothing and there may still be some."""
    is_open = low is not None and high is not None and low <= 0 < high
    return consequence_of(None if is_open else low)


def least_for_chaos(*, in_production: bool) -> float:
    """An experiment may begin where more than this share of every budget is left, whatever was not seen."""
    return CAREFUL_BELOW if in_production else 0.0


def wants_review(spent_share: float | None) -> bool:
    """Whether one incident took so much of the budget that it has to be reviewed."""
    return spent_share is not None and spent_share > INCIDENT_SHARE
