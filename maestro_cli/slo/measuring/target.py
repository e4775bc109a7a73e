"""The same measurement under another target. Invariant: nothing is measured anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from maestro_cli.core.verdict import Judgement, Verdict
from maestro_cli.slo.measuring.adding import add_up, numbers
from maestro_cli.slo.measuring.exclusion import kept_minutes
from maestro_cli.slo.measuring.model import Measured, Minutes
from maestro_cli.slo.measuring.slices import budget_minutes, count_bad_minutes
from maestro_cli.slo.measuring.verdict import judge_bounds
from maestro_cli.slo.measuring.window import MINUTE, days_of


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the span: its events, what it spent of the budget of the span, and how much was watched.

    `is_seen`: some target was, in some minute of it.
    """

    start: datetime
    good: float
    total: float
    coverage: float
    spent: float | None
    is_seen: bool = True

    @property
    def ratio(self) -> float | None:
        return self.good / self.total if self.total > 0 else None


def at_target(measured: Measured, target: float) -> Measured:
    """What the verdict and the budget had been if this had been promised."""
    found = _at_target(measured, target, measured.minutes)
    if measured.adjusted is None:
        return found
    adjusted = _at_target(measured.adjusted, target, measured.minutes, is_adjusted=True)
    return replace(found, adjusted=adjusted)


def _at_target(
    measured: Measured, target: float, minutes: Minutes | None, *, is_adjusted: bool = False
) -> Measured:
    objective = replace(measured.objective, target=target)
    found = replace(measured, objective=objective, adjusted=None)
    if measured.bad_minutes is not None and minutes is not None:
        kept = kept_minutes(measured.measured, measured.excluded) if is_adjusted else None
        found = replace(found, bad_minutes=count_bad_minutes(objective, minutes, kept))
    budget, ratio = objective.budget, measured.ratio
    if ratio is not None and budget > 0 and measured.budget_consumed is not None:
        consumed = (1 - ratio) / budget
        projected = consumed * measured.elapsed
        found = replace(
            found,
            budget_consumed=consumed,
            budget_projected=projected,
            budget_left=round(1 - projected, 12) + 0.0,
        )
    return replace(found, judgement=_judged(measured, target))


def left_bounds(measured: Measured) -> tuple[float, float] | None:
    """What is left of the budget at least and at most, by the bounds of the ratio; None when not known."""
    budget = measured.objective.budget
    if measured.bounds is None or measured.ratio is None or budget <= 0:
        return None
    low, high = (
        round(1 - (1 - bound) / budget * measured.elapsed, 12) + 0.0
        for bound in (measured.bounds.low, measured.bounds.high)
    )
    return low, high


def days_in(measured: Measured) -> Iterator[Day]:
    """Each day of the zone that is over; what each spent is a share of the budget of the whole span."""
    minutes, budget = measured.minutes, budget_minutes(measured)
    if minutes is None or budget is None:
        return
    minute, elapsed = timedelta(seconds=MINUTE), measured.elapsed
    allowed = measured.objective.budget * add_up(budget.total)
    days = days_of(measured.measured)
    places = [
        (int((start - minutes.start) / minute), int((end - minutes.start) / minute)) for _, start, end in days
    ]
    counts = minutes.both_in_each(places)
    budgets = counts if budget is minutes else budget.both_in_each(places)
    covered = bytes(minutes.covered)
    for (_, start, _), (first, last), (good, total), (kept, of) in zip(
        days, places, counts, budgets, strict=True
    ):
        coverage = covered.count(1, first, last) / max(last - first, 1)
        spent = (of - kept) / allowed * elapsed if allowed > 0 else None
        yield Day(start, good, total, coverage, spent, minutes.seen_in(first, last) > 0)


def spent_at(measured: Measured) -> datetime | None:
    """When the budget of what was promised was gone, by the whole span; None while some is left."""
    minutes, objective = budget_minutes(measured), measured.objective
    import numpy as np

    whole = 0.0 if minutes is None else add_up(minutes.total)
    if minutes is None or not whole:
        return None
    allowed = objective.budget * whole / (measured.elapsed or 1.0)
    is_gone = np.cumsum(numbers(minutes.total) - numbers(minutes.good)) > allowed
    return minutes.start + timedelta(seconds=MINUTE * (int(is_gone.argmax()) + 1)) if is_gone.any() else None


def _judged(measured: Measured, target: float) -> Judgement:
    if measured.bounds is None or measured.ratio is None:
        return Judgement(Verdict.INDETERMINATE, measured.coverage, measured.judgement.reason, measured.ratio)
    value = None if measured.is_bracketed else measured.ratio
    return judge_bounds(value, measured.bounds, measured.coverage, target)
