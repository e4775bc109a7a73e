"""What machines cost between two instants: of an incident, of a drill, of any window.

    cost of a span = Σ over the hours it touches: cost of the hour × its time in it ÷ the hour's measured time
    more than usual = cost of the span − cost of as long a span right before it

Allocation knows hours: within one, cost is taken to be spent evenly while it was measured, so that of less
than two hours nothing can be told that came on top. Invariant: a span that is not within what was metered has
no figure, and what came on top has none where the span before it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from maestro_cli.cost.allocation.allocate import Hourly
from maestro_cli.cost.allocation.model import Row
from maestro_cli.cost.metering.model import HOUR
from maestro_cli.cost.metering.queries import LOOK_SECONDS

LEAST_COMPARED = 2 * HOUR
LOOK = timedelta(seconds=LOOK_SECONDS)


@dataclass(frozen=True, slots=True)
class SpanCost:
    """In the allocation's currency. `usual` is what as long before it cost; `more` what came on top.

    None where it was not metered; `usual` also of less than `LEAST_COMPARED`.
    """

    start: datetime
    end: datetime
    cost: float | None
    usual: float | None

    @property
    def more(self) -> float | None:
        return None if self.cost is None or self.usual is None else self.cost - self.usual


def span_cost(
    hourly: Hourly,
    start: datetime,
    end: datetime,
    until: datetime,
    takes: Callable[[Row], bool] = lambda _: True,
) -> SpanCost:
    """Of the rows that are taken; `until` is when metering ended, within the last hour."""
    length = end - start
    usual = _between(hourly, start - length, start, until, takes) if length >= LEAST_COMPARED else None
    return SpanCost(start, end, _between(hourly, start, end, until, takes), usual)


def _between(
    hourly: Hourly, start: datetime, end: datetime, until: datetime, takes: Callable[[Row], bool]
) -> float | None:
    hours = hourly.allocation.hours
    if start < hours.start or end > min(hours.end, until) or end <= start:
        return None
    rows = [index for index, row in enumerate(hourly.allocation.rows) if takes(row)]
    by_hour = hourly.costs[rows].sum(axis=0)
    cost = 0.0
    for index in range(hours.count):
        begins = hours.beginning(index)
        measured = min(begins + HOUR, until) - begins
        part = min(end, begins + measured) - max(start, begins)
        if part > timedelta():
            seen = measured * min(1.0, float(hourly.coverage[index]))
            if not seen or part > seen + LOOK:
                return None
            cost += float(by_hour[index]) * min(1.0, part / seen)
    return cost
