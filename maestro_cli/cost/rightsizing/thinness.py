"""Whether there is enough of a history to cut by.

Invariant: history that is too thin, or in which the busiest hour of a week may not have been measured, is
"insufficient" and never small.
"""

from __future__ import annotations

from maestro_cli.core.quantities import format_duration
from maestro_cli.cost.rightsizing.model import Seen, Usage

WEEK_SECONDS = 7 * 86_400.0
LEAST_POINTS = 100
LEAST_WEEK = 0.9  # of the hours of a week: a scrape that failed for an hour hides no weekly peak that recurs
_NEARLY = 0.995  # of what is enough: the first and the last mean are not at the very ends


def cpu_is_thin(usage: Usage, least_seconds: float) -> str:
    """Why its processor time says too little, in words; empty when it says enough."""
    return _is_thin(usage.cpu_seen, len(usage.cpu), "of its processor time", least_seconds)


def memory_is_thin(usage: Usage, least_seconds: float) -> str:
    """Why its memory says too little, in words; empty when it says enough."""
    points = usage.memory_points if len(usage.peaks) else 0
    return _is_thin(usage.memory_seen, points, "of its memory", least_seconds)


def _is_thin(seen: Seen, points: float, of_what: str, least_seconds: float) -> str:
    """Less than a week can only be enough where somebody said so, and shows no week then."""
    if points == 0:
        return f"insufficient: there is no sample {of_what}"
    if points < LEAST_POINTS:
        return f"insufficient: {points:g} samples {of_what}, fewer than {LEAST_POINTS}"
    if seen.span_seconds < least_seconds * _NEARLY:
        least = "7 days" if least_seconds == WEEK_SECONDS else format_duration(least_seconds)
        return f"insufficient: {format_duration(seen.span_seconds)} of history {of_what}, less than {least}"
    if least_seconds >= WEEK_SECONDS and seen.week < LEAST_WEEK:
        return (
            f"insufficient: {seen.week:.0%} of the hours of a week were measured {of_what}, "
            "and its busiest hour may be in the rest"
        )
    return ""
