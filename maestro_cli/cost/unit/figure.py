"""What a million predictions cost.

    cost of a million = replica_hourly_rate × replica_hours / predictions × 1,000,000

Invariant: a figure comes from predictions, replicas and a price that were all there; without one of them
there is no figure and the verdict is INDETERMINATE, never 0 and never PASS. What was seen for less than
`LEAST_COVERAGE` of the window has a figure and no verdict.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from maestro_cli.core.verdict import Judgement, Verdict, judge

MILLION = 1_000_000
HOUR_SECONDS = 3600.0
LEAST_COVERAGE = 0.9


@dataclass(frozen=True, slots=True)
class Usage:
    """What one service did in a window, and with how much; None is what nobody knows.

    `replica_seconds` counts every replica that was there, answering or not: it costs the same. `coverage`
    is the share of all this, 0 to 1, that was measured.
    """

    namespace: str
    service: str
    window_seconds: float
    predictions: float | None
    replica_seconds: float | None
    coverage: float

    @property
    def replica_hours(self) -> float | None:
        return None if self.replica_seconds is None else self.replica_seconds / HOUR_SECONDS

    @property
    def rate_per_replica(self) -> float | None:
        """Predictions a second that one replica made on average."""
        if self.predictions is None or not self.replica_seconds:
            return None
        return self.predictions / self.replica_seconds


@dataclass(frozen=True, slots=True)
class UnitCost:
    """`per_million` in the currency of the price; `judgement` is None when there is no budget to judge by."""

    usage: Usage
    per_million: float | None
    judgement: Judgement | None

    @property
    def verdict(self) -> Verdict | None:
        return None if self.judgement is None else self.judgement.verdict


def unit_cost(usage: Usage, replica_hourly_rate: float | None, budget: float | None = None) -> UnitCost:
    """The cost of a million predictions, judged by a budget in the same currency.

    Without a budget the judgement is None, but INDETERMINATE all the same when something is missing.
    """
    missing = _missing(usage, replica_hourly_rate)
    if missing or replica_hourly_rate is None or usage.replica_hours is None or usage.predictions is None:
        return UnitCost(usage, None, judge(None, holds=None, coverage=usage.coverage, reason=missing))
    per_million = cost_of_a_million(replica_hourly_rate * usage.replica_hours, usage.predictions)
    return UnitCost(usage, per_million, judged(per_million, budget, usage.coverage))


def cost_of_a_million(cost: float, predictions: float) -> float:
    """Of predictions that succeeded, more than none."""
    return cost / predictions * MILLION


def judged(per_million: float, budget: float | None, coverage: float) -> Judgement | None:
    """A figure by its budget; None where there is none to judge by, and it was measured long enough."""
    if coverage < LEAST_COVERAGE:
        holds, reason = None, f"measured for {coverage:.0%} of the window, {LEAST_COVERAGE:.0%} needed"
    elif budget is None:
        return None
    else:
        holds = per_million <= budget
        reason = "within the budget" if holds else _over(per_million / budget)
    return judge(per_million, holds=holds, coverage=coverage, reason=reason)


def _over(times: float) -> str:
    told = f"{times:.2g}"
    return "just over the budget" if told == "1" else f"{told} times the budget"


def break_even_rate(replica_hourly_rate: float, budget: float) -> float:
    """Predictions a second and replica from which a million cost at most `budget` (above 0)."""
    return replica_hourly_rate * MILLION / (budget * HOUR_SECONDS)


def _missing(usage: Usage, replica_hourly_rate: float | None) -> str:
    """What there is no figure without; empty when everything is there."""
    if replica_hourly_rate is None:
        return "no price: replica_hourly_rate is not given"
    if not math.isfinite(replica_hourly_rate) or replica_hourly_rate < 0:
        return "replica_hourly_rate is not a price"
    if not replica_hourly_rate:
        return "a replica_hourly_rate of 0 is no price: every budget would hold"
    predictions, replica_seconds = usage.predictions, usage.replica_seconds
    if predictions is None or not math.isfinite(predictions):
        return "no measurement of predictions"
    if replica_seconds is None or not math.isfinite(replica_seconds) or replica_seconds <= 0:
        return "no measurement of replicas"
    if predictions <= 0:
        return "no prediction succeeded"
    if not usage.coverage > 0:
        return "nothing was measured in the window"
    return ""
