"""How much of a window has to have been measured before anything in it is called waste."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_cli.core.quantities import counted

if TYPE_CHECKING:
    from maestro_cli.cost.metering.model import Matrix, Metered

LEAST_HOURS = 24
LEAST_COVERAGE = 0.95


def full_hours(amounts: Matrix) -> Matrix:
    """Without the last hour, which may only have begun."""
    return amounts[..., :-1]


def too_little(metered: Metered) -> str:
    """Why the window tells nothing; empty where it does."""
    hours = metered.hours.count - 1
    if hours < LEAST_HOURS:
        return f"the window has {counted(hours, 'full hour')}, {LEAST_HOURS} are needed"
    short = int((full_hours(metered.coverage) < LEAST_COVERAGE).sum())
    if short:
        return f"{counted(short, 'hour')} of {hours} measured to less than {LEAST_COVERAGE:.0%}"
    return ""
