"""How fast the error budget goes, and how much of it is gone.

Invariant: counted in events; nothing measured is no reading, never zero.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum

from maestro_cli.core.verdict import Judgement, judge
from maestro_cli.slo.objectives import Objective
from maestro_cli.slo.windows import PAGE, BurnWindow


@dataclass(frozen=True, slots=True)
class BudgetSpend:
    """What a stretch of time cost: bad of total events, as a share of the window's whole budget."""

    bad: float
    total: float
    share: float | None
    seconds_equivalent: float | None


def burn_rate(error_ratio: float | None, objective: Objective) -> float | None:
    """1.0 spends the budget exactly over the window; None without a ratio."""
    if error_ratio is None or math.isnan(error_ratio):
        return None
    return error_ratio / objective.budget


class BurnState(Enum):
    """How an objective stands, by the pairs of windows of its alerts; the worst first."""

    CRITICAL = "critical"
    INCREASING = "increasing"
    RECOVERING = "recovering"
    NO_DATA = "no data"
    OK = "ok"


def burn_state(rates: Mapping[float, float | None], windows: Collection[BurnWindow]) -> BurnState:
    """How an objective stands; `rates` has a burn rate by span in seconds. `Now` is the shortest span.

    critical: both windows of a pair that pages are over its limit, as its alert has it. increasing: no such
    pair is, and a window of some pair is over its limit while now is over it too. recovering: a window of
    some pair is over its limit, and now is over none of those. ok: no window is over its limit. A window
    without a rate is over no limit, and never ok: where none that is known is over one, or now is not known,
    it is no data.
    """
    known = {span: rate for span, rate in rates.items() if rate is not None and not math.isnan(rate)}
    pages = (window for window in windows if window.severity == PAGE)
    if any(all(known.get(span, 0.0) > pair.factor for span in pair.spans) for pair in pages):
        return BurnState.CRITICAL
    spans = {span for pair in windows for span in pair.spans}
    now = known.get(min(spans, default=0.0))
    over = [pair.factor for pair in windows if any(known.get(span, 0.0) > pair.factor for span in pair.spans)]
    if over and now is not None:
        return BurnState.INCREASING if now > min(over) else BurnState.RECOVERING
    return BurnState.OK if spans and spans <= known.keys() else BurnState.NO_DATA


def budget_gone_in_seconds(left: float | None, burn: float | None, window_seconds: float) -> float | None:
    """When the budget is gone if it goes on like this; 0 when it is, None when it is not being spent.

    `left` is the share of the budget of a window so long that is left. left · window / burn
    """
    if left is not None and left <= 0:
        return 0.0
    if left is None or burn is None or not (math.isfinite(burn) and math.isfinite(left)) or burn <= 0:
        return None
    return left * window_seconds / burn


def budget_spend(
    bad: float | None, total: float | None, span_seconds: float, objective: Objective
) -> BudgetSpend | None:
    """The budget spent in `span_seconds`, with the window's traffic projected from this span's rate.

    share = bad / (total/span · window · (1 − target)); seconds_equivalent is that share of the time
    the objective allows to be fully down; both None without a span. None without events, and for
    counts that cannot be (a counter was reset).
    """
    if bad is None or total is None or not (math.isfinite(bad) and math.isfinite(total)):
        return None
    if bad < 0 or total <= 0:
        return None
    if span_seconds <= 0:
        return BudgetSpend(bad, total, None, None)
    share = bad / (total / span_seconds * objective.window_seconds * objective.budget)
    return BudgetSpend(bad, total, share, share * objective.budget * objective.window_seconds)


def judge_objective(error_ratio: float | None, objective: Objective, *, coverage: float = 1.0) -> Judgement:
    """PASS when the ratio is within the budget, FAIL above it, INDETERMINATE without data."""
    known = error_ratio is not None and not math.isnan(error_ratio)
    holds = error_ratio <= objective.budget if error_ratio is not None and known else None
    reason = "no data" if not known else f"error ratio {error_ratio:.4%} of {objective.budget:.4%}"
    return judge(error_ratio, holds=holds, coverage=coverage, reason=reason)
