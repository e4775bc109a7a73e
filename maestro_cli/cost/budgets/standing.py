"""How a budget of money stands: what is spent of it, how fast, what it will come to, and the verdict.

    burn = (month to date ÷ budget) ÷ (share of the month that is over)

At a burn of 1 the budget lasts exactly as long as the month. Invariant: what is spent is a lower bound, so
that it can fail a budget at any coverage; it passes only where what was not seen would not change that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from maestro_cli.core.verdict import Judgement, judge
from maestro_cli.cost.budgets.forecast import Forecast
from maestro_cli.cost.budgets.spend import LEAST_COVERAGE

WARN_SHARES = (0.5, 0.8, 1.0)


@dataclass(frozen=True, slots=True)
class Standing:
    """`used` and `burn` are shares of the budget; `crossed` the highest share to warn of that is reached.

    `runs_out` is when the budget is spent at the rate of now, None when the month ends before.
    """

    amount: float
    forecast: Forecast
    used: float | None
    burn: float | None
    crossed: float | None
    forecast_over: bool | None
    runs_out: datetime | None
    judgement: Judgement

    @property
    def left(self) -> float | None:
        """What may still be spent; below 0 when it is overspent."""
        spent = self.forecast.to_date.amount
        return None if spent is None else self.amount - spent


def standing(
    amount: float,
    found: Forecast,
    now: datetime,
    warn: Sequence[float] = WARN_SHARES,
    unpriced: Sequence[str] = (),
    *,
    fails_on_forecast: bool = False,
) -> Standing:
    """Of a budget of `amount` a month, in the currency of what was spent; `amount` is above 0.

    `fails_on_forecast`: a month that will be over fails before it is; one without a forecast is not known.
    """
    spent = found.to_date.amount
    elapsed = found.to_date.month.elapsed(now)
    used = None if spent is None else spent / amount
    return Standing(
        amount=amount,
        forecast=found,
        used=used,
        burn=None if used is None or not elapsed > 0 else used / elapsed,
        crossed=None if used is None else max((one for one in warn if used >= one), default=None),
        forecast_over=None if found.total is None else found.total > amount,
        runs_out=_runs_out(amount, found, now),
        judgement=_judged(amount, found, unpriced, fails_on_forecast=fails_on_forecast),
    )


def _judged(amount: float, found: Forecast, unpriced: Sequence[str], *, fails_on_forecast: bool) -> Judgement:
    to_date = found.to_date
    spent, coverage = to_date.amount, to_date.coverage
    if spent is not None and spent > amount:
        return judge(
            spent, holds=False, coverage=coverage, reason=f"{spent / amount - 1:.1%} over the budget"
        )
    if spent is None:
        return judge(
            None, holds=None, coverage=coverage, reason="nothing was metered this month of what it is for"
        )
    if coverage < LEAST_COVERAGE:
        why = f"measured for {coverage:.0%} of the month so far, {LEAST_COVERAGE:.0%} needed"
        return judge(spent, holds=None, coverage=coverage, reason=why)
    if unpriced:
        why = f"no price for {', '.join(unpriced)}: what is spent is a lower bound"
        return judge(spent, holds=None, coverage=coverage, reason=why)
    unseen = to_date.unmeasured_days * (found.per_day or 0.0)
    if spent + unseen > amount:
        why = "what was not measured may have gone over the budget"
        return judge(spent, holds=None, coverage=coverage, reason=why)
    if fails_on_forecast and found.total is None:
        return judge(spent, holds=None, coverage=coverage, reason=f"no forecast: {found.reason}")
    if fails_on_forecast and found.total is not None and found.total > amount:
        why = f"the forecast is {found.total / amount - 1:.1%} over the budget"
        return judge(spent, holds=False, coverage=coverage, reason=why)
    return judge(spent, holds=True, coverage=coverage, reason=f"{spent / amount:.0%} of the budget")


def _runs_out(amount: float, found: Forecast, now: datetime) -> datetime | None:
    """When what is spent reaches the budget, each day left an average one."""
    spent, per_day = found.to_date.amount, found.per_day
    if spent is None or per_day is None or not per_day > 0:
        return None
    if spent >= amount:
        return now
    at = now + timedelta(days=(amount - spent) / per_day) if (amount - spent) / per_day < 366 else None
    return at if at is not None and at < found.to_date.month.end else None
