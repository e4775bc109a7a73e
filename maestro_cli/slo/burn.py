"""How fast the error budget goes, and how much of it is gone.

Invariant: counted in events; nothing measured is no reading, never zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from maestro_cli.core.verdict import Judgement, judge
from maestro_cli.slo.objectives import Objective


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
