"""What is due when a promise is missed, by the tiers of a contract.

Invariant: an open verdict gives a range, never a guess; a tier above what an objective promises is not of it,
so that a promise that is kept owes nothing; of several objectives the dearest counts, not the sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from maestro_cli.slo.measuring.model import Measured
from maestro_cli.slo.measuring.verdict import percent
from maestro_cli.slo.report.model import Credit, Terms, Tier


def credit_of(measured: Measured, terms: Terms) -> Credit | None:
    """The credit by the bounds of the ratio; None where the contract has no tiers.

    While the period is not over nothing is due for sure.
    """
    if not terms.tiers:
        return None
    tiers = [tier for tier in terms.tiers if tier.below <= measured.objective.target]
    most = max((tier.credit_percent for tier in tiers), default=0.0)
    if measured.bounds is None:
        return Credit(0.0, most, f"not known: {measured.judgement.reason}")
    if measured.measured.end < measured.span.end:
        return Credit(0.0, most, "not known: the period is not over")
    worst, best = (_tier_at(tiers, ratio) for ratio in (measured.bounds.low, measured.bounds.high))
    dear, cheap = _due(worst), _due(best)
    if dear == cheap:
        why = f"below {percent(worst.below)}" if worst is not None else "no tier is reached"
        return Credit(cheap, dear, why)
    low, high = percent(measured.bounds.low), percent(measured.bounds.high)
    return Credit(cheap, dear, f"not known: the ratio is between {low} and {high}")


def dearest(credits: Iterable[Credit | None]) -> Credit | None:
    """The one credit of a contract: the highest of its objectives, which are not added up."""
    known = [one for one in credits if one is not None]
    if not known:
        return None
    low, high = max(one.low_percent for one in known), max(one.high_percent for one in known)
    most = max(known, key=lambda one: (one.high_percent, one.low_percent))
    if low != high and len(known) > 1:
        return Credit(low, high, "not known while an objective is open")
    return Credit(low, high, most.why)


def _tier_at(tiers: Sequence[Tier], ratio: float) -> Tier | None:
    """The lowest tier that the ratio is below."""
    reached = [tier for tier in tiers if ratio < tier.below]
    return min(reached, key=lambda tier: tier.below, default=None)


def _due(tier: Tier | None) -> float:
    return 0.0 if tier is None else tier.credit_percent
