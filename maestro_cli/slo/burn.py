"""How fast the error budget goes, and how much of it is gone.

Invariant: counted in events; nothing measured is no reading, never zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from maestro_cli.core.verdict import Judgement, judge
from maestro_cli.slo.objectives import Objective
from maestro_cli.slo.windows import BurnWindow


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


def budget_left(error_ratio: float | None, objective: Objective) -> float | None:
    """The share of the window's budget that is left after that ratio of bad events; below 0 when overspent.

    None without a ratio.
    """
    spent = burn_rate(error_ratio, objective)
    return None if spent is None else 1.0 - spent


class BurnState(Enum):
    """How an objective stands, by a long window (it matters) and a short one (it still happens)."""

    CRITICAL = "critical"
    INCREASING = "increasing"
    RECOVERING = "recovering"
    NO_DATA = "no data"
    OK = "ok"


_WORST_FIRST = tuple(BurnState)


def burn_state(long: float | None, short: float | None, factor: float) -> BurnState:
    """Both burn rates over the factor: critical; the long one alone: recovering; the short one: increasing.

    Without one of them there is no state: what is not known is never ok.
    """
    if long is None or short is None or math.isnan(long) or math.isnan(short):
        return BurnState.NO_DATA
    if long > factor:
        return BurnState.CRITICAL if short > factor else BurnState.RECOVERING
    return BurnState.INCREASING if short > factor else BurnState.OK


def worst_burn_state(rates: Mapping[float, float | None], windows: Iterable[BurnWindow]) -> BurnState:
    """The worst state of several pairs of windows; `rates` has a burn rate by span in seconds."""
    states = {burn_state(rates.get(w.long_seconds), rates.get(w.short_seconds), w.factor) for w in windows}
    return next((state for state in _WORST_FIRST if state in states), BurnState.NO_DATA)


def budget_gone_in_seconds(left: float | None, burn: float | None, objective: Objective) -> float | None:
    """When the budget is gone if it goes on like this; 0 when it is, None when it is not being spent.

    `left` is the share of the window's budget that is left, as of `budget_left`.
    """
    if left is not None and left <= 0:
        return 0.0
    if left is None or burn is None or not (math.isfinite(burn) and math.isfinite(left)) or burn <= 0:
        return None
    return left * objective.window_seconds / burn


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
