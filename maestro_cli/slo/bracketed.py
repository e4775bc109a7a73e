"""What is told of a measurement, from-to where no bucket ends at the threshold of a latency.

Invariant: pure. One end of a bracket is never told as if it had been measured.
"""

from __future__ import annotations

from maestro_cli.core.quantities import format_share
from maestro_cli.slo.measuring.model import Measured
from maestro_cli.slo.measuring.target import left_bounds
from maestro_cli.slo.measuring.verdict import percent
from maestro_cli.slo.words import left_range_words, left_words


def is_bracketed(measured: Measured) -> bool:
    """Whether its figures are those of the buckets beside the threshold."""
    bounds = measured.bounds
    return bool(measured.no_bucket) and bounds is not None and bounds.low < bounds.high


def ratio_words(measured: Measured) -> str:
    """The ratio, in as many digits as tell it from what was promised; "" where it is not known."""
    if measured.ratio is None:
        return ""
    target, bounds = measured.objective.target, measured.bounds
    if bounds is None or not is_bracketed(measured):
        return percent(measured.ratio, target)
    return f"{percent(bounds.low, target)} to {percent(bounds.high, target)}"


def budget_words(measured: Measured) -> str:
    """What is left of the budget, as a cell says it; "" where it is not known."""
    bounds = left_bounds(measured)
    if bounds is None or not is_bracketed(measured):
        return left_words(measured.budget_left)
    return left_range_words(*bounds)


def spent_words(measured: Measured, *, is_projected: bool = False) -> str:
    """What is spent of the budget so far, or of the period if it goes on like this; "" where not known."""
    share = measured.budget_projected if is_projected else measured.budget_consumed
    bounds, budget = measured.bounds, measured.objective.budget
    if share is None:
        return ""
    if bounds is None or not is_bracketed(measured) or budget <= 0:
        return format_share(share)
    passed = (
        measured.measured.seconds / measured.span.seconds if is_projected and measured.span.seconds else 1.0
    )
    least, most = ((1 - bound) / budget * passed for bound in (bounds.high, bounds.low))
    return f"{format_share(least)} to {format_share(most)}"


def at_least(measured: Measured) -> str:
    """`at least ` before what was counted in the lower bucket alone; "" elsewhere."""
    return "at least " if is_bracketed(measured) else ""


def at_most(measured: Measured) -> str:
    """`at most ` before what is not in the lower bucket; "" elsewhere."""
    return "at most " if is_bracketed(measured) else ""
