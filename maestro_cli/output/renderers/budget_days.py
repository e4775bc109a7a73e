"""How a budget went, day by day, in a few characters.

Invariant: a day that nobody saw is not drawn as one without traffic, and no line goes through it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from maestro_cli.output.strips import NOT_SEEN, sparkline, strip
from maestro_cli.slo.measuring.target import Day, days_in

if TYPE_CHECKING:
    from maestro_cli.slo.measuring.model import Measured

WIDTH = 31
STRIP_LEGEND = (
    "blank: under 0.1 % of the budget, ░ 0.1 %, ▒ 1 %, ▓ a thirty-first, █ a tenth, · no traffic, ? not seen"
)
_SHARES = (0.001, 0.01, 1 / 31, 0.1)  # of the budget, that a day spends: the levels of the strip


def burn_down(measured: Measured, width: int = WIDTH) -> str:
    """What was left of the budget at the end of each day, in at most so many characters."""
    left, values = 1.0, []
    for day in days_in(measured):
        left -= day.spent or 0.0
        values.append(left if day.is_seen and day.spent is not None else None)
    return sparkline(values, width, 0.0, 1.0)


def days_strip(days: Iterable[Day]) -> str:
    """A character for each day, by what it spent of the budget."""
    return strip(map(_level, days))


def _level(day: Day) -> int | None:
    if not day.is_seen:
        return NOT_SEEN
    return None if not day.total or day.spent is None else sum(day.spent > share for share in _SHARES)
