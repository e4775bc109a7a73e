"""Whether there is enough of a history to cut by.

Invariant: history that is too thin, or in which the busiest hour of a week may not have been measured, is
"insufficient" and never small.
"""

from __future__ import annotations

from maestro_cli.core.quantities import format_duration
from maestro_cli.cost.rightsizing.model import Usage

LEAST_SECONDS = 7 * 86_400.0
LEAST_POINTS = 100
LEAST_WEEK = 0.9  # of the hours of a week: a scrape that failed for an hour hides no weekly peak that recurs
_STEP_SECONDS = 300.0  # the last sample of a week may be one step before its end


def cpu_is_thin(usage: Usage) -> str:
    """Why its processor time says too little, in words; empty when it says enough."""
    return _is_thin(usage, len(usage.cpu), "of its processor time")


def memory_is_thin(usage: Usage) -> str:
    """Why its memory says too little, in words; empty when it says enough."""
    return _is_thin(usage, usage.memory_points if len(usage.peaks) else 0, "of its memory")


def _is_thin(usage: Usage, points: float, of_what: str) -> str:
    if points == 0:
        return f"insufficient: there is no sample {of_what}"
    if points < LEAST_POINTS:
        return f"insufficient: {points:g} samples {of_what}, fewer than {LEAST_POINTS}"
    if usage.span_seconds < LEAST_SECONDS - _STEP_SECONDS:
        return f"insufficient: {format_duration(usage.span_seconds)} of history, less than 7 days"
    if usage.week_seen < LEAST_WEEK:
        return (
            f"insufficient: something was measured in {usage.week_seen:.0%} of the hours of a week, "
            "and its busiest hour may be in the rest"
        )
    return ""
