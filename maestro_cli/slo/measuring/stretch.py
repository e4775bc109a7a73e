"""What a stretch of time that was over just now spent of an error budget: while a run went on, not a window.

Invariant: measured as budgets are, from the minute in which it began to what was scraped last; what was not
seen is in the bounds. Nothing measured is None with why, never zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from maestro_cli.core.quantities import format_duration
from maestro_cli.slo.burning import ratio_query
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.window import Span, minute_end, whole_minute
from maestro_cli.slo.objectives import Objective
from maestro_cli.slo.ports import RawMetrics


@dataclass(frozen=True, slots=True)
class Spent:
    """The share of the budget of the objective's window (1 is all of it), if all of the window had such
    traffic; None: not known, and `why`. At least `low` and at most `high`, whatever was not seen, where that
    is known; `seconds` is how long was measured, `coverage` the share of it that was seen (0 to 1).
    """

    share: float | None
    why: str = ""
    low: float | None = None
    high: float | None = None
    seconds: float = 0.0
    coverage: float | None = None


def spent_in(
    objective: Objective, began: datetime, ended: datetime, metrics: RawMetrics,
    value: Callable[[str], float | None],
) -> Spent:  # fmt: skip
    """What was spent from the minute of `began` to `ended`, which is now; `value` gives the value of a query.

    Raises what measuring and `value` raise.
    """
    if not objective.is_of_metrics:
        return Spent(None, "no metric tells it: drills and incidents do")
    start = whole_minute(began)
    seconds = max((ended - start).total_seconds(), 1.0)
    if objective.counters is None:
        return _by_query(objective, math.ceil(seconds), value)
    end = minute_end(max(ended, start + timedelta(seconds=1)))  # of what is to come there is nothing
    found = measure(objective, Span(start, end), Outside(metrics, end, at=end))

    def of(ratio: float) -> float:
        return _share(1 - ratio, objective, seconds)

    if found.ratio is None or found.bounds is None:
        return Spent(None, found.judgement.reason, seconds=seconds, coverage=found.coverage)
    low, high = of(found.bounds.high), of(found.bounds.low)
    if found.is_bracketed:  # either may be true, and neither is likelier
        return Spent(None, found.no_bucket, low, high, seconds, found.coverage)
    return Spent(of(found.ratio), "", low, high, seconds, found.coverage)


def _by_query(objective: Objective, seconds: int, value: Callable[[str], float | None]) -> Spent:
    """What only PromQL tells, over the same time."""
    ratio = value(ratio_query(objective, f"{seconds}s"))
    if ratio is None:
        return Spent(None, f"no data, or no traffic, of the last {format_duration(seconds)}", seconds=seconds)
    return Spent(_share(ratio, objective, seconds), "", seconds=seconds)


def _share(bad: float, objective: Objective, seconds: float) -> float:
    """bad · time / (window · (1 − target)): as a burn at worst is foretold, of which all events are bad."""
    return round(bad * seconds / (objective.window_seconds * objective.budget), 12) + 0.0
