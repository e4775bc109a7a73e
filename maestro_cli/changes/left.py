"""What is left of an error budget. Invariant: what could not be measured is None with why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Left:
    """The share of the window's budget that is left, below 0 when it is overspent; None when not known."""

    share: float | None
    why: str = ""
