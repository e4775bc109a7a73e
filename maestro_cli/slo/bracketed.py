"""What is told of a measurement, from-to where no bucket ends at the threshold of a latency.

Invariant: pure. One end of a bracket is never told as if it had been measured.
"""

from __future__ import annotations

from typing import Any

from maestro_cli.core.quantities import format_share
from maestro_cli.slo.measuring.model import Measured
from maestro_cli.slo.measuring.target import left_bounds
from maestro_cli.slo.measuring.verdict import percent
from maestro_cli.slo.words import left_range_words, left_words


def ratio_words(measured: Measured) -> str:
    """The ratio, in as many digits as tell it from what was promised; "" where it is not known."""
    if measured.ratio is None:
        return ""
    target, bounds = measured.objective.target, measured.bounds
    if bounds is None or not measured.is_bracketed:
        return percent(measured.ratio, target)
    return f"{percent(bounds.low, target)} to {percent(bounds.high, target)}"


def budget_words(measured: Measured) -> str:
    """What is left of the budget, as a cell says it; "" where it is not known."""
    bounds = left_bounds(measured)
    if bounds is None or not measured.is_bracketed:
        return left_words(measured.budget_left)
    return left_range_words(*bounds)


def spent_words(measured: Measured, *, is_projected: bool = False) -> str:
    """What is spent of the budget so far, or of the period if it goes on like this; "" where not known."""
    share = measured.budget_projected if is_projected else measured.budget_consumed
    between = _spent(measured, is_projected=is_projected) if measured.is_bracketed else None
    if share is None:
        return ""
    if between is None:
        return format_share(share)
    least, most = between
    return f"{format_share(least)} to {format_share(most)}"


def between_buckets(measured: Measured) -> dict[str, Any] | None:
    """For JSON: why nothing is known better, and each figure at least and at most; None elsewhere.

    The ratio at least and at most are the bounds.
    """
    if not measured.is_bracketed:
        return None
    return {
        "why": measured.no_bucket,
        "good_at_least": measured.good,
        "bad_minutes_at_most": measured.bad_minutes,
        "budget_consumed": _low_high(_spent(measured)),
        "budget_projected": _low_high(_spent(measured, is_projected=True)),
        "budget_left": _low_high(left_bounds(measured)),
    }


def _spent(measured: Measured, *, is_projected: bool = False) -> tuple[float, float] | None:
    """The share of the budget that is spent at least and at most; of the period if it goes on like this."""
    bounds, budget = measured.bounds, measured.objective.budget
    if bounds is None or budget <= 0:
        return None
    passed = measured.elapsed if is_projected else 1.0
    least, most = (round((1 - bound) / budget * passed, 12) + 0.0 for bound in (bounds.high, bounds.low))
    return least, most


def _low_high(bounds: tuple[float, float] | None) -> dict[str, float] | None:
    return None if bounds is None else {"low": bounds[0], "high": bounds[1]}


def at_least(measured: Measured) -> str:
    """`at least ` before what was counted in the lower bucket alone; "" elsewhere."""
    return "at least " if measured.is_bracketed else ""


def at_most(measured: Measured) -> str:
    """`at most ` before what is not in the lower bucket; "" elsewhere."""
    return "at most " if measured.is_bracketed else ""
